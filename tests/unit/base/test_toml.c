/* Shows places, messages and limits of the TOML reader. The language itself is the conformance runner's. */
#include "base/toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct fb_toml_doc *parse(const char *text)
{
    struct fb_toml_doc *doc = NULL;
    struct fb_err err = { 0 };
    if (fb_toml_parse(fb_str_of(text), "f", &doc, &err) != 0)
        fail_msg("%s", err.msg);
    return doc;
}

static void refused_as(struct fb_str text, int code, const char *msg)
{
    struct fb_toml_doc *doc = NULL;
    struct fb_err err = { 0 };
    assert_int_equal(fb_toml_parse(text, "f", &doc, &err), code);
    assert_null(doc);
    if (msg != NULL)
        assert_string_equal(err.msg, msg);
}

static void every_node_knows_its_place(void **state)
{
    (void)state;
    struct fb_toml_doc *doc =
        parse("a = 1\n\n[t.u]\n  b = \"x\" # c\n\"\303\251\303\251\" = [ 1,\n  2 ]\n[[l]]\n[[l]]\nz = {q = true}\n");
    const struct fb_toml *root = fb_toml_root(doc);
    assert_string_equal(fb_toml_name(doc), "f");
    const struct fb_toml *n = fb_toml_get(root, "a");
    assert_int_equal(n->line, 1);
    assert_int_equal(n->col, 5);
    assert_int_equal(n->i, 1);
    n = fb_toml_path(root, "t.u");
    assert_int_equal(n->kind, FB_TOML_TABLE);
    assert_int_equal(n->line, 3);
    assert_int_equal(n->col, 4);
    n = fb_toml_path(root, "t.u.b");
    assert_int_equal(n->line, 4);
    assert_int_equal(n->col, 7);
    assert_true(fb_str_eqz(n->s, "x"));
    /* Columns count characters, not bytes. */
    n = fb_toml_path(root, "t.u.\303\251\303\251");
    assert_int_equal(n->line, 5);
    assert_int_equal(n->col, 8);
    assert_int_equal(n->count, 2);
    assert_int_equal(n->first->next->line, 6);
    assert_int_equal(n->first->next->col, 3);
    assert_int_equal(n->first->key.n, 0);
    n = fb_toml_get(root, "l");
    assert_int_equal(n->count, 2);
    assert_int_equal(n->first->next->line, 8);
    assert_true(fb_toml_path(n->first->next, "z.q")->b);
    assert_null(fb_toml_get(root, "nothing"));
    assert_null(fb_toml_path(root, "t.v.b"));
    assert_null(fb_toml_path(root, "a.b"));
    assert_null(fb_toml_get(NULL, "a"));
    fb_toml_free(doc);
    fb_toml_free(NULL);
}

static void messages(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *msg;
    } rows[] = {
        { "a = ", "f:1:5: expected a value, found the end of the file" },
        { "a = \n", "f:1:5: expected a value, found the end of the line" },
        { "a = yes", "f:1:5: expected a value (a string needs quotes), found 'yes'" },
        { "a 1", "f:1:3: expected '=' after the key, found '1'" },
        { "\n\n= 1", "f:3:1: expected a key, found '='" },
        { "a = 1 b = 2", "f:1:7: expected the end of the line, found 'b'" },
        { "a = 1\na = 2", "f:2:1: expected a new key, found 'a' again (first on line 1)" },
        { "[t]\n[t]", "f:2:2: expected a new key, found 't' again (first on line 1)" },
        { "a = \"x", "f:1:7: expected the closing '\"', found the end of the file" },
        { "a = 'x\n'", "f:1:7: expected the closing \"'\", found the end of the line" },
        { "a = \"\\q\"", "f:1:7: expected one of b t n f r \" \\ u U after the backslash, found 'q'" },
        { "a = \"\\ud800\"", "f:1:6: expected a Unicode scalar value, found U+D800" },
        { "a = \"\\u12\"", "f:1:10: expected four hex digits after \\u, found '\"'" },
        { "a = 01", "f:1:5: expected a value (a string needs quotes), found '01'" },
        { "a = 9223372036854775808", "f:1:5: expected an integer of 64 bits, found a larger one" },
        { "a = 1e999", "f:1:5: expected a float of 64 bits, found a larger one" },
        { "a = 2023-02-29", "f:1:5: expected a valid date or time, found '2023-02-29'" },
        { "a = [1 2]", "f:1:8: expected ',' or ']', found '2'" },
        { "a = {b = 1,}", "f:1:12: expected a key, found '}'" },
        { "[a", "f:1:3: expected '.' or ']', found the end of the file" },
        { "[[a]", "f:1:5: expected a second ']', found the end of the file" },
        { "# \x01", "f:1:3: expected text without control characters in the comment, found the character U+0001" },
        { "\303\251 = 1", "f:1:1: expected a key, found the character U+00E9" },
        { "a = 1\nb = \"\xff\"", "f:2:6: expected UTF-8 text, found the byte 0xff, which is not UTF-8" },
        { "a = \"\303\251\" x", "f:1:9: expected the end of the line, found 'x'" },
        { "\"\"\"a\"\"\" = 1", "f:1:1: expected a key of one line, found a string of several" },
    };
    for (size_t i = 0; i < FB_COUNT(rows); i++)
        refused_as(fb_str_of(rows[i].text), FB_E_PARSE, rows[i].msg);
    refused_as(FB_STR("a = \"\0\""), FB_E_PARSE, "f:1:6: expected the closing '\"', found the character U+0000");
    /* No error object is no problem. */
    struct fb_toml_doc *doc;
    assert_int_equal(fb_toml_parse(FB_STR("="), "f", &doc, NULL), FB_E_PARSE);
}

