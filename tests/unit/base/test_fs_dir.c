/* Directories: private ones, parents, and removal that nothing can lead astray. */
#include "base/fs.h"

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

static int enter(void **state)
{
    char name[] = "/tmp/firma-test-dir.XXXXXX";
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

static int try_dir(const char *path, struct fb_err *err)
{
    *err = (struct fb_err){ 0 };
    int fd = fb_fs_private_dir(path, err);
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

static void it_is_made_0700_and_found_again(void **state)
{
    (void)state;
    struct fb_err err;
    struct stat st;
    mode_t before = umask(0777);
    assert_int_equal(try_dir("d", &err), 0);
    umask(before);
    assert_int_equal(stat("d", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(try_dir("d///", &err), 0);
    assert_int_equal(try_dir("no/such", &err), FB_E_IO);
    assert_int_equal(try_dir("", &err), FB_E_IO);
    assert_int_equal(try_dir("d/.", &err), FB_E_INSECURE);
    assert_int_equal(try_dir("..", &err), FB_E_INSECURE);
}

static void links_files_and_wide_modes_are_refused_by_name(void **state)
{
    (void)state;
    struct fb_err err;
    char text[200];
    assert_int_equal(mkdir("real", 0700), 0);
    assert_int_equal(symlink("real", "link"), 0);
    assert_int_equal(try_dir("link", &err), FB_E_INSECURE);
    snprintf(text, sizeof text, "'link' is a symbolic link; expected a directory with mode 0700 of uid %u", geteuid());
    assert_string_equal(err.msg, text);
    assert_int_equal(try_dir("link/", &err), FB_E_INSECURE);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_int_equal(try_dir("dangling", &err), FB_E_INSECURE);
    close(open("file", O_CREAT | O_WRONLY, 0600));
    assert_int_equal(try_dir("file", &err), FB_E_INSECURE);
    assert_int_equal(mkdir("wide", 0700), 0);
    static const mode_t wide[] = { 0710, 0701, 0770, 01777, 0740 };
    for (size_t i = 0; i < FB_COUNT(wide); i++) {
        assert_int_equal(chmod("wide", wide[i]), 0);
        assert_int_equal(try_dir("wide", &err), FB_E_INSECURE);
    }
    snprintf(text, sizeof text, "'wide' has mode 0740; expected mode 0700 and owner uid %u", geteuid());
    assert_string_equal(err.msg, text);
}

static void a_foreign_owner_is_refused(void **state)
{
    (void)state;
    struct fb_err err;
    if (geteuid() != 0)
        skip(); /* only root can give a directory away */
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(chown("d", STRANGER, STRANGER), 0);
    assert_int_equal(try_dir("d", &err), FB_E_INSECURE);
    assert_string_equal(err.msg, "'d' is owned by uid 54321; expected mode 0700 and owner uid 0");
}

static void parents_are_made_private_and_existing_ones_stay(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct stat st;
    assert_int_equal(mkdir("a", 0755), 0);
    assert_int_equal(fb_fs_make_parents("a/b//c/file", &err), 0);
    assert_int_equal(stat("a", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(stat("a/b/c", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(access("a/b/c/file", F_OK), -1);
    close(open("f", O_CREAT | O_WRONLY, 0600));
    assert_int_equal(fb_fs_make_parents("f/x", &err), FB_E_IO);
    assert_int_equal(fb_fs_make_parents("name", &err), 0);
    assert_int_equal(fb_fs_make_parents("/etc/x", &err), 0);
}

static void a_tree_goes_and_what_its_links_point_at_stays(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    assert_int_equal(mkdir("keep", 0700), 0);
    close(open("keep/file", O_CREAT | O_WRONLY, 0600));
    assert_int_equal(fb_fs_make_parents("tree/a/b/c/x", &err), 0);
    assert_int_equal(symlink("../keep", "tree/link"), 0);
    assert_int_equal(mkfifo("tree/a/fifo", 0600), 0);
    for (int i = 0; i < 500; i++) {
        char name[64];
        snprintf(name, sizeof name, "tree/a/b/%d", i);
        close(open(name, O_CREAT | O_WRONLY, 0));
    }
    assert_int_equal(fb_fs_remove_tree_at(AT_FDCWD, "tree", &err), 0);
    assert_int_equal(access("tree", F_OK), -1);
    assert_int_equal(access("keep/file", F_OK), 0);
    assert_int_equal(symlink("keep", "link"), 0);
    assert_int_equal(fb_fs_remove_tree_at(AT_FDCWD, "link", &err), 0);
    assert_int_equal(access("keep/file", F_OK), 0);
    assert_int_equal(fb_fs_remove_tree_at(AT_FDCWD, "absent", &err), 0);
    static const char *const bad[] = { "", ".", "..", "a/b", "/" };
    for (size_t i = 0; i < FB_COUNT(bad); i++)
        assert_int_equal(fb_fs_remove_tree_at(AT_FDCWD, bad[i], &err), FB_E_IO);
}

/* @levels directories below each other, the first one named "deep". */
static void make_deep(int levels)
{
    char path[1000] = "deep";
    for (int i = 0; i < levels; i++) {
        assert_int_equal(mkdir(path, 0700), 0);
        size_t n = strlen(path);
        snprintf(path + n, sizeof path - n, "/d");
    }
}

static void depth_is_removed_at_the_limit_and_refused_past_it(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    make_deep(FB_FS_TREE_DEPTH_MAX + 1);
    assert_int_equal(fb_fs_remove_tree_at(AT_FDCWD, "deep", &err), 0);
    make_deep(FB_FS_TREE_DEPTH_MAX + 2);
    assert_int_equal(fb_fs_remove_tree_at(AT_FDCWD, "deep", &err), FB_E_LIMIT);
    /* One level less, so that the test leaves nothing. */
    assert_int_equal(rename("deep/d", "rest"), 0);
    assert_int_equal(fb_fs_remove_tree_at(AT_FDCWD, "rest", &err), 0);
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, enter, leave)
    const struct CMUnitTest tests[] = {
        IN_DIR(it_is_made_0700_and_found_again),
        IN_DIR(links_files_and_wide_modes_are_refused_by_name),
        IN_DIR(a_foreign_owner_is_refused),
        IN_DIR(parents_are_made_private_and_existing_ones_stay),
        IN_DIR(a_tree_goes_and_what_its_links_point_at_stays),
        IN_DIR(depth_is_removed_at_the_limit_and_refused_past_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
