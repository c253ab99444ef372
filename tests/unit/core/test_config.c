/* firma.toml: where it is looked for, in which order, and which files are refused. */
#include "core/config.h"

#include "base/fd.h"
#include "base/fs.h"

#include <fcntl.h>
#include <stdio.h>
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

static char top[64];

static int enter(void **state)
{
    (void)state;
    snprintf(top, sizeof top, "/tmp/firma-test-config.XXXXXX");
    if (mkdtemp(top) == NULL || chdir(top) != 0)
        return -1;
    unsetenv("FIRMA_CONFIG");
    unsetenv("FIRMA_SIDECAR_CONFIG_FILE");
    unsetenv("XDG_CONFIG_HOME");
    setenv("HOME", top, 1);
    return mkdir("work", 0700);
}

static int leave(void **state)
{
    (void)state;
    int dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = chdir("/") == 0 ? fb_fs_remove_tree_at(dir, top + strlen("/tmp/"), NULL) : -1;
    close(dir);
    return r;
}

static void put(const char *path, mode_t mode, const char *text)
{
    assert_int_equal(fb_fs_make_parents(path, NULL), 0);
    unlink(path);
    assert_int_equal(fb_fs_create(path, mode, text, strlen(text), NULL), 0);
}

/* Discovers and gives the source; a failure is printed as its negative code. */
static int find(const char *explicit_path, const char *env, struct fc_config *c, struct fb_err *err)
{
    *err = (struct fb_err){ 0 };
    int r = fc_config_discover(explicit_path, env, c, err);
    if (r != 0)
        assert_null(c->doc);
    return r != 0 ? r : (int)c->source;
}

static void check_mark(const struct fc_config *c, const char *mark)
{
    const struct fb_toml *node = fb_toml_path(fb_toml_root(c->doc), "project.name");
    assert_non_null(node);
    assert_true(fb_str_eqz(node->s, mark));
}

static void nothing_found_is_no_error(void **state)
{
    (void)state;
    struct fc_config c;
    struct fb_err err;
    assert_int_equal(find(NULL, NULL, &c, &err), FC_CONFIG_NONE);
    assert_null(c.doc);
    assert_null(c.path);
    fc_config_done(&c);
    fc_config_done(&c);
    fc_config_done(NULL);
}

static void the_first_place_that_has_one_wins(void **state)
{
    (void)state;
    struct fc_config c;
    struct fb_err err;
    put(".config/firma/firma.toml", 0600, "[project]\nname = \"user\"\n");
    assert_int_equal(chdir("work"), 0);
    assert_int_equal(find(NULL, NULL, &c, &err), FC_CONFIG_USER);
    check_mark(&c, "user");
    fc_config_done(&c);

    put("../.firma/firma.toml", 0644, "[project]\nname = \"above\"\n");
    assert_int_equal(find(NULL, NULL, &c, &err), FC_CONFIG_PROJECT);
    check_mark(&c, "above");
    fc_config_done(&c);

    put(".firma/firma.toml", 0644, "[project]\nname = \"here\"\n");
    assert_int_equal(find(NULL, NULL, &c, &err), FC_CONFIG_PROJECT);
    check_mark(&c, "here");
    char dir[128];
    snprintf(dir, sizeof dir, "%s/work/.firma", top);
    assert_string_equal(c.dir, dir);
    fc_config_done(&c);

    put("env.toml", 0600, "[project]\nname = \"env\"\n");
    setenv("FIRMA_CONFIG", "env.toml", 1);
    assert_int_equal(find(NULL, "FIRMA_SIDECAR_CONFIG_FILE", &c, &err), FC_CONFIG_ENV);
    check_mark(&c, "env");
    assert_string_equal(c.path, "env.toml");
    fc_config_done(&c);

    put("sidecar.toml", 0600, "[project]\nname = \"sidecar\"\n");
    setenv("FIRMA_SIDECAR_CONFIG_FILE", "sidecar.toml", 1);
    assert_int_equal(find(NULL, "FIRMA_SIDECAR_CONFIG_FILE", &c, &err), FC_CONFIG_ENV);
    check_mark(&c, "sidecar");
    fc_config_done(&c);

    put("flag.toml", 0600, "[project]\nname = \"flag\"\n");
    assert_int_equal(find("./flag.toml", "FIRMA_SIDECAR_CONFIG_FILE", &c, &err), FC_CONFIG_FLAG);
    check_mark(&c, "flag");
    snprintf(dir, sizeof dir, "%s/work", top);
    assert_string_equal(c.dir, dir);
    fc_config_done(&c);
}

