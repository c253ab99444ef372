/* The log from outside: order, promise after kill -9, chain over restarts and writers, refusals. */
#include "fixture.h"

#include <signal.h>
#include <sys/wait.h>

static void a_line_is_in_the_file_before_done_is_called(void **state)
{
    struct place *p = *state;
    struct fa_log *log = open_log(p);
    struct fb_buf text;
    fb_buf_init(&text, 1 << 20);
    for (int i = 1; i <= 3; i++) {
        write_events(p, log, 1);
        read_file(p->log, &text);
        int lines = 0;
        for (size_t k = 0; k < text.n; k++)
            lines += text.p[k] == '\n';
        assert_int_equal(lines, i);
    }
    struct fa_log_stats stats;
    fa_log_stats(log, &stats);
    assert_int_equal(stats.written, 3);
    assert_int_equal(stats.last_seq, 3);
    assert_int_equal(stats.in_flight, 0);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    struct stat st;
    assert_int_equal(stat(p->log, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    struct verdict v = verify_place(p);
    assert_string_equal(v.text, "");
    assert_int_equal(v.ok, 3);
    assert_int_equal(v.head_ok, 1);
    assert_int_equal(v.code, 0);
    fb_buf_done(&text);
}

static void the_chain_goes_on_over_restarts(void **state)
{
    struct place *p = *state;
    for (int run = 0; run < 3; run++) {
        struct fa_log *log = open_log(p);
        write_events(p, log, 40);
        assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    }
    struct verdict v = verify_place(p);
    assert_string_equal(v.text, "");
    assert_int_equal(v.ok, 120);
    assert_int_equal(p->warned, 0);
}

/* Writes until killed; reports each completed event through @fd. */
static void write_until_killed(struct place *p, int fd)
{
    struct fa_log *log = open_log(p);
    for (;;) {
        write_events(p, log, 3);
        if (write(fd, "ccc", 3) != 3)
            _exit(1);
    }
}

static void kill_9_loses_no_completed_call(void **state)
{
    struct place *p = *state;
    unsigned completed = 0;
    for (int run = 0; run < 10; run++) {
        int fds[2];
        char bytes[256];
        assert_int_equal(pipe(fds), 0);
        pid_t child = fork();
        if (child == 0)
            write_until_killed(p, fds[1]);
        (void)close(fds[1]);
        ssize_t n = read(fds[0], bytes, sizeof bytes);
        assert_true(n > 0);
        completed += (unsigned)n;
        for (int i = 0; i < run * 3; i++) {
            n = read(fds[0], bytes, sizeof bytes);
            completed += n > 0 ? (unsigned)n : 0;
        }
        (void)kill(child, SIGKILL);
        while ((n = read(fds[0], bytes, sizeof bytes)) > 0)
            completed += (unsigned)n;
        (void)close(fds[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    struct fa_log *log = open_log(p);
    write_events(p, log, 1);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    struct verdict v = verify_place(p);
    assert_string_equal(v.text, "");
    assert_true(v.ok >= completed + 1);
}

static void append(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

static bool exists(const struct place *p, const char *suffix)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s%s", p->log, suffix);
    return access(path, F_OK) == 0;
}

static void a_torn_last_line_is_removed_with_a_notice(void **state)
{
    struct place *p = *state;
    struct fa_log *log = open_log(p);
    write_events(p, log, 2);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    append(p->log, "{\"event_id\":\"half");
    log = open_log(p);
    assert_int_equal(p->warned, 1);
    assert_non_null(strstr(p->last_note, "torn"));
    write_events(p, log, 1);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    struct verdict v = verify_place(p);
    assert_string_equal(v.text, "");
    assert_int_equal(v.ok, 3);
}

static void cut(const struct place *p, off_t by)
{
    struct stat st;
    assert_int_equal(stat(p->log, &st), 0);
    assert_int_equal(truncate(p->log, st.st_size - by), 0);
}

static void a_cut_tail_is_noticed_at_open_and_kept_as_evidence(void **state)
{
    struct place *p = *state;
    static const off_t cuts[] = { 1, 10, 700 };
    for (size_t i = 0; i < FB_COUNT(cuts); i++) {
        char suffix[32];
        struct fa_log *log = open_log(p);
        write_events(p, log, 5);
        assert_int_equal(fa_log_close(log, 5000, NULL), 0);
        cut(p, cuts[i]);
        struct verdict v = verify_place(p);
        assert_int_equal(v.code, 1);
        assert_int_equal(v.head_bad, 1);
        p->warned = 0;
        log = open_log(p);
        assert_int_equal(p->warned, 1);
        assert_non_null(strstr(p->last_note, "does not match its signed head"));
        (void)snprintf(suffix, sizeof suffix, ".mismatch-%u", (unsigned)i + 1);
        assert_true(exists(p, suffix));
        write_events(p, log, 1);
        assert_int_equal(fa_log_close(log, 5000, NULL), 0);
        v = verify_place(p);
        assert_string_equal(v.text, "");
    }
}

static void an_altered_end_foreign_lines_and_a_foreign_head_are_noticed(void **state)
{
    struct place *p = *state;
    struct fa_log *log = open_log(p);
    write_events(p, log, 2);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    append(p->log, EXAMPLE_LINE_1 "\n");
    log = open_log(p);
    assert_non_null(strstr(p->last_note, "lines behind the head do not belong there"));
    write_events(p, log, 2);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);

    int fd = open(p->log, O_WRONLY | O_CLOEXEC);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(pwrite(fd, "X", 1, st.st_size - 30), 1);
    (void)close(fd);
    log = open_log(p);
    assert_non_null(strstr(p->last_note, "the last line that the head names is another one"));
    write_events(p, log, 2);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);

    fd = open(p->head, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, "{}\n", 3), 3);
    (void)close(fd);
    log = open_log(p);
    assert_non_null(strstr(p->last_note, "the head is not signed by this key"));
    write_events(p, log, 2);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);

    unsigned warned = p->warned;
    assert_int_equal(unlink(p->head), 0);
    log = open_log(p);
    assert_int_equal(p->warned, warned + 1);
    assert_non_null(strstr(p->last_note, "has no head file"));
    write_events(p, log, 1);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    struct verdict v = verify_place(p);
    assert_string_equal(v.text, "");
    assert_int_equal(v.ok, 3);
}

static void rotation_keeps_the_chain_and_a_removed_log_shows(void **state)
{
    struct place *p = *state;
    char old[128];
    struct fb_buf text;
    struct fb_buf newer;
    struct fb_buf head;
    (void)snprintf(old, sizeof old, "%s.1", p->log);
    fb_buf_init(&text, 1 << 20);
    fb_buf_init(&newer, 1 << 20);
    fb_buf_init(&head, 1 << 16);
    struct fa_log *log = open_log(p);
    write_events(p, log, 3);
    assert_int_equal(rename(p->log, old), 0);
    fa_log_reopen(log);
    write_events(p, log, 3);
    assert_int_equal(unlink(p->log), 0); /* without a signal: noticed before the next line */
    write_events(p, log, 1);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    read_file(old, &text);
    read_file(p->log, &newer);
    read_file(p->head, &head);
    struct fb_str pub = fb_buf_str(&p->public_key);
    struct verdict v = verify_text(pub, fb_buf_str(&newer), fb_buf_str(&head));
    assert_int_equal(v.ok, 1);
    assert_non_null(strstr(v.text, "lines 1 to 6 are missing"));
    assert_int_equal(fb_buf_adds(&text, fb_buf_str(&newer)), 0);
    v = verify_text(pub, fb_buf_str(&text), fb_buf_str(&head));
    assert_non_null(strstr(v.text, "lines 4 to 6 are missing"));
    assert_int_equal(v.head_ok, 1);
    fb_buf_done(&text);
    fb_buf_done(&newer);
    fb_buf_done(&head);
}

static void several_writers_share_one_chain(void **state)
{
    struct place *p = *state;
    enum { WRITERS = 3, EACH = 300 };
    pid_t child[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            struct place own = *p;
            if (pipe2(own.pipe, O_NONBLOCK | O_CLOEXEC) != 0)
                _exit(1);
            struct fa_log *log = open_log(&own);
            for (int k = 0; k < EACH / 3; k++)
                write_events(&own, log, 3);
            int rc = fa_log_close(log, 10000, NULL);
            _exit(rc == 0 && own.warned == 0 ? 0 : 1);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = -1;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_int_equal(status, 0);
    }
    struct verdict v = verify_place(p);
    assert_string_equal(v.text, "");
    assert_int_equal(v.ok, WRITERS * EACH);
    assert_int_equal(v.head_ok, 1);
}

static void slots_run_out_without_waiting_and_come_back(void **state)
{
    struct place *p = *state;
    struct fa_log_options o = options_of(p);
    struct fa_log *log = NULL;
    struct fa_slot *slots[8];
    struct fa_slot *more;
    struct fa_log_stats stats;
    int counts[2] = { 0, 0 };
    o.slots = 8;
    assert_int_equal(fa_log_open(&o, &log, NULL), 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(fa_log_reserve(log, &slots[i]), 0);
    assert_int_equal(fa_log_reserve(log, &more), FB_E_UNAVAILABLE);
    assert_null(more);
    fa_log_release(log, slots[3]);
    assert_int_equal(fa_log_reserve(log, &slots[3]), 0);
    struct fa_event ev = some_event("example.com/");
    for (int i = 0; i < 8; i++)
        fa_log_commit(log, slots[i], &ev, count_done, counts);
    fa_log_forget(log, slots[0]);
    assert_true(await(p, log, 8));
    assert_int_equal(counts[0], 7); /* one was forgotten; its line is there all the same */
    fa_log_stats(log, &stats);
    assert_int_equal(stats.written, 8);
    assert_true(fa_log_ready(log));
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    o.slots = FA_LOG_SLOTS_MAX + 1;
    assert_int_equal(fa_log_open(&o, &log, NULL), FB_E_LIMIT);
}

static void ids_given_by_the_caller_are_kept_and_hostile_values_do_not_break_lines(void **state)
{
    struct place *p = *state;
    struct fa_log *log = open_log(p);
    struct fa_slot *slot;
    struct fb_buf text;
    int counts[2] = { 0, 0 };
    fb_buf_init(&text, 1 << 20);
    struct fa_event ev = some_event("a\",\"decision\":1,\"x\":\"\n{}\\\xff");
    ev.event_id = FB_STR("019e3a19-6c03-7001-8000-00000000000a");
    ev.sandbox_id = FB_STR("box");
    assert_int_equal(fa_log_reserve(log, &slot), 0);
    fa_log_commit(log, slot, &ev, count_done, counts);
    assert_true(await(p, log, 1));
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    read_file(p->log, &text);
    assert_non_null(strstr(text.p, "{\"event_id\":\"019e3a19-6c03-7001-8000-00000000000a\","));
    assert_non_null(strstr(text.p, "\"sandbox_id\":\"box\""));
    assert_ptr_equal(strchr(text.p, '\n'), text.p + text.n - 1);
    struct verdict v = verify_place(p);
    assert_string_equal(v.text, "");
    fb_buf_done(&text);
}

static void per_event_sync_works_and_bad_places_are_refused(void **state)
{
    struct place *p = *state;
    struct fa_log_options o = options_of(p);
    struct fa_log *log = NULL;
    struct fb_err err = { 0 };
    struct fa_log_stats stats;
    char link[128];
    o.durability = FA_LOG_FSYNC;
    assert_int_equal(fa_log_open(&o, &log, NULL), 0);
    write_events(p, log, 1);
    write_events(p, log, 1);
    fa_log_stats(log, &stats);
    assert_true(stats.syncs >= 2);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    (void)snprintf(link, sizeof link, "%s/link", p->dir);
    assert_int_equal(symlink(p->log, link), 0);
    o.path = link;
    assert_int_equal(fa_log_open(&o, &log, &err), FB_E_INSECURE);
    assert_int_equal(chmod(p->log, 0660), 0);
    o.path = p->log;
    assert_int_equal(fa_log_open(&o, &log, &err), FB_E_INSECURE);
    o.path = "/nonexistent/audit.jsonl";
    assert_int_equal(fa_log_open(&o, &log, &err), FB_E_IO);
    o.path = p->dir;
    assert_true(fa_log_open(&o, &log, &err) < 0);
    o.path = "/dev/null";
    o.head_path = p->head;
    assert_int_equal(fa_log_open(&o, &log, &err), FB_E_INSECURE);
    o.key_pem = FB_STR("x");
    assert_int_equal(fa_log_open(&o, &log, &err), FB_E_CONFIG_VALIDATION);
    assert_non_null(strstr(err.msg, "invalid signing key"));
}

static void standard_output_gets_a_chain_of_its_own(void **state)
{
    struct place *p = *state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        struct fa_log_options o = options_of(p);
        struct fa_log *log = NULL;
        if (dup2(fds[1], STDOUT_FILENO) < 0)
            _exit(1);
        (void)close(fds[0]);
        (void)close(fds[1]);
        o.sink = FA_LOG_STDOUT;
        o.path = NULL;
        o.head_path = p->head;
        if (fa_log_open(&o, &log, NULL) < 0)
            _exit(2);
        write_events(p, log, 5);
        _exit(fa_log_close(log, 5000, NULL) == 0 ? 0 : 3);
    }
    (void)close(fds[1]);
    struct fb_buf text;
    struct fb_buf head;
    char chunk[4096];
    ssize_t n;
    int status = -1;
    fb_buf_init(&text, 1 << 20);
    fb_buf_init(&head, 1 << 16);
    while ((n = read(fds[0], chunk, sizeof chunk)) > 0)
        assert_int_equal(fb_buf_add(&text, chunk, (size_t)n), 0);
    (void)close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    read_file(p->head, &head);
    struct verdict v = verify_text(fb_buf_str(&p->public_key), fb_buf_str(&text), fb_buf_str(&head));
    assert_string_equal(v.text, "");
    assert_int_equal(v.ok, 5);
    assert_int_equal(v.head_ok, 1);
    fb_buf_done(&text);
    fb_buf_done(&head);
}

/* A reader that is gone is an error to the caller, never a signal or a lost event. */
static void a_closed_pipe_denies(void **state)
{
    struct place *p = *state;
    pid_t child = fork();
    if (child == 0) {
        struct fa_log_options o = options_of(p);
        struct fa_log *log = NULL;
        struct fa_slot *slot;
        int fds[2];
        int counts[2] = { 0, 0 };
        if (pipe(fds) != 0 || dup2(fds[1], STDOUT_FILENO) < 0)
            _exit(1);
        (void)close(fds[0]);
        (void)close(fds[1]);
        o.sink = FA_LOG_STDOUT;
        o.path = NULL;
        if (fa_log_open(&o, &log, NULL) < 0 || fa_log_reserve(log, &slot) < 0)
            _exit(2);
        struct fa_event ev = some_event("example.com/");
        fa_log_commit(log, slot, &ev, count_done, counts);
        if (!await(p, log, 1) || counts[1] != 1 || fa_log_ready(log) || fa_log_reserve(log, &slot) != FB_E_UNAVAILABLE)
            _exit(3);
        _exit(fa_log_close(log, 100, NULL) == FB_E_UNAVAILABLE ? 0 : 4);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
#define WITH_PLACE(f) cmocka_unit_test_setup_teardown(f, make_place, drop_place)
    const struct CMUnitTest tests[] = {
        WITH_PLACE(a_line_is_in_the_file_before_done_is_called),
        WITH_PLACE(the_chain_goes_on_over_restarts),
        WITH_PLACE(kill_9_loses_no_completed_call),
        WITH_PLACE(a_torn_last_line_is_removed_with_a_notice),
        WITH_PLACE(a_cut_tail_is_noticed_at_open_and_kept_as_evidence),
        WITH_PLACE(an_altered_end_foreign_lines_and_a_foreign_head_are_noticed),
        WITH_PLACE(rotation_keeps_the_chain_and_a_removed_log_shows),
        WITH_PLACE(several_writers_share_one_chain),
        WITH_PLACE(slots_run_out_without_waiting_and_come_back),
        WITH_PLACE(ids_given_by_the_caller_are_kept_and_hostile_values_do_not_break_lines),
        WITH_PLACE(per_event_sync_works_and_bad_places_are_refused),
        WITH_PLACE(standard_output_gets_a_chain_of_its_own),
        WITH_PLACE(a_closed_pipe_denies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
