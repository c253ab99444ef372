/* Watching directories: what is told, once a burst; several watchers on one descriptor; directories that move or
 * vanish. */
#include "loop_world.h"

#include "authority/dirwatch.h"

#include <dirent.h>

struct seen {
    struct loop_world *world;
    unsigned calls;
    unsigned replaced;
    unsigned stop_at; /* calls after which the loop ends; 0: never */
};

static void on_change(void *arg, bool replaced)
{
    struct seen *s = arg;

    s->calls++;
    s->replaced += replaced ? 1 : 0;
    if (s->stop_at != 0 && s->calls >= s->stop_at)
        fb_loop_stop(s->world->loop);
}

static void on_tick(void *arg)
{
    fb_loop_stop(arg);
}

/* Lets the loop go on for @ms: long enough for what must not come. */
static void linger(struct loop_world *w, uint64_t ms)
{
    struct fb_timer *t = NULL;

    assert_int_equal(fb_timer_new(w->loop, on_tick, w->loop, &t, NULL), 0);
    fb_timer_start(t, ms, 0);
    world_run(w);
    fb_timer_free(t);
}

/* Inotify descriptors of this process. */
static unsigned count_inotify(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char target[64] = "";
        if (readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1) > 0 &&
            strcmp(target, "anon_inode:inotify") == 0)
            n++;
    }
    closedir(dir);
    return n;
}

static void three_watchers_cost_one_descriptor(void **state)
{
    struct loop_world w;
    struct au_dirhub *hub = NULL;
    struct seen s = { .world = &w };

    (void)state;
    world_init(&w);
    world_mkdir(&w, "a");
    unsigned before = count_inotify();
    assert_int_equal(au_dirhub_new(w.loop, 0, &hub, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, w.dir, NULL, on_change, &s, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, world_path(&w, "a"), NULL, on_change, &s, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, world_path(&w, "a"), "x", on_change, &s, NULL), 0);
    assert_int_equal(count_inotify(), before + 1);
    au_dirhub_free(hub);
    assert_int_equal(count_inotify(), before);
    world_done(&w);
}

static void a_burst_is_told_once_to_the_watcher_of_its_directory_only(void **state)
{
    struct loop_world w;
    struct au_dirhub *hub = NULL;
    struct seen a = { .world = &w, .stop_at = 1 };
    struct seen b = { .world = &w };

    (void)state;
    world_init(&w);
    world_mkdir(&w, "a");
    world_mkdir(&w, "b");
    assert_int_equal(au_dirhub_new(w.loop, 0, &hub, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, world_path(&w, "a"), NULL, on_change, &a, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, world_path(&w, "b"), NULL, on_change, &b, NULL), 0);
    for (int i = 0; i < 20; i++)
        world_write(&w, "a/x.cedar", "y");
    world_run(&w);
    linger(&w, 3 * AU_DIRWATCH_QUIET_MS);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.replaced, 0);
    assert_int_equal(b.calls, 0);
    assert_int_equal(unlink(world_path(&w, "a/x.cedar")), 0);
    a.stop_at = 2;
    world_run(&w);
    assert_int_equal(a.calls, 2);
    au_dirhub_free(hub);
    world_done(&w);
}

static void watchers_that_share_a_directory_are_both_told_and_a_name_narrows(void **state)
{
    struct loop_world w;
    struct au_dirhub *hub = NULL;
    struct seen all = { .world = &w };
    struct seen also = { .world = &w };
    struct seen one = { .world = &w, .stop_at = 1 };

    (void)state;
    world_init(&w);
    assert_int_equal(au_dirhub_new(w.loop, 0, &hub, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, w.dir, NULL, on_change, &all, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, w.dir, "revocations.txt", on_change, &one, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, w.dir, NULL, on_change, &also, NULL), 0);
    world_write(&w, "other.txt", "");
    linger(&w, 3 * AU_DIRWATCH_QUIET_MS);
    assert_int_equal(all.calls, 1);
    assert_int_equal(also.calls, 1);
    assert_int_equal(one.calls, 0);
    world_write(&w, "revocations.txt", "x");
    world_run(&w);
    assert_int_equal(one.calls, 1);
    au_dirhub_free(hub);
    world_done(&w);
}

static void a_directory_that_is_replaced_is_found_again_by_all_that_share_it(void **state)
{
    struct loop_world w;
    struct au_dirhub *hub = NULL;
    struct seen a = { .world = &w, .stop_at = 1 };
    struct seen b = { .world = &w };

    (void)state;
    world_init(&w);
    world_mkdir(&w, "a");
    world_mkdir(&w, "fresh");
    assert_int_equal(au_dirhub_new(w.loop, 0, &hub, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, world_path(&w, "a"), NULL, on_change, &b, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, world_path(&w, "a"), NULL, on_change, &a, NULL), 0);
    assert_int_equal(rename(world_path(&w, "a"), world_path(&w, "old")), 0);
    assert_int_equal(rename(world_path(&w, "fresh"), world_path(&w, "a")), 0);
    world_run(&w);
    linger(&w, 3 * AU_DIRWATCH_QUIET_MS);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.replaced, 1);
    assert_int_equal(b.replaced, 1);
    world_write(&w, "old/x", ""); /* of the directory before: nobody's */
    linger(&w, 3 * AU_DIRWATCH_QUIET_MS);
    assert_int_equal(a.calls, 1);
    world_write(&w, "a/x", "");
    a.stop_at = 2;
    world_run(&w);
    assert_int_equal(a.replaced, 1);
    au_dirhub_free(hub);
    world_done(&w);
}

