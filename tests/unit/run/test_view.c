/* What firma-init is told to find: every mount of the plan, sorted, with the file behind it; no link on the way. */
#include "run/view.h"

#include "init/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char dir[] = "/tmp/firma-view-XXXXXX";

static int enter(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL || chdir(dir) != 0 || mkdir("real", 0700) != 0)
        return -1;
    return symlink("real", "link");
}

static int leave(void **state)
{
    (void)state;
    return unlink("link") != 0 || rmdir("real") != 0 || chdir("/") != 0 ? -1 : rmdir(dir);
}

static const struct init_view_entry *entry_of(const char *map, const char *path)
{
    const struct init_view *header = (const void *)map;
    const struct init_view_entry *e = (const void *)(map + sizeof(*header));
    for (uint32_t i = 0; i < header->n_entries; i++)
        if (strcmp(map + e[i].path_offset, path) == 0)
            return &e[i];
    return NULL;
}

static void test_links_are_not_followed(void **state)
{
    (void)state;
    int fd = run_view_open("real");
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(run_view_open("link"), -1);
    assert_int_equal(errno, ELOOP);
    assert_int_equal(run_view_open("link/."), -1);
}

static void test_a_source_that_became_a_link_is_refused(void **state)
{
    (void)state;
    char source[64];
    struct fb_err err = { 0 };
    (void)snprintf(source, sizeof(source), "%s/link", dir);
    struct run_step step = { .kind = RUN_STEP_BIND, .source = source, .target = source, .from_profile = true };
    const struct run_mounts m = { .steps = &step, .n_steps = 1 };
    assert_int_equal(run_view_file(&m, "/proc/self/exe", &err), FB_E_BACKEND);
    assert_non_null(strstr(err.msg, "file system changed"));
}

static void test_every_mount_stands_there_sorted_with_its_file(void **state)
{
    (void)state;
    char source[64];
    char run_sock[] = "/var/run/x";
    char var_run[] = "/var/run";
    char text[] = "../run";
    char cover[] = "/w/.firma";
    char w[] = "/w";
    struct stat st;
    (void)snprintf(source, sizeof(source), "%s/real", dir);
    struct run_step steps[] = {
        { .kind = RUN_STEP_SYMLINK, .source = text, .target = var_run },
        { .kind = RUN_STEP_BIND, .source = source, .target = w, .from_profile = true },
        { .kind = RUN_STEP_COVER, .target = cover },
        { .kind = RUN_STEP_BIND_RO, .source = source, .target = run_sock, .from_profile = true },
    };
    const struct run_mounts m = { .steps = steps, .n_steps = 4 };
    int fd = run_view_file(&m, "/proc/self/exe", NULL);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    const size_t bytes = (size_t)st.st_size;
    char *map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_true(map != MAP_FAILED);
    const struct init_view *header = (const void *)map;
    assert_int_equal(header->magic, INIT_VIEW_MAGIC);
    assert_int_equal(header->total_bytes, bytes);
    assert_int_equal(stat(source, &st), 0);
    const struct init_view_entry *e = entry_of(map, "/w");
    assert_non_null(e);
    assert_int_equal(e->flags, INIT_VIEW_REQUIRED | INIT_VIEW_SAME);
    assert_int_equal(e->ino, st.st_ino);
    assert_int_equal(e->dev, st.st_dev);
    e = entry_of(map, "/w/.firma");
    assert_non_null(e);
    assert_int_equal(e->flags, INIT_VIEW_REQUIRED | INIT_VIEW_READ_ONLY);
    assert_non_null(entry_of(map, "/run/x")); /* behind the link that the frame itself makes */
    assert_non_null(entry_of(map, "/run/firma/init"));
    const struct init_view_entry *all = (const void *)(map + sizeof(*header));
    for (uint32_t i = 1; i < header->n_entries; i++)
        assert_true(strcmp(map + all[i - 1].path_offset, map + all[i].path_offset) < 0);
    (void)munmap(map, bytes);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links_are_not_followed),
        cmocka_unit_test(test_a_source_that_became_a_link_is_refused),
        cmocka_unit_test(test_every_mount_stands_there_sorted_with_its_file),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
