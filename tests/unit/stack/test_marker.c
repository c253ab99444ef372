/* The life of a marker: growing, published, collected; the library that lists them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <firma/sidecar_markers.h>

#include "base/fs.h"
#include "stack/marker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int enter(void **state)
{
    char name[] = "/tmp/firma-test-marker.XXXXXX";
    *state = mkdtemp(name) == NULL ? NULL : strdup(name);
    return *state == NULL ? -1 : 0;
}

static int leave(void **state)
{
    char *name = *state;
    int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fb_fs_remove_tree_at(tmp, name + 5, NULL);
    (void)close(tmp);
    free(name);
    return r;
}

static struct st_marker_meta meta_of(pid_t pid)
{
    return (struct st_marker_meta){ FB_STR("box"), FB_STR("agent"), FB_STR("sess"), FB_STR("http://a"), FB_STR("a1b2c3d4"), pid,
                                    1000000000LL * 1000000000LL };
}

static void a_marker_is_seen_only_when_it_is_whole(void **state)
{
    struct st_marker m;
    struct firma_sidecar_list list;
    assert_int_equal(st_marker_begin(&m, *state, "box", NULL), 0);
    assert_int_equal(firma_sidecar_markers_list(*state, &list, NULL), FIRMA_MARKERS_OK);
    assert_int_equal(list.count, 0);
    firma_sidecar_list_done(&list);
    struct st_marker_meta meta = meta_of(getpid());
    assert_int_equal(st_marker_publish(&m, &meta, NULL), 0);
    assert_int_equal(firma_sidecar_markers_list(*state, &list, NULL), FIRMA_MARKERS_OK);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.entries[0].sandbox_id, "box");
    assert_string_equal(list.entries[0].policy_bundle_version, "a1b2c3d4");
    assert_int_equal(list.entries[0].pid, getpid());
    assert_int_equal(list.entries[0].state, FIRMA_STATE_UNHEALTHY); /* alive, no socket */
    firma_sidecar_list_done(&list);
    struct st_marker other;
    assert_int_equal(st_marker_begin(&other, *state, "box", NULL), FB_E_CONFIG_VALIDATION);
    assert_int_equal(st_marker_done(&m, false, NULL), 0);
    assert_int_equal(st_marker_begin(&m, *state, "box", NULL), 0);
    assert_int_equal(st_marker_done(&m, false, NULL), 0);
}

static void a_dead_one_is_collected_but_not_while_its_launcher_lives(void **state)
{
    struct st_marker m;
    char **ids = NULL;
    size_t n = 9;
    assert_int_equal(st_marker_begin(&m, *state, "box", NULL), 0);
    struct st_marker_meta meta = meta_of(0x7ffffff0);
    assert_int_equal(st_marker_publish(&m, &meta, NULL), 0);
    assert_int_equal(firma_sidecar_markers_gc_stale(*state, &ids, &n, NULL), FIRMA_MARKERS_OK);
    assert_int_equal(n, 0);
    free(ids);
    assert_int_equal(st_marker_done(&m, true, NULL), 0);
    assert_int_equal(firma_sidecar_markers_gc_stale(*state, &ids, &n, NULL), FIRMA_MARKERS_OK);
    assert_int_equal(n, 1);
    assert_string_equal(ids[0], "box");
    assert_null(ids[1]);
    free(ids);
}

static void only_its_own_directory_is_removed_at_the_end(void **state)
{
    struct st_marker m;
    char old[512];
    char moved[520];
    struct stat st;
    assert_int_equal(st_marker_begin(&m, *state, "box", NULL), 0);
    struct st_marker_meta meta = meta_of(getpid());
    assert_int_equal(st_marker_publish(&m, &meta, NULL), 0);
    (void)snprintf(old, sizeof old, "%s", m.path);
    (void)snprintf(moved, sizeof moved, "%s-moved", old);
    assert_int_equal(rename(old, moved), 0);
    assert_int_equal(mkdir(old, 0700), 0); /* somebody else's by now */
    assert_int_equal(st_marker_done(&m, false, NULL), 0);
    assert_int_equal(stat(old, &st), 0);
}

static void no_run_directory_is_an_empty_list(void **state)
{
    struct firma_sidecar_list list;
    struct firma_sidecar_entry entry;
    assert_int_equal(firma_sidecar_markers_list(*state, &list, NULL), FIRMA_MARKERS_OK);
    assert_int_equal(list.count, 0);
    firma_sidecar_list_done(&list);
    assert_int_equal(firma_sidecar_markers_get(*state, "x", &entry, NULL), FIRMA_MARKERS_NONE);
    assert_int_equal(firma_sidecar_markers_get(*state, "../x", &entry, NULL), FIRMA_MARKERS_NONE);
    struct firma_markers_error error = { 0 };
    assert_int_equal(firma_sidecar_markers_probe_entry("/no/such/marker", &entry, &error), FIRMA_MARKERS_IO);
    assert_int_equal(error.kind, FIRMA_MARKERS_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_marker_is_seen_only_when_it_is_whole, enter, leave),
        cmocka_unit_test_setup_teardown(a_dead_one_is_collected_but_not_while_its_launcher_lives, enter, leave),
        cmocka_unit_test_setup_teardown(only_its_own_directory_is_removed_at_the_end, enter, leave),
        cmocka_unit_test_setup_teardown(no_run_directory_is_an_empty_list, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
