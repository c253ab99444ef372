/* The revocation file as the command line writes it: limits of an entry, what stands in the file already, other
 * writers. */
#include "loop_world.h"

#include "authority/revlog.h"

#include <sys/file.h>
#include <sys/wait.h>

#define ID1 "79dd9ffb-ebc8-4883-8f1e-72eb74a26e31"
#define ID2 "79dd9ffb-ebc8-4883-8f1e-72eb74a26e32"
#define NS 1000000000LL
#define NOW (1779091200LL * NS) /* 2026-05-18T08:00:00Z */

static struct loop_world w;

static int add(const char *id, const char *reason, struct fb_err *err)
{
    *err = (struct fb_err){ 0 };
    return au_revlog_file_add(world_path(&w, "r.txt"), fb_str_of(id), fb_str_of(reason), NOW, err);
}

static void has_text(const char *want)
{
    struct fb_buf text;

    fb_buf_init(&text, 1 << 20);
    assert_int_equal(fb_fs_read(world_path(&w, "r.txt"), FB_FS_ANY, &text, NULL), 0);
    assert_string_equal(text.p == NULL ? "" : text.p, want);
    fb_buf_done(&text);
}

static void a_reason_has_a_longest_length(void **state)
{
    char reason[AU_REVOCATION_REASON_MAX_BYTES + 2];
    struct fb_err err;

    (void)state;
    memset(reason, 'x', sizeof(reason));
    reason[AU_REVOCATION_REASON_MAX_BYTES] = '\0';
    assert_int_equal(add(ID1, reason, &err), 0);
    reason[AU_REVOCATION_REASON_MAX_BYTES] = 'x';
    reason[AU_REVOCATION_REASON_MAX_BYTES + 1] = '\0';
    assert_int_equal(add(ID2, reason, &err), FB_E_CONFIG_VALIDATION);
    assert_non_null(strstr(err.msg, "1024"));
}

static void what_cannot_stand_on_a_line_is_refused_before_the_file_is_touched(void **state)
{
    static const char *const reasons[] = { "a\nb", "a\tb", "a\rb", "\x01", "\x7f" };
    static const char *const ids[] = { "", "x y", "79DD9FFB-EBC8-4883-8F1E-72EB74A26E31", "../x", ID1 "\n" ID2 };
    struct fb_err err;
    struct stat st;

    (void)state;
    for (size_t i = 0; i < FB_COUNT(reasons); i++)
        assert_int_equal(add(ID1, reasons[i], &err), FB_E_CONFIG_VALIDATION);
    for (size_t i = 0; i < FB_COUNT(ids); i++)
        assert_int_equal(add(ids[i], "r", &err), FB_E_CONFIG_VALIDATION);
    assert_int_not_equal(stat(world_path(&w, "r.txt"), &st), 0);
}

static void a_last_line_without_its_end_gets_one_first(void **state)
{
    struct fb_err err;

    (void)state;
    world_write(&w, "r.txt", "# by hand");
    assert_int_equal(add(ID1, "lost", &err), 0);
    has_text("# by hand\n" ID1 "\t2026-05-18T08:00:00+00:00\tlost\n");
}

static void an_id_that_is_there_is_not_written_again_even_when_it_has_expired(void **state)
{
    struct fb_err err;

    (void)state;
    world_write(&w, "r.txt", ID1 "\t2020-01-01T00:00:00Z\told\n");
    assert_int_equal(add(ID1, "again", &err), 1);
    has_text(ID1 "\t2020-01-01T00:00:00Z\told\n");
}

static void a_file_that_others_may_write_is_refused(void **state)
{
    struct fb_err err;

    (void)state;
    world_write(&w, "r.txt", "");
    assert_int_equal(chmod(world_path(&w, "r.txt"), 0666), 0);
    assert_int_equal(add(ID1, "r", &err), FB_E_INSECURE);
    has_text("");
    assert_int_equal(unlink(world_path(&w, "r.txt")), 0);
    world_write(&w, "real", "");
    assert_int_equal(symlink("real", world_path(&w, "r.txt")), 0);
    assert_int_equal(add(ID1, "r", &err), FB_E_IO);
    assert_int_equal(unlink(world_path(&w, "r.txt")), 0);
    assert_int_equal(mkfifo(world_path(&w, "r.txt"), 0600), 0); /* refused, and nobody waits for a reader */
    assert_true(add(ID1, "r", &err) < 0);
    assert_int_equal(au_revlog_file_compact(world_path(&w, "r.txt"), NOW, 3600, &err) < 0, 1);
}

static void a_directory_that_is_missing_is_named(void **state)
{
    struct fb_err err = { 0 };

    (void)state;
    assert_int_equal(au_revlog_file_add(world_path(&w, "no/r.txt"), FB_STR(ID1), FB_STR("r"), NOW, &err), FB_E_IO);
    assert_non_null(strstr(err.msg, "no/r.txt"));
}