static void empty_names_count_as_not_given_and_xdg_must_be_absolute(void **state)
{
    (void)state;
    struct fc_config c;
    struct fb_err err;
    put("xdg/firma/firma.toml", 0600, "[project]\nname = \"xdg\"\n");
    put(".config/firma/firma.toml", 0600, "[project]\nname = \"home\"\n");
    setenv("FIRMA_CONFIG", "", 1);
    setenv("XDG_CONFIG_HOME", "xdg", 1);
    assert_int_equal(find("", NULL, &c, &err), FC_CONFIG_USER);
    check_mark(&c, "home");
    fc_config_done(&c);
    char dir[128];
    snprintf(dir, sizeof dir, "%s/xdg", top);
    setenv("XDG_CONFIG_HOME", dir, 1);
    assert_int_equal(find("", NULL, &c, &err), FC_CONFIG_USER);
    check_mark(&c, "xdg");
    fc_config_done(&c);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("HOME");
    assert_null(fc_config_user_path());
    assert_int_equal(find(NULL, NULL, &c, &err), FC_CONFIG_NONE);
}

static void a_selected_file_that_is_absent_or_broken_is_fatal(void **state)
{
    (void)state;
    struct fc_config c;
    struct fb_err err;
    put(".config/firma/firma.toml", 0600, "[project]\nname = \"user\"\n");
    assert_int_equal(find("gone.toml", NULL, &c, &err), FB_E_CONFIG_PARSE);
    assert_string_equal(err.msg, "failed to read config file gone.toml: cannot open 'gone.toml': No such file or directory");
    setenv("FIRMA_CONFIG", "gone.toml", 1);
    assert_int_equal(find(NULL, NULL, &c, &err), FB_E_CONFIG_PARSE);
    unsetenv("FIRMA_CONFIG");
    put(".firma/firma.toml", 0600, "[project\n");
    assert_int_equal(find(NULL, NULL, &c, &err), FB_E_CONFIG_PARSE);
    char text[128];
    snprintf(text, sizeof text, "failed to parse config file %s/.firma/firma.toml: ", top);
    assert_ptr_equal(strstr(err.msg, text), err.msg);
    assert_non_null(strstr(err.msg, "firma.toml:1:"));
}

static void size_is_read_at_the_limit_and_refused_past_it(void **state)
{
    (void)state;
    struct fc_config c;
    struct fb_err err;
    static char big[FC_CONFIG_MAX_BYTES + 2];
    memset(big, '\n', FC_CONFIG_MAX_BYTES);
    put("big.toml", 0600, big);
    assert_int_equal(find("big.toml", NULL, &c, &err), FC_CONFIG_FLAG);
    fc_config_done(&c);
    big[FC_CONFIG_MAX_BYTES] = '\n';
    put("big.toml", 0600, big);
    assert_int_equal(find("big.toml", NULL, &c, &err), FB_E_CONFIG_PARSE);
    assert_non_null(strstr(err.msg, "larger than 1048576 bytes"));
}

static void links_wide_modes_and_strangers_are_refused_by_name(void **state)
{
    (void)state;
    struct fc_config c;
    struct fb_err err;
    put("real.toml", 0600, "");
    assert_int_equal(symlink("real.toml", "link.toml"), 0);
    assert_int_equal(find("link.toml", NULL, &c, &err), FB_E_INSECURE);
    assert_string_equal(err.msg, "failed to read config file link.toml: 'link.toml' is a symbolic link");
    put("wide.toml", 0664, "");
    assert_int_equal(find("wide.toml", NULL, &c, &err), FB_E_INSECURE);
    assert_non_null(strstr(err.msg, "'wide.toml' has mode 0664"));
    assert_int_equal(mkfifo("fifo.toml", 0600), 0);
    assert_int_equal(find("fifo.toml", NULL, &c, &err), FB_E_INSECURE);
    if (geteuid() != 0)
        skip(); /* only root can give a file away */
    assert_int_equal(chown("real.toml", STRANGER, STRANGER), 0);
    assert_int_equal(find("real.toml", NULL, &c, &err), FB_E_INSECURE);
    assert_non_null(strstr(err.msg, "owned by uid 54321"));
}

