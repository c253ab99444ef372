/* A loop with a guard, a temporary directory, and small file helpers, for tests of the Authority's parts. */
#ifndef TESTS_AUTHORITY_LOOP_WORLD_H
#define TESTS_AUTHORITY_LOOP_WORLD_H

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/loop.h"
#include "tempdir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct loop_world {
    struct fb_loop *loop;
    struct fb_timer *guard;
    bool timed_out;
    char dir[64];
};

static inline void world_on_guard(void *arg)
{
    struct loop_world *w = arg;

    w->timed_out = true;
    fb_loop_stop(w->loop);
}

static inline void world_init(struct loop_world *w)
{
    struct fb_err err = { 0 };

    *w = (struct loop_world){ .dir = "/tmp/firma-auw-XXXXXX" };
    fb_log_set_level(FB_LOG_OFF);
    assert_non_null(mkdtemp(w->dir));
    assert_int_equal(fb_loop_new(&w->loop, &err), 0);
    assert_int_equal(fb_timer_new(w->loop, world_on_guard, w, &w->guard, &err), 0);
    fb_timer_start(w->guard, 20000, 0);
}

static inline void world_done(struct loop_world *w)
{
    fb_timer_free(w->guard);
    fb_loop_free(w->loop);
    assert_int_equal(tempdir_remove(w->dir), 0);
}

/* Runs until somebody stops the loop; the guard counts as a failure. */
static inline void world_run(struct loop_world *w)
{
    fb_loop_run(w->loop);
    assert_false(w->timed_out);
}

/* "<dir>/<name>", in one of eight rotating buffers. */
static inline const char *world_path(const struct loop_world *w, const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *out = paths[next++ % 8];

    snprintf(out, sizeof(paths[0]), "%s/%s", w->dir, name);
    return out;
}

static inline void world_write(const struct loop_world *w, const char *name, const char *text)
{
    int fd = open(world_path(w, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static inline void world_mkdir(const struct loop_world *w, const char *name)
{
    assert_int_equal(mkdir(world_path(w, name), 0700), 0);
}

#endif