static void a_directory_that_vanished_is_looked_for_until_it_is_back(void **state)
{
    struct loop_world w;
    struct au_dirhub *hub = NULL;
    struct seen a = { .world = &w, .stop_at = 1 };

    (void)state;
    world_init(&w);
    world_mkdir(&w, "a");
    assert_int_equal(au_dirhub_new(w.loop, 0, &hub, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, world_path(&w, "a"), NULL, on_change, &a, NULL), 0);
    assert_int_equal(rmdir(world_path(&w, "a")), 0);
    linger(&w, 3 * AU_DIRWATCH_QUIET_MS);
    assert_int_equal(a.calls, 0);
    world_mkdir(&w, "a");
    world_run(&w);
    assert_int_equal(a.replaced, 1);
    au_dirhub_free(hub);
    world_done(&w);
}

static void with_a_delay_each_is_told_once_and_follows_its_directory_through_a_rename(void **state)
{
    struct loop_world w;
    struct au_dirhub *hub = NULL;
    struct seen a = { .world = &w, .stop_at = 1 };

    (void)state;
    world_init(&w);
    world_mkdir(&w, ".new-x");
    world_mkdir(&w, ".new-x/a");
    assert_int_equal(au_dirhub_new(w.loop, AU_DIRWATCH_QUIET_MS, &hub, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, world_path(&w, ".new-x/a"), NULL, on_change, &a, NULL), 0);
    assert_int_equal(rename(world_path(&w, ".new-x"), world_path(&w, "x")), 0);
    world_run(&w);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.replaced, 0);
    world_write(&w, "x/a/f", "");
    a.stop_at = 2;
    world_run(&w);
    assert_int_equal(a.replaced, 0);
    au_dirhub_free(hub);
    world_done(&w);
}

static void nothing_is_told_after_stop(void **state)
{
    struct loop_world w;
    struct au_dirhub *hub = NULL;
    struct seen a = { .world = &w };

    (void)state;
    world_init(&w);
    assert_int_equal(au_dirhub_new(w.loop, 0, &hub, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, w.dir, NULL, on_change, &a, NULL), 0);
    assert_int_equal(au_dirwatch_add(hub, w.dir, "x", on_change, &a, NULL), 0);
    world_write(&w, "x", "");
    au_dirhub_stop(hub);
    world_write(&w, "x", "y");
    linger(&w, 3 * AU_DIRWATCH_QUIET_MS);
    assert_int_equal(a.calls, 0);
    au_dirhub_free(hub);
    au_dirhub_stop(NULL);
    au_dirhub_free(NULL);
    world_done(&w);
}

static void what_is_no_directory_is_refused_by_name(void **state)
{
    struct loop_world w;
    struct au_dirhub *hub = NULL;
    struct seen a = { .world = &w };
    struct fb_err err = { 0 };

    (void)state;
    world_init(&w);
    world_write(&w, "file", "");
    for (uint64_t delay_ms = 0; delay_ms <= 50; delay_ms += 50) {
        assert_int_equal(au_dirhub_new(w.loop, delay_ms, &hub, NULL), 0);
        assert_int_equal(au_dirwatch_add(hub, world_path(&w, "nowhere"), NULL, on_change, &a, &err), FB_E_IO);
        assert_non_null(strstr(err.msg, "/nowhere'"));
        assert_int_equal(au_dirwatch_add(hub, world_path(&w, "file"), NULL, on_change, &a, &err), FB_E_IO);
        assert_non_null(strstr(err.msg, "/file'"));
        au_dirhub_free(hub);
    }
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_watchers_cost_one_descriptor),
        cmocka_unit_test(a_burst_is_told_once_to_the_watcher_of_its_directory_only),
        cmocka_unit_test(watchers_that_share_a_directory_are_both_told_and_a_name_narrows),
        cmocka_unit_test(a_directory_that_is_replaced_is_found_again_by_all_that_share_it),
        cmocka_unit_test(a_directory_that_vanished_is_looked_for_until_it_is_back),
        cmocka_unit_test(with_a_delay_each_is_told_once_and_follows_its_directory_through_a_rename),
        cmocka_unit_test(nothing_is_told_after_stop),
        cmocka_unit_test(what_is_no_directory_is_refused_by_name),
    };
    return cmocka_run_group_tests_name("authority/dirwatch", tests, NULL, NULL);
}
