/* Files: what is refused, what is atomic, what is left behind. */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { STRANGER = 54321 };

/* Each test runs inside a fresh directory. */
static int enter(void **state)
{
    char name[] = "/tmp/firma-test-fs.XXXXXX";
    if (mkdtemp(name) == NULL || chdir(name) != 0)
        return -1;
    *state = strdup(name);
    return 0;
}

static int leave(void **state)
{
    struct fb_err err = { 0 };
    char *name = *state;
    int dir = open("/tmp", O_RDONLY | O_DIRECTORY);
    int r = chdir("/") == 0 ? fb_fs_remove_tree_at(dir, name + 5, &err) : -1;
    close(dir);
    free(name);
    return r;
}

static void put(const char *path, mode_t mode, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int get(const char *path, enum fb_fs_trust trust, struct fb_err *err)
{
    struct fb_buf b;
    fb_buf_init(&b, 100);
    *err = (struct fb_err){ 0 };
    int r = fb_fs_read(path, trust, &b, err);
    fb_buf_done(&b);
    return r;
}

static int count_entries(void)
{
    DIR *d = opendir(".");
    int n = 0;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 2;
}

static void a_file_is_read_up_to_the_ceiling_and_not_past_it(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct fb_buf b;
    put("f", 0600, "12345");
    fb_buf_init(&b, 5);
    assert_int_equal(fb_fs_read("f", FB_FS_PRIVATE, &b, &err), 0);
    assert_string_equal(b.p, "12345");
    fb_buf_done(&b);
    fb_buf_init(&b, 4);
    assert_int_equal(fb_fs_read("f", FB_FS_PRIVATE, &b, &err), FB_E_LIMIT);
    fb_buf_done(&b);
    put("empty", 0600, "");
    fb_buf_init(&b, 0);
    assert_int_equal(fb_fs_read("empty", FB_FS_ANY, &b, &err), 0);
    fb_buf_done(&b);
}

static void an_absent_file_tells_enoent(void **state)
{
    (void)state;
    struct fb_err err;
    assert_int_equal(get("nothing", FB_FS_ANY, &err), FB_E_IO);
    assert_int_equal(err.os_errno, ENOENT);
    assert_non_null(strstr(err.msg, "'nothing'"));
}

static void links_are_followed_only_where_nothing_is_trusted(void **state)
{
    (void)state;
    struct fb_err err;
    put("f", 0600, "x");
    assert_int_equal(symlink("f", "link"), 0);
    assert_int_equal(get("link", FB_FS_ANY, &err), 0);
    assert_int_equal(get("link", FB_FS_OWNED, &err), FB_E_INSECURE);
    assert_string_equal(err.msg, "'link' is a symbolic link");
}

static void a_fifo_a_directory_and_a_device_are_refused_at_once(void **state)
{
    (void)state;
    struct fb_err err;
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(get("fifo", FB_FS_ANY, &err), FB_E_INSECURE);
    assert_string_equal(err.msg, "'fifo' is not a regular file");
    assert_int_equal(get(".", FB_FS_ANY, &err), FB_E_INSECURE);
    assert_int_equal(get("/dev/zero", FB_FS_OWNED, &err), FB_E_INSECURE);
}

static void wide_modes_and_foreign_owners_are_refused(void **state)
{
    (void)state;
    struct fb_err err;
    put("f", 0620, "x");
    assert_int_equal(get("f", FB_FS_ANY, &err), 0);
    assert_int_equal(get("f", FB_FS_OWNED, &err), FB_E_INSECURE);
    assert_non_null(strstr(err.msg, "mode 0620"));
    put("f", 0602, "x");
    assert_int_equal(get("f", FB_FS_OWNED, &err), FB_E_INSECURE);
    put("f", 0644, "x");
    assert_int_equal(get("f", FB_FS_OWNED, &err), 0);
    assert_int_equal(get("f", FB_FS_PRIVATE, &err), FB_E_INSECURE);
    put("f", 0600, "x");
    assert_int_equal(get("f", FB_FS_PRIVATE, &err), 0);
    if (geteuid() != 0)
        skip(); /* only root can give a file away */
    assert_int_equal(chown("f", STRANGER, STRANGER), 0);
    assert_int_equal(get("f", FB_FS_ANY, &err), 0);
    assert_int_equal(get("f", FB_FS_OWNED, &err), FB_E_INSECURE);
    assert_string_equal(err.msg, "'f' is owned by uid 54321; expected uid 0 or root");
}

static void create_makes_once_with_the_exact_mode(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct stat st;
    mode_t before = umask(0777);
    assert_int_equal(fb_fs_create("new", 0640, "x", 1, &err), 0);
    umask(before);
    assert_int_equal(stat("new", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(fb_fs_create("new", 0600, "y", 1, &err), FB_E_EXISTS);
    assert_int_equal(symlink("elsewhere", "link"), 0);
    assert_int_equal(fb_fs_create("link", 0600, "y", 1, &err), FB_E_EXISTS);
    assert_int_equal(access("elsewhere", F_OK), -1);
    assert_int_equal(fb_fs_create("no/such", 0600, "y", 1, &err), FB_E_IO);
    assert_int_equal(fb_fs_create("dir/", 0600, "y", 1, &err), FB_E_IO);
}

static void a_replacement_is_whole_and_leaves_no_temporary_file(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct stat st;
    put("target", 0600, "untouched");
    assert_int_equal(symlink("target", "f"), 0);
    assert_int_equal(fb_fs_write_atomic("./f", 0644, "new", 3, &err), 0);
    assert_int_equal(lstat("f", &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(stat("target", &st), 0);
    assert_int_equal(st.st_size, 9);
    assert_int_equal(fb_fs_write_atomic("f", 0600, "again", 5, &err), 0);
    assert_int_equal(fb_fs_write_atomic_at(AT_FDCWD, "f", 0600, "", 0, true, &err), 0);
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(count_entries(), 2);
}

static void a_failed_replacement_leaves_no_temporary_file(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(fb_fs_write_atomic("d", 0600, "x", 1, &err), FB_E_IO);
    assert_int_equal(count_entries(), 1);
    assert_int_equal(fb_fs_write_atomic_at(AT_FDCWD, "a/b", 0600, "x", 1, true, &err), FB_E_IO);
    assert_int_equal(fb_fs_write_atomic("d/", 0600, "x", 1, &err), FB_E_IO);
}

static void paths_join_and_split(void **state)
{
    (void)state;
    static const char *const joins[][3] = { { "/a", "b", "/a/b" }, { "/a/", "b", "/a/b" }, { "/a", "/b", "/b" },
                                            { "/a", "", "" }, { "", "b", "b" }, { "/", "b", "/b" } };
    for (size_t i = 0; i < FB_COUNT(joins); i++) {
        char *p = fb_fs_join(joins[i][0], joins[i][1]);
        assert_string_equal(p, joins[i][2]);
        free(p);
    }
    static const char *const dirs[][2] = { { "/a/b", "/a" }, { "a", "." }, { "/a", "/" }, { "//a", "/" }, { "a//b", "a" }, { "a/", "a" } };
    for (size_t i = 0; i < FB_COUNT(dirs); i++) {
        char *p = fb_fs_dirname(dirs[i][0]);
        assert_string_equal(p, dirs[i][1]);
        free(p);
    }
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, enter, leave)
    const struct CMUnitTest tests[] = {
        IN_DIR(a_file_is_read_up_to_the_ceiling_and_not_past_it),
        IN_DIR(an_absent_file_tells_enoent),
        IN_DIR(links_are_followed_only_where_nothing_is_trusted),
        IN_DIR(a_fifo_a_directory_and_a_device_are_refused_at_once),
        IN_DIR(wide_modes_and_foreign_owners_are_refused),
        IN_DIR(create_makes_once_with_the_exact_mode),
        IN_DIR(a_replacement_is_whole_and_leaves_no_temporary_file),
        IN_DIR(a_failed_replacement_leaves_no_temporary_file),
        IN_DIR(paths_join_and_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
