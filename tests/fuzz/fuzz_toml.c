/* TOML: no input crashes, every accepted tree is whole, every string survives being quoted and read again. */
#include "fuzz.h"

#include "base/buf.h"
#include "base/toml.h"

static void quoted_again(struct fb_str s)
{
    struct fb_buf b;
    fb_buf_init(&b, FB_TOML_INPUT_MAX_BYTES);
    fb_buf_addz(&b, "k = ");
    if (fb_toml_quote(&b, s) == 0) {
        struct fb_toml_doc *doc = NULL;
        FUZZ_CHECK(fb_toml_parse(fb_buf_str(&b), "q", &doc, NULL) == 0);
        FUZZ_CHECK(fb_str_eq(fb_toml_get(fb_toml_root(doc), "k")->s, s));
        fb_toml_free(doc);
    }
    fb_buf_done(&b);
}

/* The reader bounds the depth, so this recursion is bounded too. */
static void walk(const struct fb_toml *node, unsigned depth)
{
    size_t count = 0;
    FUZZ_CHECK(depth <= FB_TOML_DEPTH_MAX);
    FUZZ_CHECK(node->line >= 1 && node->col >= 1);
    for (const struct fb_toml *m = node->first; m != NULL; m = m->next) {
        FUZZ_CHECK((node->kind == FB_TOML_TABLE) == (m->key.p != NULL));
        walk(m, depth + 1);
        count++;
    }
    FUZZ_CHECK(count == node->count);
    FUZZ_CHECK(count == 0 || node->kind == FB_TOML_TABLE || node->kind == FB_TOML_ARRAY);
    if (node->kind == FB_TOML_STRING)
        quoted_again(node->s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fb_toml_doc *doc = NULL;
    struct fb_err err = { 0 };
    int rc = fb_toml_parse(fb_str_n((const char *)data, size), "in", &doc, &err);
    if (rc == 0) {
        walk(fb_toml_root(doc), 0);
    } else {
        FUZZ_CHECK(doc == NULL && err.code == rc);
        FUZZ_CHECK(rc != FB_E_PARSE || strncmp(err.msg, "in:", 3) == 0);
    }
    fb_toml_free(doc);
    return 0;
}
