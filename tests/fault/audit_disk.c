/* The audit log when its disk fails: full (a real 64 KiB tmpfs, root only), write errors, failed syncs, cuts and
 * flipped bits at many places. Shows: nothing is completed without its line, nothing half-written stays, a failed sync
 * is never believed, and the log recovers by itself. */
#include "../unit/audit/fixture.h"

#include "base/clock.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/syscall.h>

/* This program's own write and fdatasync stand in front of the C library's. */
static atomic_int fail_write;  /* errno for writes to a regular file, 0 = none */
static atomic_int short_write; /* bytes that still go through before the error */
static atomic_int fail_sync;

ssize_t write(int fd, const void *p, size_t n)
{
    struct stat st;
    int why = atomic_load(&fail_write);
    if (why != 0 && n > 1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        int some = atomic_exchange(&short_write, 0);
        if (some > 0 && (size_t)some < n)
            return syscall(SYS_write, fd, p, (size_t)some);
        errno = why;
        return -1;
    }
    return syscall(SYS_write, fd, p, n);
}

int fdatasync(int fd)
{
    int why = atomic_load(&fail_sync);
    if (why != 0) {
        errno = why;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

/* Waits (for the log's own notices, not for time) until it is ready again. */
static bool await_ready(struct place *p, struct fa_log *log)
{
    int64_t until = fb_clock_mono_ms() + 10000;
    while (!fa_log_ready(log) && fb_clock_mono_ms() < until) {
        struct pollfd wait = { p->pipe[0], POLLIN, 0 };
        char drain[64];
        (void)poll(&wait, 1, 1000);
        while (read(p->pipe[0], drain, sizeof drain) > 0)
            ;
        (void)fa_log_take_completions(log);
    }
    return fa_log_ready(log);
}

/* One event; the code its caller was told. */
static int one_event(struct place *p, struct fa_log *log)
{
    int counts[2] = { 0, 0 };
    struct fa_slot *slot;
    struct fa_event ev = some_event("example.com/");
    if (fa_log_reserve(log, &slot) < 0)
        return FB_E_UNAVAILABLE;
    fa_log_commit(log, slot, &ev, count_done, counts);
    assert_true(await(p, log, 1));
    return counts[0] == 1 ? 0 : FB_E_UNAVAILABLE;
}

static struct verdict verify_path(struct place *p, const char *suffix)
{
    struct place other = *p;
    (void)snprintf(other.log, sizeof other.log, "%.60s/audit.jsonl%.8s", p->dir, suffix);
    (void)snprintf(other.head, sizeof other.head, "%.60s/audit.jsonl%.8s.head", p->dir, suffix);
    return verify_place(&other);
}

static void no_room_denies_leaves_no_half_line_and_recovers(void **state)
{
    struct place *p = *state;
    struct fa_log *log = open_log(p);
    struct fa_slot *slot;
    assert_int_equal(one_event(p, log), 0);
    atomic_store(&short_write, 100);
    atomic_store(&fail_write, ENOSPC);
    assert_int_equal(one_event(p, log), FB_E_UNAVAILABLE);
    assert_false(fa_log_ready(log));
    assert_int_equal(fa_log_reserve(log, &slot), FB_E_UNAVAILABLE);
    struct verdict v = verify_place(p);
    assert_string_equal(v.text, ""); /* the 100 bytes were taken out again */
    assert_int_equal(v.ok, 1);
    atomic_store(&fail_write, 0);
    assert_true(await_ready(p, log));
    assert_int_equal(one_event(p, log), 0);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    v = verify_place(p);
    assert_string_equal(v.text, "");
    assert_int_equal(v.ok, 3); /* the refused one was kept and written when there was room */
}

static void an_io_error_moves_on_to_a_new_file(void **state)
{
    struct place *p = *state;
    struct fa_log *log = open_log(p);
    assert_int_equal(one_event(p, log), 0);
    atomic_store(&fail_write, EIO);
    assert_int_equal(one_event(p, log), FB_E_UNAVAILABLE);
    atomic_store(&fail_write, 0);
    assert_true(await_ready(p, log));
    assert_int_equal(one_event(p, log), 0);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    struct verdict v = verify_path(p, ".1");
    assert_string_equal(v.text, "");
    assert_true(v.ok >= 2); /* the failed one and the next; what was not synced in time is repeated before them */
    v = verify_place(p);
    assert_int_equal(v.bad, 0);
}

static void a_failed_sync_per_event_completes_nothing(void **state)
{
    struct place *p = *state;
    struct fa_log_options o = options_of(p);
    struct fa_log *log = NULL;
    o.durability = FA_LOG_FSYNC;
    assert_int_equal(fa_log_open(&o, &log, NULL), 0);
    assert_int_equal(one_event(p, log), 0);
    atomic_store(&fail_sync, EIO);
    assert_int_equal(one_event(p, log), FB_E_UNAVAILABLE);
    assert_false(fa_log_ready(log));
    atomic_store(&fail_sync, 0);
    assert_true(await_ready(p, log));
    assert_int_equal(one_event(p, log), 0);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    struct verdict v = verify_path(p, ".1");
    assert_string_equal(v.text, "");
    assert_int_equal(v.ok, 2);
}

static void a_failed_sync_behind_the_calls_repeats_their_lines_in_a_new_file(void **state)
{
    struct place *p = *state;
    struct fa_log *log = open_log(p);
    struct fa_log_stats stats;
    atomic_store(&fail_sync, EIO);
    assert_int_equal(one_event(p, log), 0); /* written; the sync comes after and fails */
    int64_t until = fb_clock_mono_ms() + 10000;
    do {
        struct pollfd wait = { p->pipe[0], POLLIN, 0 };
        char drain[64];
        (void)poll(&wait, 1, 200);
        while (read(p->pipe[0], drain, sizeof drain) > 0)
            ;
        (void)fa_log_take_completions(log);
        fa_log_stats(log, &stats);
    } while (p->warned == 0 && fb_clock_mono_ms() < until);
    assert_true(p->warned > 0);
    atomic_store(&fail_sync, 0);
    assert_true(await_ready(p, log));
    assert_int_equal(one_event(p, log), 0);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    /* Each failed sync moved on by one file; the last has everything. */
    char suffix[8] = "";
    for (int i = 1; i < 100; i++) {
        char path[128];
        char next[8];
        (void)snprintf(next, sizeof next, ".%d", i);
        (void)snprintf(path, sizeof path, "%s%s", p->log, next);
        if (access(path, F_OK) != 0)
            break;
        memcpy(suffix, next, sizeof suffix);
    }
    assert_string_not_equal(suffix, "");
    struct verdict v = verify_path(p, suffix);
    assert_string_equal(v.text, "");
    assert_int_equal(v.ok, 2);
}

static void a_really_full_file_system_denies_and_recovers(void **state)
{
    struct place *p = *state;
    struct fa_slot *slot = NULL;
    char filler[96];
    char byte[4096] = { 0 };
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        print_message("skipped: mounting a small tmpfs needs root\n");
        skip();
    }
    assert_int_equal(mount("tmpfs", p->dir, "tmpfs", 0, "size=65536,mode=0700"), 0);
    struct fa_log *log = open_log(p);
    assert_int_equal(one_event(p, log), 0);
    (void)snprintf(filler, sizeof filler, "%.60s/filler", p->dir);
    int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (syscall(SYS_write, fd, byte, sizeof byte) > 0)
        ;
    /* Space set aside lets some calls through; each of them is written. Then there is none, and none is promised. */
    unsigned written = 1;
    while (one_event(p, log) == 0 && written < 10000)
        written++;
    assert_true(written < 1000);
    struct fa_log_stats stats;
    fa_log_stats(log, &stats);
    assert_int_equal(stats.written, written);
    assert_int_equal(stats.failed, 0); /* denied before, never broken after */
    assert_int_equal(fa_log_reserve(log, &slot), FB_E_UNAVAILABLE);
    struct verdict v = verify_place(p);
    assert_string_equal(v.text, "");
    assert_int_equal(v.ok, written);
    assert_int_equal(ftruncate(fd, 0), 0);
    (void)close(fd);
    assert_true(await_ready(p, log));
    assert_int_equal(one_event(p, log), 0);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    v = verify_place(p);
    assert_string_equal(v.text, "");
    assert_int_equal(v.ok, written + 1);
    assert_int_equal(umount(p->dir), 0);
}

/* Copies @from, cut at @n bytes, over the log. */
static void put_log(struct place *p, const char *from, size_t n)
{
    int fd = open(p->log, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(syscall(SYS_write, fd, from, n), (long)n);
    (void)close(fd);
}

static void every_cut_and_flipped_bits_are_noticed(void **state)
{
    struct place *p = *state;
    struct fb_buf text;
    struct fb_buf head;
    struct fa_log *log = open_log(p);
    write_events(p, log, 20);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    fb_buf_init(&text, 1 << 20);
    fb_buf_init(&head, 1 << 16);
    read_file(p->log, &text);
    read_file(p->head, &head);
    unsigned unnoticed = 0;
    for (size_t n = 0; n < text.n; n += n < 4096 ? 1 : 37) {
        struct verdict v = verify_text(fb_buf_str(&p->public_key), fb_str_n(text.p, n), fb_buf_str(&head));
        unnoticed += v.code == 0;
    }
    assert_int_equal(unnoticed, 0);
    for (unsigned i = 0; i < 400; i++) {
        size_t at = (size_t)i * (text.n - 1) / 400;
        text.p[at] = (char)(text.p[at] ^ (1 << i % 8));
        struct verdict v = verify_text(fb_buf_str(&p->public_key), fb_buf_str(&text), fb_buf_str(&head));
        unnoticed += v.code == 0;
        text.p[at] = (char)(text.p[at] ^ (1 << i % 8));
    }
    assert_int_equal(unnoticed, 0);
    /* And the writer itself notices a cut when it opens. */
    for (size_t n = 1; n < text.n; n += text.n / 16) {
        put_log(p, text.p, n);
        int fd = open(p->head, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(syscall(SYS_write, fd, head.p, head.n), (long)head.n);
        (void)close(fd);
        p->warned = 0;
        log = open_log(p);
        assert_int_equal(p->warned, 1);
        assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    }
    fb_buf_done(&text);
    fb_buf_done(&head);
}

static int heal(void **state)
{
    atomic_store(&fail_write, 0);
    atomic_store(&fail_sync, 0);
    return drop_place(state);
}

int main(void)
{
#define WITH_PLACE(f) cmocka_unit_test_setup_teardown(f, make_place, heal)
    const struct CMUnitTest tests[] = {
        WITH_PLACE(no_room_denies_leaves_no_half_line_and_recovers),
        WITH_PLACE(an_io_error_moves_on_to_a_new_file),
        WITH_PLACE(a_failed_sync_per_event_completes_nothing),
        WITH_PLACE(a_failed_sync_behind_the_calls_repeats_their_lines_in_a_new_file),
        WITH_PLACE(every_cut_and_flipped_bits_are_noticed),
        WITH_PLACE(a_really_full_file_system_denies_and_recovers), /* last: it changes the mount namespace */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