static void compaction_keeps_what_lives_sorted_and_normalised(void **state)
{
    struct fb_err err = { 0 };
    struct stat st;

    (void)state;
    world_write(&w, "r.txt",
                ID2
                "\t2026-05-18T09:30:00.5+02:00\tb\twith a tab\n\nnonsense line\n" ID1 "\n" ID2
                "\t2026-05-18T08:00:00Z\tsecond\n79dd9ffb-ebc8-4883-8f1e-72eb74a26e33\t2026-05-18T06:59:59Z\told\n");
    assert_int_equal(au_revlog_file_compact(world_path(&w, "r.txt"), NOW, 3600, &err), 0);
    has_text(ID1 "\t2026-05-18T08:00:00+00:00\tfile-based revocation\n" ID2
                 "\t2026-05-18T07:30:00.500+00:00\tb\twith a tab\n");
    assert_int_equal(stat(world_path(&w, "r.txt"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void a_writer_waits_for_the_lock_and_then_writes_to_the_file_that_stands_there(void **state)
{
    struct fb_err err;
    int ready[2];
    int status = -1;

    (void)state;
    world_write(&w, "r.txt", "");
    int fd = open(world_path(&w, "r.txt"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(fd); /* a copy of the lock's description */
        (void)!write(ready[1], "x", 1);
        _exit(add(ID1, "waited", &err) == 0 ? 0 : 1);
    }
    char c = 0;
    assert_int_equal(read(ready[0], &c, 1), 1);
    /* As a compaction does it: a new file takes the name while the lock on the old one is held. */
    world_write(&w, "r.new", "# compacted\n");
    assert_int_equal(rename(world_path(&w, "r.new"), world_path(&w, "r.txt")), 0);
    close(fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    has_text("# compacted\n" ID1 "\t2026-05-18T08:00:00+00:00\twaited\n");
    close(ready[0]);
    close(ready[1]);
}

static void a_line_that_no_server_would_read_is_not_written(void **state)
{
    static const char entry[] = ID1 "\t2026-05-18T08:00:00+00:00\tr\n";
    struct fb_err err;
    struct stat st;

    (void)state;
    world_write(&w, "r.txt", ""); /* blanks up to where exactly this line fits */
    int fd = open(world_path(&w, "r.txt"), O_WRONLY | O_CLOEXEC);
    char *blanks = malloc(AU_REVOCATION_FILE_MAX_BYTES);
    memset(blanks, '\n', AU_REVOCATION_FILE_MAX_BYTES);
    size_t room = AU_REVOCATION_FILE_MAX_BYTES - (sizeof(entry) - 1);
    assert_int_equal(write(fd, blanks, room + 1), (ssize_t)room + 1);
    free(blanks);
    assert_int_equal(add(ID1, "r", &err), FB_E_LIMIT);
    assert_non_null(strstr(err.msg, "is full"));
    assert_int_equal(ftruncate(fd, (off_t)room), 0);
    assert_int_equal(add(ID1, "r", &err), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, AU_REVOCATION_FILE_MAX_BYTES);
    assert_int_equal(au_revlog_file_compact(world_path(&w, "r.txt"), NOW, 3600, &err), 0); /* the way out */
    has_text(entry);
    close(fd);
}

static void a_file_with_the_most_entries_takes_no_more(void **state)
{
    struct fb_buf text;
    struct fb_err err;

    (void)state;
    fb_buf_init(&text, AU_REVOCATION_FILE_MAX_BYTES);
    for (int i = 0; i < AU_REVOCATIONS_MAX - 1; i++)
        assert_int_equal(fb_buf_addf(&text, "79dd9ffb-ebc8-4883-8f1e-%012d\n", i), 0);
    assert_int_equal(fb_buf_addc(&text, '\0'), 0);
    world_write(&w, "r.txt", text.p);
    fb_buf_done(&text);
    assert_int_equal(add(ID1, "the last", &err), 0);
    assert_int_equal(add(ID2, "one more", &err), FB_E_LIMIT);
}

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_done(&w);
    return 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_reason_has_a_longest_length),
        T(what_cannot_stand_on_a_line_is_refused_before_the_file_is_touched),
        T(a_last_line_without_its_end_gets_one_first),
        T(an_id_that_is_there_is_not_written_again_even_when_it_has_expired),
        T(a_file_that_others_may_write_is_refused),
        T(a_directory_that_is_missing_is_named),
        T(compaction_keeps_what_lives_sorted_and_normalised),
        T(a_line_that_no_server_would_read_is_not_written),
        T(a_file_with_the_most_entries_takes_no_more),
        T(a_writer_waits_for_the_lock_and_then_writes_to_the_file_that_stands_there),
    };
    return cmocka_run_group_tests_name("authority/revfile", tests, NULL, NULL);
}