static void scalars(void **state)
{
    (void)state;
    struct fb_toml_doc *doc =
        parse("a = 0xff_ff\nb = -9223372036854775808\nc = 6.5e-1\nd = 1979-05-27 07:32:00.5z\ne = 07:32:60\n"
              "f = \"\"\"\na\\\n   b\\u00e9\"\"\"\"\"\ng = '''\n'x'''\nh = -nan\n");
    const struct fb_toml *root = fb_toml_root(doc);
    assert_int_equal(fb_toml_get(root, "a")->i, 65535);
    assert_true(fb_toml_get(root, "b")->i == INT64_MIN);
    assert_true(fb_toml_get(root, "c")->f == 0.65);
    assert_true(fb_str_eqz(fb_toml_get(root, "d")->s, "1979-05-27T07:32:00.5Z"));
    assert_int_equal(fb_toml_get(root, "d")->time_kind, FB_TOML_OFFSET_DATETIME);
    assert_int_equal(fb_toml_get(root, "e")->time_kind, FB_TOML_LOCAL_TIME);
    assert_true(fb_str_eqz(fb_toml_get(root, "f")->s, "ab\303\251\"\""));
    assert_true(fb_str_eqz(fb_toml_get(root, "g")->s, "'x"));
    assert_true(fb_toml_get(root, "h")->f != fb_toml_get(root, "h")->f);
    fb_toml_free(doc);
}

/* @front, @n times @piece, @back; caller frees. */
static char *repeat(const char *front, const char *piece, size_t n, const char *back, size_t *ret_n)
{
    size_t f = strlen(front);
    size_t p = strlen(piece);
    size_t b = strlen(back);
    char *text = malloc(f + n * p + b + 1);
    memcpy(text, front, f);
    for (size_t i = 0; i < n; i++)
        memcpy(text + f + i * p, piece, p);
    memcpy(text + f + n * p, back, b + 1);
    *ret_n = f + n * p + b;
    return text;
}

static void repeated(const char *front, const char *piece, size_t n, const char *back, int want)
{
    size_t len;
    char *text = repeat(front, piece, n, back, &len);
    struct fb_toml_doc *doc = NULL;
    struct fb_err err = { 0 };
    int rc = fb_toml_parse(fb_str_n(text, len), "f", &doc, &err);
    if (rc != want)
        fail_msg("%zu times '%s': %d %s, want %d", n, piece, rc, err.msg, want);
    fb_toml_free(doc);
    free(text);
}

static void depth_limit(void **state)
{
    (void)state;
    /* Level 1 is the key itself. */
    char text[4 * FB_TOML_DEPTH_MAX + 16];
    for (size_t depth = FB_TOML_DEPTH_MAX; depth <= FB_TOML_DEPTH_MAX + 1; depth++) {
        int want = depth == FB_TOML_DEPTH_MAX ? 0 : FB_E_LIMIT;
        size_t n = (size_t)snprintf(text, sizeof text, "a = ");
        memset(text + n, '[', depth - 1);
        text[n + depth - 1] = '1';
        memset(text + n + depth, ']', depth - 1);
        refused_as(fb_str_n(text, n), FB_E_PARSE, NULL);
        struct fb_toml_doc *doc = NULL;
        assert_int_equal(fb_toml_parse(fb_str_n(text, n + 2 * depth - 1), "f", &doc, NULL), want);
        fb_toml_free(doc);
    }
    repeated("a", ".a", FB_TOML_DEPTH_MAX - 1, " = 1", 0);
    repeated("a", ".a", FB_TOML_DEPTH_MAX, " = 1", FB_E_LIMIT);
    repeated("[a", ".a", FB_TOML_DEPTH_MAX - 1, "]", 0);
    repeated("[a", ".a", FB_TOML_DEPTH_MAX, "]", FB_E_LIMIT);
    repeated("a = ", "{a = ", FB_TOML_DEPTH_MAX, "1", FB_E_LIMIT);
    repeated("a = ", "[", 1000000, "", FB_E_LIMIT);
}

static void node_limit(void **state)
{
    (void)state;
    repeated("a = [", "1,", FB_TOML_NODES_MAX - 1, "]", 0);
    repeated("a = [", "1,", FB_TOML_NODES_MAX, "]", FB_E_LIMIT);
    repeated("", "[[a]]\n", FB_TOML_NODES_MAX - 1, "", 0);
    repeated("", "[[a]]\n", FB_TOML_NODES_MAX, "", FB_E_LIMIT);
}

static void size_limit(void **state)
{
    (void)state;
    repeated("", "#", FB_TOML_INPUT_MAX_BYTES, "", 0);
    repeated("", "#", FB_TOML_INPUT_MAX_BYTES + 1, "", FB_E_LIMIT);
    repeated("a = \"", "\\n", FB_TOML_INPUT_MAX_BYTES / 2 - 3, "\"", 0);
}

/* Many keys in one table must not take time that grows with the square of their number. */
static void a_wide_table(void **state)
{
    (void)state;
    enum { KEYS = FB_TOML_NODES_MAX };
    char *text = malloc(KEYS * 16);
    size_t n = 0;
    for (unsigned i = 0; i < KEYS; i++)
        n += (size_t)snprintf(text + n, 16, "k%u = 1\n", i);
    struct fb_toml_doc *doc = NULL;
    struct fb_err err = { 0 };
    assert_int_equal(fb_toml_parse(fb_str_n(text, n), "f", &doc, &err), 0);
    assert_int_equal(fb_toml_root(doc)->count, KEYS);
    fb_toml_free(doc);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_knows_its_place),
        cmocka_unit_test(messages),
        cmocka_unit_test(scalars),
        cmocka_unit_test(depth_limit),
        cmocka_unit_test(node_limit),
        cmocka_unit_test(size_limit),
        cmocka_unit_test(a_wide_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
