/* Any bytes as a rule file; what loads is then asked, and the index must answer as a plain look at every rule does. */
#include "enforce/glob.h"
#include "enforce/mapping.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool rule_matches(const struct fe_rule *r, const struct fe_mapping_query *q)
{
    uint64_t steps = UINT64_MAX;
    if (r->method_id != FE_METHOD_ANY && r->method_id != q->method)
        return false;
    if (r->scheme != FE_RULE_ANY_SCHEME && (r->scheme == FE_RULE_HTTPS) != q->is_https)
        return false;
    bool host = r->segment ? fe_glob_segment(r->host, q->host, ".:", &steps) == FE_GLOB_YES
                           : fe_glob_loose(r->host, q->host);
    if (!host || !r->has_path)
        return host;
    return r->segment ? fe_glob_segment(r->path, q->path, "/", &steps) == FE_GLOB_YES : fe_glob_loose(r->path, q->path);
}

static void ask(const struct fe_mapping *m, const struct fe_mapping_query *q)
{
    const struct fe_rule *best = NULL;
    for (size_t i = 0; i < fe_mapping_count(m); i++) {
        const struct fe_rule *r = fe_mapping_rule(m, i);
        if (rule_matches(r, q) && (best == NULL || r->score > best->score))
            best = r;
    }
    const struct fe_rule *found = NULL;
    int rc = fe_mapping_match(m, q, &found);
    if (rc >= 0 && found != best)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    struct fe_mapping_file file = { "fuzz", fb_str_n((const char *)data, size) };
    struct fe_mapping *m = NULL;
    struct fb_err err;
    if (fe_mapping_load(&file, 1, &m, &err) < 0)
        return 0;
    static const char *const paths[] = { "/", "/a", "/a/b", "/a/b/c", "/v1/x/y", "/repos/o/r/contents/pulls/1/reviews/2" };
    for (size_t i = 0; i < fe_mapping_count(m) && i < 16; i++) {
        const struct fe_rule *r = fe_mapping_rule(m, i);
        for (size_t p = 0; p <= FB_COUNT(paths); p++) {
            struct fe_mapping_query q = { FE_METHOD_GET, p % 2 == 0, r->host,
                                          p < FB_COUNT(paths) ? fb_str_of(paths[p]) : r->path };
            ask(m, &q);
            q.host = FB_STR("a.b.c:1");
            q.method = FE_METHOD_CONNECT;
            ask(m, &q);
        }
        (void)fe_mapping_routes_host(m, r->host);
    }
    fe_mapping_free(m);
    return 0;
}
