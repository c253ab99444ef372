/* A per-run Sidecar's configuration: everything of the template but what this run overrides, and it parses again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/macros.h"
#include "base/toml.h"
#include "run/template.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fb_toml_doc *parse(struct fb_str text)
{
    struct fb_toml_doc *doc = NULL;
    struct fb_err err = { 0 };
    if (fb_toml_parse(text, "t", &doc, &err) != 0)
        fail_msg("%s in: %.*s", err.msg, FB_STR_ARG(text));
    return doc;
}

/* What comes out of @text, parsed. */
static struct fb_toml_doc *rewrite(const char *text, const struct run_override *overrides, size_t n)
{
    struct fb_buf out;
    fb_buf_init(&out, RUN_TEMPLATE_MAX_BYTES);
    struct fb_toml_doc *in = text == NULL ? NULL : parse(fb_str_of(text));
    assert_int_equal(run_template_write(&out, in, "/base", overrides, n, NULL), 0);
    struct fb_toml_doc *doc = parse(fb_buf_str(&out));
    fb_buf_done(&out);
    fb_toml_free(in);
    return doc;
}

static const struct fb_toml *at(const struct fb_toml_doc *doc, const char *path)
{
    const struct fb_toml *node = fb_toml_path(fb_toml_root(doc), path);
    if (node == NULL)
        fail_msg("no %s", path);
    return node;
}

static void every_kind_of_value_survives(void **state)
{
    (void)state;
    struct fb_toml_doc *doc = rewrite("[sidecar]\ns = \"a\\\"\\n\\u0001b\"\ni = -7\nf = 1.5\nw = 2.0\nbig = 1e300\nn = nan\np = inf\nm = -inf\n"
                                      "b = true\nd = 2026-05-18T09:00:00Z\na = [1, [2], \"x\", { k = 3, \"q.r\" = [] }]\ne = {}\n"
                                      "[sidecar.t.u]\n\"strange key.\" = 1\n",
                                      NULL, 0);
    assert_true(fb_str_eqz(at(doc, "sidecar.s")->s, "a\"\n\x01" "b"));
    assert_int_equal(at(doc, "sidecar.i")->i, -7);
    assert_true(at(doc, "sidecar.f")->f == 1.5);
    assert_int_equal(at(doc, "sidecar.w")->kind, FB_TOML_FLOAT);
    assert_true(at(doc, "sidecar.big")->f == 1e300);
    assert_true(isnan(at(doc, "sidecar.n")->f));
    assert_true(isinf(at(doc, "sidecar.p")->f) && at(doc, "sidecar.p")->f > 0);
    assert_true(isinf(at(doc, "sidecar.m")->f) && at(doc, "sidecar.m")->f < 0);
    assert_true(at(doc, "sidecar.b")->b);
    assert_int_equal(at(doc, "sidecar.d")->kind, FB_TOML_DATETIME);
    assert_int_equal(at(doc, "sidecar.a")->count, 4);
    assert_int_equal(at(doc, "sidecar.e")->kind, FB_TOML_TABLE);
    const struct fb_toml *strange = at(doc, "sidecar.t.u")->first;
    assert_true(fb_str_eqz(strange->key, "strange key."));
    assert_int_equal(strange->i, 1);
    fb_toml_free(doc);
}

static void only_the_sidecar_table_is_taken(void **state)
{
    (void)state;
    struct fb_toml_doc *doc = rewrite("[authority]\nx = 1\n[run.defaults]\n[sidecar]\ny = 2\n", NULL, 0);
    assert_null(fb_toml_get(fb_toml_root(doc), "authority"));
    assert_null(fb_toml_get(fb_toml_root(doc), "run"));
    assert_int_equal(at(doc, "sidecar.y")->i, 2);
    fb_toml_free(doc);
    doc = rewrite(NULL, NULL, 0);
    assert_int_equal(at(doc, "sidecar")->count, 0);
    fb_toml_free(doc);
}

static void an_override_replaces_a_value_and_a_whole_table(void **state)
{
    static const struct run_override overrides[] = { { "a.b", "\"new\"" }, { "t", "[1]" }, { "fresh.key", "true" } };
    (void)state;
    struct fb_toml_doc *doc = rewrite("[sidecar.a]\nb = \"old\"\nkept = 1\n[sidecar.t]\nx = 1\n[sidecar.t.y]\nz = 1\n", overrides,
                                      FB_COUNT(overrides));
    assert_true(fb_str_eqz(at(doc, "sidecar.a.b")->s, "new"));
    assert_int_equal(at(doc, "sidecar.a.kept")->i, 1);
    assert_int_equal(at(doc, "sidecar.t")->kind, FB_TOML_ARRAY);
    assert_true(at(doc, "sidecar.fresh.key")->b);
    fb_toml_free(doc);
}

