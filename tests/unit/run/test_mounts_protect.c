/* Names that the agent must not plant: closed where they exist, taken where they do not, out of reach of a rename. */
#include "run/mounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scratch.h"

static int plan(void **state, const char *cwd, struct run_mounts *m, struct fb_err *err)
{
    const struct run_mount mount = { *state, "/ws", false };
    const struct run_mounts_spec spec = { .home = "/home/x", .mounts = &mount, .n_mounts = 1, .cwd = cwd };
    *err = (struct fb_err){ 0 };
    return run_mounts_plan(&spec, m, err);
}

/* Kind of the last step at @target, -1 for none. */
static int kind(const struct run_mounts *m, const char *target)
{
    for (size_t i = m->n_steps; i-- > 0;)
        if (strcmp(m->steps[i].target, target) == 0)
            return (int)m->steps[i].kind;
    return -1;
}

static bool placeholder(const struct run_mounts *m, const char *end, bool is_dir)
{
    for (size_t i = 0; i < m->n_placeholders; i++) {
        const size_t n = strlen(m->placeholders[i].path);
        if (n > strlen(end) && strcmp(m->placeholders[i].path + n - strlen(end), end) == 0)
            return m->placeholders[i].is_dir == is_dir;
    }
    return false;
}

static void test_absent_names_are_taken(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    assert_int_equal(plan(state, NULL, &m, &err), 0);
    assert_int_equal(kind(&m, "/ws/.firma"), RUN_STEP_COVER);
    assert_int_equal(kind(&m, "/ws/.git"), RUN_STEP_COVER);
    assert_int_equal(kind(&m, "/ws/.vscode"), RUN_STEP_COVER);
    assert_true(placeholder(&m, "/.firma", true));
    assert_true(placeholder(&m, "/.git", true));
    run_mounts_done(&m);
}

static void test_existing_settings_are_read_only(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    scratch_dir(".claude");
    scratch_file(".mcp.json", "{}");
    scratch_dir(".firma");
    assert_int_equal(plan(state, NULL, &m, &err), 0);
    assert_int_equal(kind(&m, "/ws/.claude"), RUN_STEP_BIND_RO);
    assert_int_equal(kind(&m, "/ws/.mcp.json"), RUN_STEP_BIND_RO);
    assert_int_equal(kind(&m, "/ws/.firma"), RUN_STEP_COVER); /* the control plane is not even readable */
    assert_false(placeholder(&m, "/.claude", true));
    run_mounts_done(&m);
}

static void make_repository(const char *gitdir)
{
    char at[256];
    static const char *const dirs[] = { "hooks", "objects", "refs" };
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(at, sizeof(at), "%s/%s", gitdir, dirs[i]);
        scratch_dir(at);
    }
    (void)snprintf(at, sizeof(at), "%s/HEAD", gitdir);
    scratch_file(at, "ref: refs/heads/main\n");
    (void)snprintf(at, sizeof(at), "%s/config", gitdir);
    scratch_file(at, "[core]\n\tbare = false\n");
}

static void add_dir(char *path, size_t cap)
{
    const size_t n = strlen(path);
    (void)snprintf(path + n, cap - n, "%sd", n == 0 ? "" : "/");
}

static void test_repository_is_closed_but_usable(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    make_repository(".git");
    assert_int_equal(plan(state, NULL, &m, &err), 0);
    assert_int_equal(kind(&m, "/ws/.git"), RUN_STEP_BIND); /* a mount point: cannot be renamed; writable for commits */
    assert_int_equal(kind(&m, "/ws/.git/hooks"), RUN_STEP_BIND_RO);
    assert_int_equal(kind(&m, "/ws/.git/config"), RUN_STEP_BIND_RO);
    assert_int_equal(kind(&m, "/ws/.git/commondir"), RUN_STEP_BIND_RO);
    assert_true(placeholder(&m, "/.git/commondir", false));
    assert_int_equal(kind(&m, "/ws/.git/objects"), -1);
    run_mounts_done(&m);
}

static void test_nested_and_bare_repositories_and_submodules(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    make_repository("a/b/.git");
    make_repository("mirror");
    make_repository(".git");
    make_repository(".git/modules/sub");
    scratch_dir("sub");
    scratch_file("sub/.git", "gitdir: ../.git/modules/sub\n");
    assert_int_equal(plan(state, NULL, &m, &err), 0);
    assert_int_equal(kind(&m, "/ws/a"), RUN_STEP_BIND);
    assert_int_equal(kind(&m, "/ws/a/b"), RUN_STEP_BIND);
    assert_int_equal(kind(&m, "/ws/a/b/.git/hooks"), RUN_STEP_BIND_RO);
    assert_int_equal(kind(&m, "/ws/mirror/config"), RUN_STEP_BIND_RO);
    assert_int_equal(kind(&m, "/ws/.git/modules/sub/hooks"), RUN_STEP_BIND_RO);
    assert_int_equal(kind(&m, "/ws/sub/.git"), RUN_STEP_BIND_RO);
    run_mounts_done(&m);
}

