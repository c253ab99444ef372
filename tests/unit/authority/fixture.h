/* A per-run Authority in a child of its own, driven over its control socket as a launcher does it. */
#ifndef TESTS_AUTHORITY_FIXTURE_H
#define TESTS_AUTHORITY_FIXTURE_H

#include "authority/authority.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/proc.h"
#include "stack/child.h"
#include "tempdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct run_authority_fixture {
    char dir[64]; /* temporary; run_dir is <dir>/authority */
    char run_dir[96];
    char log[96];
    char url[128];
    char public_key[256];
    struct fb_proc proc;
    int ctl;
};

static int fixture_entry(void *arg)
{
    int *fds = arg;

    close(fds[0]);
    return au_child(fds[1]);
}

/* Forks the child and sends START; the answer is left on the socket. */
static inline void fixture_start(struct run_authority_fixture *f, const char *profile)
{
    struct fb_err err = { 0 };
    int fds[2];

    *f = (struct run_authority_fixture){ .dir = "/tmp/firma-au-XXXXXX", .ctl = -1 };
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->run_dir, sizeof(f->run_dir), "%s/authority", f->dir);
    snprintf(f->log, sizeof(f->log), "%s/authority.log", f->dir);
    assert_int_equal(st_child_pair(fds, &err), 0);
    assert_int_equal(fb_proc_fork(&f->proc, fixture_entry, fds, &err), 0);
    close(fds[1]);
    f->ctl = fds[0];
    const struct st_pair pairs[] = {
        { FB_STR("run_dir"), fb_str_of(f->run_dir) }, { FB_STR("profile"), fb_str_of(profile) },
        { FB_STR("log"), fb_str_of(f->log) },         { FB_STR("sandbox_id"), FB_STR("box-1") },
        { FB_STR("agent_id"), FB_STR("agent_1") },    { FB_STR("session_id"), FB_STR("sess_1") },
    };
    assert_int_equal(st_child_send(f->ctl, ST_MSG_START, pairs, FB_COUNT(pairs), NULL, 0, &err), 0);
}

static inline void fixture_wait_ready(struct run_authority_fixture *f)
{
    struct st_msg m = { 0 };
    struct fb_err err = { 0 };

    assert_int_equal(st_child_recv(f->ctl, &m, &err), 0);
    if (m.type == ST_MSG_FAILED)
        fail_msg("authority did not start: %.*s", FB_STR_ARG(st_msg_get(&m, "text")));
    assert_int_equal(m.type, ST_MSG_READY);
    snprintf(f->url, sizeof(f->url), "http://%.*s", FB_STR_ARG(st_msg_get(&m, "addr")));
    snprintf(f->public_key, sizeof(f->public_key), "%.*s", FB_STR_ARG(st_msg_get(&m, "public_key")));
    st_msg_done(&m);
}

/* Closes the control socket and waits: the child must end by itself. Returns its exit status. */
static inline int fixture_stop(struct run_authority_fixture *f)
{
    int status = -1;
    struct fb_err err = { 0 };

    fb_fd_close(&f->ctl);
    assert_int_equal(fb_proc_wait(&f->proc, 5000, &status, &err), 0);
    fb_fd_close(&f->proc.pidfd);
    assert_int_equal(tempdir_remove(f->dir), 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
