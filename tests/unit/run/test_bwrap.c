/* The argument list for bubblewrap, and what is made of its complaints. */
#include "run/bwrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "run/mounts_priv.h"

static struct fb_buf args_of(struct run_mounts *m, const char *(*map)(const void *, const char *))
{
    const struct run_bwrap b = { .mounts = m,
                                 .identity = { .uid_inside = 10001, .gid_inside = 10001 },
                                 .hostname = "firma",
                                 .bwrap_path = "/usr/bin/bwrap",
                                 .init_path = "/x/firma-init" };
    struct fb_buf out;
    fb_buf_init(&out, RUN_BWRAP_ARGS_MAX_BYTES);
    assert_int_equal(run_bwrap_args(&b, 7, map, NULL, &out, NULL), 0);
    for (size_t i = 0; i < out.n; i++)
        if (out.p[i] == '\0')
            out.p[i] = ' ';
    return out;
}

static void test_every_namespace_and_no_lasting_capability(void **state)
{
    (void)state;
    struct run_mounts m = { 0 };
    struct fb_buf args = args_of(&m, NULL);
    static const char *const parts[] = { "--unshare-user ", "--unshare-pid ", "--unshare-net ", "--unshare-ipc ",
                                         "--unshare-uts ", "--as-pid-1 ", "--die-with-parent ", "--cap-drop ALL ",
                                         "--uid 10001 ", "--gid 10001 ", "--hostname firma " };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        assert_non_null(strstr(args.p, parts[i]));
    assert_null(strstr(args.p, "--dev ")); /* it would add a second user namespace */
    assert_null(strstr(args.p, "--share-net"));
    assert_null(strstr(args.p, "--setenv"));
    /* The root is closed last. */
    assert_string_equal(args.p + args.n - strlen("--remount-ro / --chdir / "), "--remount-ro / --chdir / ");
    fb_buf_done(&args);
}

static const char *moved(const void *ctx, const char *source)
{
    (void)ctx;
    return strcmp(source, "/src") == 0 ? "/tmp/1" : source;
}

static void test_steps_in_order_with_their_descriptors(void **state)
{
    (void)state;
    struct run_mounts m = { 0 };
    assert_int_equal(run_mounts_add(&m, RUN_STEP_BIND, "/src", "/dst", 0, true, NULL), 0);
    assert_int_equal(run_mounts_add_data(&m, RUN_STEP_FILE, "/a", "x", 1, 0444, NULL), 0);
    assert_int_equal(run_mounts_add_data(&m, RUN_STEP_DATA_RO, "/b", "", 0, 0444, NULL), 0);
    assert_int_equal(run_mounts_add(&m, RUN_STEP_COVER, NULL, "/c", 0555, false, NULL), 0);
    assert_int_equal(run_mounts_add(&m, RUN_STEP_SYMLINK, "to", "/l", 0, false, NULL), 0);
    assert_int_equal(run_mounts_add(&m, RUN_STEP_TMPFS, NULL, "/t", 01777, false, NULL), 0);
    struct fb_buf args = args_of(&m, NULL);
    assert_non_null(strstr(args.p, "--bind /src /dst --perms 0444 --file 7 /a --perms 0444 --ro-bind-data 8 /b "
                                   "--perms 0555 --tmpfs /c --remount-ro /c --symlink to /l --perms 1777 --tmpfs /t "));
    fb_buf_done(&args);
    args = args_of(&m, moved);
    assert_non_null(strstr(args.p, "--bind /tmp/1 /dst "));
    fb_buf_done(&args);
    run_mounts_done(&m);
}

static void test_number_of_files_is_limited(void **state)
{
    (void)state;
    struct run_mounts m = { 0 };
    const struct run_bwrap b = { .mounts = &m, .hostname = "h", .init_path = "/i" };
    struct fb_buf out;
    struct fb_err err;
    fb_buf_init(&out, RUN_BWRAP_ARGS_MAX_BYTES);
    for (int i = 0; i < RUN_BWRAP_DATA_MAX; i++)
        assert_int_equal(run_mounts_add_data(&m, RUN_STEP_FILE, "/a", "x", 1, 0444, NULL), 0);
    assert_int_equal(run_bwrap_args(&b, 7, NULL, NULL, &out, &err), 0);
    assert_int_equal(run_mounts_add_data(&m, RUN_STEP_FILE, "/a", "x", 1, 0444, NULL), 0);
    assert_int_equal(run_bwrap_args(&b, 7, NULL, NULL, &out, &err), FB_E_LIMIT);
    fb_buf_done(&out);
    run_mounts_done(&m);
}

static void test_complaints_become_remedies(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        int code;
        const char *remedy;
    } cases[] = {
        { "bwrap: setting up uid map: Permission denied\n", FB_E_UNSUPPORTED_BACKEND, "unprivileged_userns_clone=1" },
        { "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted\n", FB_E_UNSUPPORTED_BACKEND, "AppArmor" },
        { "bwrap: No permissions to create new namespace, likely because ...", FB_E_UNSUPPORTED_BACKEND, "sysctl" },
        { "bwrap: Can't mount proc on /newroot/proc: Operation not permitted", FB_E_UNSUPPORTED_BACKEND, "systempaths" },
        { "bwrap: Unknown option --as-pid-1", FB_E_UNSUPPORTED_BACKEND, "0.8" },
        { "firma: /usr/bin/bwrap: No such file or directory\n", FB_E_UNSUPPORTED_BACKEND, "apt install bubblewrap" },
        { "firma: idmap: mount_setattr: Invalid argument\n", FB_E_BACKEND, "chown" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fb_err err = { 0 };
        assert_int_equal(run_bwrap_explain(cases[i].said, &err), cases[i].code);
        assert_non_null(strstr(err.remedy, cases[i].remedy));
        assert_null(strchr(err.msg, '\n'));
    }
}

static void test_unknown_complaints_are_quoted_and_silence_is_said(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    assert_int_equal(run_bwrap_explain("bwrap: something new: Oops\nmore\n", &err), FB_E_BACKEND);
    assert_non_null(strstr(err.msg, "something new: Oops"));
    assert_null(strstr(err.msg, "more"));
    err = (struct fb_err){ 0 };
    assert_int_equal(run_bwrap_explain("", &err), FB_E_BACKEND);
    assert_non_null(strstr(err.msg, "said nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_namespace_and_no_lasting_capability),
        cmocka_unit_test(test_steps_in_order_with_their_descriptors),
        cmocka_unit_test(test_number_of_files_is_limited),
        cmocka_unit_test(test_complaints_become_remedies),
        cmocka_unit_test(test_unknown_complaints_are_quoted_and_silence_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