static void test_linked_worktrees_own_directory(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    make_repository(".git");
    scratch_dir(".git/worktrees/w");
    scratch_file(".git/worktrees/w/HEAD", "ref: x\n");
    scratch_file(".git/worktrees/w/commondir", "../..\n");
    scratch_file(".git/worktrees/w/gitdir", "/ws/w/.git\n");
    assert_int_equal(plan(state, NULL, &m, &err), 0);
    assert_int_equal(kind(&m, "/ws/.git/worktrees/w/commondir"), RUN_STEP_BIND_RO);
    assert_int_equal(kind(&m, "/ws/.git/worktrees/w/gitdir"), RUN_STEP_BIND_RO);
    assert_int_equal(kind(&m, "/ws/.git/worktrees/w/config.worktree"), RUN_STEP_BIND_RO);
    run_mounts_done(&m);
}

static void test_what_the_configuration_names(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    make_repository(".git");
    scratch_dir("tools/hooks");
    scratch_file("shared.cfg", "");
    scratch_file(".git/config", "[core]\n  HooksPath = \"tools/x/../hooks\" ; ours\n[include]\n\tpath=../shared.cfg\n"
                                "[include]\npath = ../../outside\npath = ~/x\n");
    assert_int_equal(plan(state, NULL, &m, &err), 0);
    assert_int_equal(kind(&m, "/ws/tools/hooks"), RUN_STEP_BIND_RO);
    assert_int_equal(kind(&m, "/ws/tools"), RUN_STEP_BIND);
    assert_int_equal(kind(&m, "/ws/shared.cfg"), RUN_STEP_BIND_RO);
    run_mounts_done(&m);
}

static void test_nothing_writable_is_put_inside_something_closed(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    make_repository(".claude/plugin/.git");
    assert_int_equal(plan(state, NULL, &m, &err), 0);
    assert_int_equal(kind(&m, "/ws/.claude"), RUN_STEP_BIND_RO);
    assert_int_equal(kind(&m, "/ws/.claude/plugin"), -1);
    run_mounts_done(&m);
}

static void test_working_directory_below_gets_its_cover_too(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    scratch_dir("a/b");
    assert_int_equal(plan(state, "/ws/a/b", &m, &err), 0);
    assert_int_equal(kind(&m, "/ws/a/.firma"), RUN_STEP_COVER);
    assert_int_equal(kind(&m, "/ws/a/b/.firma"), RUN_STEP_COVER);
    assert_true(placeholder(&m, "/a/b/.firma", true));
    run_mounts_done(&m);
}

static void test_links_are_refused(void **state)
{
    static const char *const names[] = { ".firma", ".git", ".vscode", "firma.toml" };
    for (size_t i = 0; i < 4; i++) {
        struct run_mounts m;
        struct fb_err err;
        assert_int_equal(symlink("/nowhere", names[i]), 0);
        assert_int_equal(plan(state, NULL, &m, &err), FB_E_INSECURE);
        assert_non_null(strstr(err.msg, names[i]));
        assert_int_equal(unlink(names[i]), 0);
    }
    make_repository(".git");
    assert_int_equal(rmdir(".git/hooks"), 0);
    assert_int_equal(symlink("/nowhere", ".git/hooks"), 0);
    struct run_mounts m;
    struct fb_err err;
    assert_int_equal(plan(state, NULL, &m, &err), FB_E_INSECURE);
}

static void test_what_lies_too_deep_is_read_only(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    char at[512] = "";
    char inside[600];
    for (int i = 1; i < RUN_MOUNTS_SCAN_DEPTH_MAX; i++)
        add_dir(at, sizeof(at));
    (void)snprintf(inside, sizeof(inside), "%s/.git", at); /* the limit */
    make_repository(inside);
    assert_int_equal(plan(state, NULL, &m, &err), 0);
    (void)snprintf(inside, sizeof(inside), "/ws/%s/.git/hooks", at);
    assert_int_equal(kind(&m, inside), RUN_STEP_BIND_RO);
    run_mounts_done(&m);
    add_dir(at, sizeof(at));
    (void)snprintf(inside, sizeof(inside), "%s/x/.git", at); /* one past it */
    make_repository(inside);
    assert_int_equal(plan(state, NULL, &m, &err), 0);
    (void)snprintf(inside, sizeof(inside), "/ws/%s/x", at);
    assert_int_equal(kind(&m, inside), RUN_STEP_BIND_RO);
    run_mounts_done(&m);
}

static void test_a_flooded_workspace_is_refused_by_name(void **state)
{
    const struct run_mount mount = { *state, "/ws", false };
    struct run_mounts_spec spec = { .home = "/home/x", .mounts = &mount, .n_mounts = 1, .scan_entries_max = 3 };
    struct run_mounts m;
    struct fb_err err = { 0 };
    scratch_file("1", "");
    scratch_file("2", "");
    scratch_file("3", "");
    assert_int_equal(run_mounts_plan(&spec, &m, &err), 0); /* the limit */
    run_mounts_done(&m);
    scratch_file("4", ""); /* one past it */
    assert_int_equal(run_mounts_plan(&spec, &m, &err), FB_E_CONFIG_VALIDATION);
    assert_non_null(strstr(err.msg, *state));
}

