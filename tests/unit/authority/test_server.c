/* A per-run Authority whose directory is renamed while it serves, as a launcher does when a run is ready: policies and
 * revocations are still followed, the key is still there. */
#include "fixture.h"
#include "rpc/client.h"
#include "stack/child.h"
#include "token/token.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define ID1 "79dd9ffb-ebc8-4883-8f1e-72eb74a26e31"

struct place {
    char dir[64];
    struct fb_proc proc;
    int ctl;
    bool enter; /* the child works inside its directory and is given a relative run_dir */
    char url[128];
    char key[256];
};

static int entry(void *arg)
{
    int *fds = arg;

    close(fds[0]);
    return au_child(fds[1]);
}

static void send_start(struct place *p, const char *run_dir, const char *log)
{
    const struct st_pair pairs[] = {
        { FB_STR("run_dir"), fb_str_of(run_dir) },
        { FB_STR("log"), fb_str_of(log) },
        { FB_STR("sandbox_id"), FB_STR("box-1") },
    };

    assert_int_equal(st_child_send(p->ctl, ST_MSG_START, pairs, FB_COUNT(pairs), NULL, 0, NULL), 0);
}

static void path_in(const struct place *p, const char *name, char out[256])
{
    snprintf(out, 256, "%s/%s", p->dir, name);
}

/* Starts in <dir>/.new-x and renames that to <dir>/x once it is ready. */
static void start_and_rename(struct place *p)
{
    struct st_msg m = { 0 };
    char from[256];
    char to[256];
    char run_dir[512];
    char log[512];
    int fds[2];
    int here = -1;

    snprintf(p->dir, sizeof(p->dir), "%s", "/tmp/firma-aus-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    path_in(p, ".new-x", from);
    path_in(p, "x", to);
    assert_int_equal(mkdir(from, 0700), 0);
    assert_int_equal(st_child_pair(fds, NULL), 0);
    if (p->enter) {
        here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(chdir(from), 0);
    }
    assert_int_equal(fb_proc_fork(&p->proc, entry, fds, NULL), 0);
    if (p->enter) {
        assert_int_equal(fchdir(here), 0);
        close(here);
    }
    close(fds[1]);
    p->ctl = fds[0];
    snprintf(run_dir, sizeof(run_dir), "%s%sauthority", p->enter ? "" : from, p->enter ? "" : "/");
    snprintf(log, sizeof(log), "%s%sauthority.log", p->enter ? "" : from, p->enter ? "" : "/");
    send_start(p, run_dir, log);
    assert_int_equal(st_child_recv(p->ctl, &m, NULL), 0);
    if (m.type != ST_MSG_READY)
        fail_msg("%.*s", FB_STR_ARG(st_msg_get(&m, "text")));
    snprintf(p->url, sizeof(p->url), "http://%.*s", FB_STR_ARG(st_msg_get(&m, "addr")));
    snprintf(p->key, sizeof(p->key), "%.*s", FB_STR_ARG(st_msg_get(&m, "public_key")));
    st_msg_done(&m);
    assert_int_equal(rename(from, to), 0);
}

static void stop(struct place *p)
{
    int status = -1;

    fb_fd_close(&p->ctl);
    assert_int_equal(fb_proc_wait(&p->proc, 5000, &status, NULL), 0);
    fb_fd_close(&p->proc.pidfd);
    assert_int_equal(status, 0);
    assert_int_equal(tempdir_remove(p->dir), 0);
}

/* ---- what a Sidecar hears ---- */

struct heard {
    struct fb_loop *loop;
    struct fb_timer *guard;
    struct place *place;
    unsigned bundles;
    bool new_policy;
    bool revoked;
    bool wrote_policy;
    bool wrote_revocation;
    bool timed_out;
};

static void put(const struct place *p, const char *name, const char *text, int flags)
{
    char path[256];

    path_in(p, name, path);
    int fd = open(path, O_WRONLY | flags | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void on_bundle(void *arg, const struct rp_bundle *b)
{
    struct heard *h = arg;

    h->bundles++;
    if (!h->wrote_policy) {
        h->wrote_policy = true;
        put(h->place, "x/authority/policy_dir/more.cedar", "// from the new place\n", O_CREAT);
    } else if (memmem(b->policies.p, b->policies.n, "from the new place", 18) != NULL && !h->wrote_revocation) {
        h->new_policy = h->wrote_revocation = true;
        put(h->place, "x/authority/revocations.txt", ID1 "\n", O_APPEND);
    }
}

static void on_revocation(void *arg, struct fb_str id, struct fb_str reason, int64_t at_ns)
{
    struct heard *h = arg;

    (void)reason;
    (void)at_ns;
    h->revoked = fb_str_eqz(id, ID1);
    fb_loop_stop(h->loop);
}

static void on_state(void *arg, enum rp_stream stream, bool open, const char *why)
{
    (void)arg;
    (void)stream;
    (void)open;
    (void)why;
}

static void on_guard(void *arg)
{
    struct heard *h = arg;

    h->timed_out = true;
    fb_loop_stop(h->loop);
}

static void listen_to(struct place *p)
{
    static const struct rp_watch_ops ops = { on_bundle, on_revocation, on_state };
    struct heard h = { .place = p };
    struct rp_watch *watch = NULL;

    assert_int_equal(fb_loop_new(&h.loop, NULL), 0);
    assert_int_equal(fb_timer_new(h.loop, on_guard, &h, &h.guard, NULL), 0);
    fb_timer_start(h.guard, 20000, 0);
    assert_int_equal(rp_watch_new(h.loop, p->url, NULL, &ops, &h, &watch, NULL), 0);
    fb_loop_run(h.loop);
    assert_false(h.timed_out);
    assert_true(h.new_policy);
    assert_true(h.revoked);
    assert_int_equal(h.bundles, 2);
    rp_watch_free(watch);
    fb_timer_free(h.guard);
    fb_loop_free(h.loop);
}

static void signs_with_the_key_that_moved_along(const struct place *p)
{
    struct fb_str actions[] = { FB_STR("code.read") };
    const struct rp_issue_request q = { FB_STR("agent_1"), FB_STR("sess_1"), actions, 1, FB_STR("*"), 60 };
    struct rp_issue_reply reply;
    struct tk_public_key key;
    struct tk_claims claims;
    char path[256];

    assert_int_equal(rp_issue_capability(p->url, &q, 5000, &reply, NULL), 0);
    assert_true(reply.granted);
    path_in(p, "x/authority/keys/authority.pub", path);
    assert_int_equal(tk_keyfile_read_public(path, &key, NULL), 0);
    assert_int_equal(tk_token_verify(&key, reply.raw_token, fb_clock_wall_ns(), 0, &claims, NULL, NULL), 0);
    tk_claims_done(&claims);
    rp_issue_reply_done(&reply);
}

static void a_run_directory_may_be_renamed_with_its_parent(void **state)
{
    struct place p = { .ctl = -1 };

    (void)state;
    start_and_rename(&p);
    listen_to(&p);
    signs_with_the_key_that_moved_along(&p);
    stop(&p);
}

static void a_child_that_works_inside_its_directory_moves_with_it(void **state)
{
    struct place p = { .ctl = -1, .enter = true };

    (void)state;
    start_and_rename(&p);
    assert_string_equal(p.key, "authority/keys/authority.pub");
    listen_to(&p);
    signs_with_the_key_that_moved_along(&p);
    stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_directory_may_be_renamed_with_its_parent),
        cmocka_unit_test(a_child_that_works_inside_its_directory_moves_with_it),
    };
    return cmocka_run_group_tests_name("authority/server", tests, NULL, NULL);
}