static void relative_paths_start_at_the_template(void **state)
{
    (void)state;
    struct fb_toml_doc *doc = rewrite("[sidecar.audit]\nsigning_key_path = \"k/a.key\"\nfile_path = \"/abs\"\nother_path = \"x\"\n"
                                      "[sidecar.policy]\ndir = \"\"\n[sidecar.mapping]\nrules_paths = [\"r1\", \"/r2\"]\n"
                                      "[sidecar.authority.credentials]\npre_shared_key_path = \"psk\"\n",
                                      NULL, 0);
    assert_true(fb_str_eqz(at(doc, "sidecar.audit.signing_key_path")->s, "/base/k/a.key"));
    assert_true(fb_str_eqz(at(doc, "sidecar.audit.file_path")->s, "/abs"));
    assert_true(fb_str_eqz(at(doc, "sidecar.audit.other_path")->s, "x"));
    assert_int_equal(at(doc, "sidecar.policy.dir")->s.n, 0);
    assert_true(fb_str_eqz(at(doc, "sidecar.mapping.rules_paths")->first->s, "/base/r1"));
    assert_true(fb_str_eqz(at(doc, "sidecar.mapping.rules_paths")->first->next->s, "/r2"));
    assert_true(fb_str_eqz(at(doc, "sidecar.authority.credentials.pre_shared_key_path")->s, "/base/psk"));
    fb_toml_free(doc);
}

/* A text that names a table @depth levels below [sidecar]. */
static int write_nested(unsigned depth)
{
    struct fb_buf text;
    struct fb_buf out;
    fb_buf_init(&text, 1 << 16);
    fb_buf_init(&out, RUN_TEMPLATE_MAX_BYTES);
    fb_buf_addz(&text, "[sidecar]\n");
    for (unsigned i = 0; i < depth; i++)
        fb_buf_addz(&text, "t.");
    fb_buf_addz(&text, "x = 1\n");
    struct fb_toml_doc *doc = parse(fb_buf_str(&text));
    int r = run_template_write(&out, doc, "/base", NULL, 0, NULL);
    fb_toml_free(doc);
    fb_buf_done(&text);
    fb_buf_done(&out);
    return r;
}

static void tables_nest_32_deep_and_not_33(void **state)
{
    (void)state;
    assert_int_equal(write_nested(32), 0);
    assert_int_equal(write_nested(33), FB_E_LIMIT);
}

static void a_key_that_is_too_long_is_refused_not_cut(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        char text[1024];
        char key[520];
        struct fb_buf out;
        memset(key, 'k', sizeof key);
        key[510 + over] = '\0'; /* 512 bytes with its quotes */
        (void)snprintf(text, sizeof text, "[sidecar]\n%s = 1\n", key);
        struct fb_toml_doc *doc = parse(fb_str_of(text));
        fb_buf_init(&out, RUN_TEMPLATE_MAX_BYTES);
        assert_int_equal(run_template_write(&out, doc, "/", NULL, 0, NULL), over ? FB_E_LIMIT : 0);
        fb_buf_done(&out);
        fb_toml_free(doc);
    }
}

static void a_full_buffer_is_refused_one_that_just_fits_is_not(void **state)
{
    static const struct run_override one = { "a", "1" };
    struct fb_buf out;
    struct fb_err err = { 0 };
    (void)state;
    fb_buf_init(&out, 4096);
    assert_int_equal(run_template_write(&out, NULL, "/", &one, 1, NULL), 0);
    size_t size = out.n;
    fb_buf_done(&out);
    fb_buf_init(&out, size);
    assert_int_equal(run_template_write(&out, NULL, "/", &one, 1, NULL), 0);
    fb_buf_done(&out);
    fb_buf_init(&out, size - 1);
    assert_int_equal(run_template_write(&out, NULL, "/", &one, 1, &err), FB_E_LIMIT);
    assert_int_equal(err.code, FB_E_LIMIT);
    fb_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_survives),
        cmocka_unit_test(only_the_sidecar_table_is_taken),
        cmocka_unit_test(an_override_replaces_a_value_and_a_whole_table),
        cmocka_unit_test(relative_paths_start_at_the_template),
        cmocka_unit_test(tables_nest_32_deep_and_not_33),
        cmocka_unit_test(a_key_that_is_too_long_is_refused_not_cut),
        cmocka_unit_test(a_full_buffer_is_refused_one_that_just_fits_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