static void test_nothing_is_bound_through_a_link(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    scratch_dir("real");
    scratch_file("real/rc", "");
    assert_int_equal(symlink("real", "lnk"), 0);
    static const char *const configs[] = { "[include]\n\tpath = ../lnk/rc\n", "[core]\n\thooksPath = lnk/../real\n",
                                           "[core] fsmonitor = lnk/rc\n", "[alias]\n x = \"!sh lnk/rc; true\"\n" };
    for (size_t i = 0; i < 4; i++) {
        make_repository("x");
        scratch_file("x/config", configs[i]);
        make_repository(".git");
        scratch_file(".git/config", configs[i]);
        assert_int_equal(plan(state, NULL, &m, &err), FB_E_INSECURE);
        assert_non_null(strstr(err.msg, "lnk"));
    }
}

static void test_programs_of_the_configuration_are_read_only(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    static const char *const programs[] = { "a", "b", "c", "d", "e", "f", "g" };
    make_repository(".git");
    scratch_dir("tool");
    scratch_dir("docs");
    for (size_t i = 0; i < 7; i++) {
        char at[32];
        (void)snprintf(at, sizeof(at), "tool/%s", programs[i]);
        scratch_file(at, "");
    }
    scratch_file("sub.cfg", "[merge \"m\"]\n driver = tool/g %A\n");
    scratch_file(".git/config",
                 "[core] fsmonitor = ./tool/a\n[filter \"x]\"] clean = tool/b -x\n[alias]\n  s = \"!python3 tool/c; true\"\n"
                 "[diff \"p\"]\ntextconv = \\\n tool/d\n[anything] key = !tool/e\n[user]\n name = tool/f\n"
                 "[remote \"o\"]\n url = ./docs\n[alias] t = !make -C docs\n[include] path = ../sub.cfg\n");
    assert_int_equal(plan(state, NULL, &m, &err), 0);
    for (size_t i = 0; i < 7; i++) {
        char at[32];
        (void)snprintf(at, sizeof(at), "/ws/tool/%s", programs[i]);
        assert_int_equal(kind(&m, at), i == 5 ? -1 : RUN_STEP_BIND_RO); /* a name is no program */
    }
    assert_int_equal(kind(&m, "/ws/docs"), -1);
    run_mounts_done(&m);
}

static void test_set_uid_files_are_read_only(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    scratch_dir("bin");
    scratch_file("bin/tool", "");
    scratch_file("bin/plain", "");
    assert_int_equal(chmod("bin/tool", 04755), 0);
    assert_int_equal(plan(state, NULL, &m, &err), 0);
    assert_int_equal(kind(&m, "/ws/bin/tool"), RUN_STEP_BIND_RO);
    assert_int_equal(kind(&m, "/ws/bin/plain"), -1);
    run_mounts_done(&m);
}

static void test_a_nested_link_does_not_stop_later_runs(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    scratch_dir("sub");
    assert_int_equal(symlink("../elsewhere", "sub/.git"), 0);
    assert_int_equal(symlink("../elsewhere", "sub/.firma"), 0);
    make_repository("bare");
    assert_int_equal(rmdir("bare/hooks"), 0);
    assert_int_equal(symlink("/nowhere", "bare/hooks"), 0);
    assert_int_equal(plan(state, NULL, &m, &err), 0);
    assert_int_equal(kind(&m, "/ws/bare"), RUN_STEP_BIND_RO); /* closed as a whole */
    run_mounts_done(&m);
}

static void test_read_only_mounts_need_no_protection(void **state)
{
    const struct run_mount mount = { *state, "/ws", true };
    const struct run_mounts_spec spec = { .home = "/home/x", .mounts = &mount, .n_mounts = 1 };
    struct run_mounts m;
    assert_int_equal(run_mounts_plan(&spec, &m, NULL), 0);
    assert_int_equal(m.n_placeholders, 0);
    run_mounts_done(&m);
}

#define T(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_absent_names_are_taken),
        T(test_existing_settings_are_read_only),
        T(test_repository_is_closed_but_usable),
        T(test_nested_and_bare_repositories_and_submodules),
        T(test_linked_worktrees_own_directory),
        T(test_what_the_configuration_names),
        T(test_nothing_writable_is_put_inside_something_closed),
        T(test_working_directory_below_gets_its_cover_too),
        T(test_links_are_refused),
        T(test_what_lies_too_deep_is_read_only),
        T(test_a_flooded_workspace_is_refused_by_name),
        T(test_nothing_is_bound_through_a_link),
        T(test_programs_of_the_configuration_are_read_only),
        T(test_set_uid_files_are_read_only),
        T(test_a_nested_link_does_not_stop_later_runs),
        T(test_read_only_mounts_need_no_protection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