static void a_planted_project_directory_is_refused_by_name(void **state)
{
    (void)state;
    struct fc_config c;
    struct fb_err err;
    put("lax/firma.toml", 0600, "");
    assert_int_equal(symlink("lax", ".firma"), 0);
    assert_int_equal(find(NULL, NULL, &c, &err), FB_E_INSECURE);
    assert_non_null(strstr(err.msg, "/.firma' is not a directory, or a link to one"));
    assert_int_equal(unlink(".firma"), 0);
    put(".firma/firma.toml", 0600, "");
    assert_int_equal(chmod(".firma", 0770), 0);
    assert_int_equal(find(NULL, NULL, &c, &err), FB_E_INSECURE);
    assert_non_null(strstr(err.msg, "/.firma' has mode 0770: group or others may write in it"));
    assert_int_equal(chmod(".firma", 0755), 0);
    assert_int_equal(find(NULL, NULL, &c, &err), FC_CONFIG_PROJECT);
    fc_config_done(&c);
    if (geteuid() != 0)
        skip(); /* only root can give a directory away */
    assert_int_equal(chown(".firma", STRANGER, STRANGER), 0);
    assert_int_equal(find(NULL, NULL, &c, &err), FB_E_INSECURE);
    assert_non_null(strstr(err.msg, "/.firma' is owned by uid 54321"));
}

static void a_project_directory_without_the_file_is_passed_over(void **state)
{
    (void)state;
    struct fc_config c;
    struct fb_err err;
    put(".firma/firma.toml", 0600, "[project]\nname = \"above\"\n");
    assert_int_equal(mkdir("work/.firma", 0700), 0);
    assert_int_equal(chdir("work"), 0);
    assert_int_equal(find(NULL, NULL, &c, &err), FC_CONFIG_PROJECT);
    check_mark(&c, "above");
    fc_config_done(&c);
}

static void unknown_sections_are_refused_and_missing_ones_named(void **state)
{
    (void)state;
    struct fc_config c;
    struct fb_err err;
    const struct fb_toml *table = NULL;
    put("f.toml", 0600, "[sidcar]\n");
    assert_int_equal(find("f.toml", NULL, &c, &err), FB_E_CONFIG_VALIDATION);
    assert_non_null(strstr(err.msg, "unknown key 'sidcar', did you mean 'sidecar'?"));
    put("f.toml", 0600, "run = 1\n[sidecar]\n");
    assert_int_equal(find("f.toml", NULL, &c, &err), FC_CONFIG_FLAG);
    assert_int_equal(fc_config_section(&c, "sidecar", &table, &err), 0);
    assert_non_null(table);
    assert_int_equal(fc_config_section(&c, "run", &table, &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(fc_config_section(&c, "authority", &table, &err), FB_E_CONFIG_VALIDATION);
    assert_string_equal(err.msg, "config file f.toml has no section [authority]");
    fc_config_done(&c);
    assert_int_equal(fc_config_section(&c, "sidecar", &table, &err), FB_E_CONFIG_VALIDATION);
}

static void sources_have_names(void **state)
{
    (void)state;
    assert_string_equal(fc_config_source_name(FC_CONFIG_NONE), "none");
    assert_string_equal(fc_config_source_name(FC_CONFIG_FLAG), "flag");
    assert_string_equal(fc_config_source_name(FC_CONFIG_ENV), "environment");
    assert_string_equal(fc_config_source_name(FC_CONFIG_PROJECT), "project");
    assert_string_equal(fc_config_source_name(FC_CONFIG_USER), "user");
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, enter, leave)
    const struct CMUnitTest tests[] = {
        IN_DIR(nothing_found_is_no_error),
        IN_DIR(the_first_place_that_has_one_wins),
        IN_DIR(empty_names_count_as_not_given_and_xdg_must_be_absolute),
        IN_DIR(a_selected_file_that_is_absent_or_broken_is_fatal),
        IN_DIR(size_is_read_at_the_limit_and_refused_past_it),
        IN_DIR(links_wide_modes_and_strangers_are_refused_by_name),
        IN_DIR(a_planted_project_directory_is_refused_by_name),
        IN_DIR(a_project_directory_without_the_file_is_passed_over),
        IN_DIR(unknown_sections_are_refused_and_missing_ones_named),
        IN_DIR(sources_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
