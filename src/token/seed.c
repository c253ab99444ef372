/* Seed files: writing, and reading without believing the mirror. */
#include "token/seed.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/toml.h"
#include "token/scope.h"

#include <stdlib.h>

void tk_seed_done(struct tk_seed *s)
{
    if (s == NULL)
        return;
    free(s->raw_token);
    tk_claims_done(&s->claims);
    *s = (struct tk_seed){ 0 };
}

/* The mirror as it stands in the file; views into the document. */
struct mirror {
    struct fb_str raw_token;
    struct fb_str token_id;
    struct fb_str agent_id;
    struct fb_str session_id;
    struct fb_str resource_scope;
    struct fb_str issued_at;
    struct fb_str expiry;
    struct fb_str context_hash;
    const struct fb_toml *action_set;
    bool has_budget_ceiling;
    double budget_ceiling;
};

static int want_text(const struct fb_toml_doc *d, const char *key, struct fb_str *ret, struct fb_err *err)
{
    const struct fb_toml *node = fb_toml_get(fb_toml_root(d), key);
    if (node == NULL)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "%s: key '%s' is missing", fb_toml_name(d), key);
    return fb_toml_want_str(d, node, ret, err);
}

static int read_mirror(const struct fb_toml_doc *d, struct mirror *m, struct fb_err *err)
{
    static const char *const keys[] = { "raw_token",    "token_id",       "agent_id",  "session_id",
                                        "action_set",   "resource_scope", "issued_at", "expiry",
                                        "context_hash", "budget_ceiling", NULL };
    const struct fb_toml *root = fb_toml_root(d);
    int rc = fb_toml_only_keys(d, root, "", keys, err);
    struct {
        const char *key;
        struct fb_str *to;
    } texts[] = {
        { "raw_token", &m->raw_token },
        { "token_id", &m->token_id },
        { "agent_id", &m->agent_id },
        { "session_id", &m->session_id },
        { "resource_scope", &m->resource_scope },
        { "issued_at", &m->issued_at },
        { "expiry", &m->expiry },
        { "context_hash", &m->context_hash },
    };
    for (size_t i = 0; rc == 0 && i < FB_COUNT(texts); i++)
        rc = want_text(d, texts[i].key, texts[i].to, err);
    if (rc < 0)
        return rc;
    m->action_set = fb_toml_get(root, "action_set");
    if (m->action_set == NULL)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "%s: key 'action_set' is missing", fb_toml_name(d));
    rc = fb_toml_want_str_array(d, m->action_set, err);
    const struct fb_toml *ceiling = fb_toml_get(root, "budget_ceiling");
    m->has_budget_ceiling = ceiling != NULL;
    return rc < 0 ? rc : fb_toml_want_f64(d, ceiling, &m->budget_ceiling, err);
}

static bool same_actions(const struct mirror *m, const struct tk_claims *c)
{
    if (m->action_set->count != c->n_actions)
        return false;
    const struct fb_toml *item = m->action_set->first;
    for (size_t i = 0; i < c->n_actions; i++, item = item->next)
        if (!fb_str_eq(item->s, c->action_set[i]))
            return false;
    return true;
}

/* The same instant may be written in several ways. */
static bool same_time(struct fb_str text, int64_t ns)
{
    int64_t read;
    return fb_clock_parse(text, &read, NULL) == 0 && read == ns;
}

/* Name of the first key that differs, NULL when all agree. */
static const char *differing_key(const struct mirror *m, const struct tk_claims *c)
{
    if (!fb_str_eq(m->token_id, c->token_id))
        return "token_id";
    if (!fb_str_eq(m->agent_id, c->agent_id))
        return "agent_id";
    if (!fb_str_eq(m->session_id, c->session_id))
        return "session_id";
    if (!same_actions(m, c))
        return "action_set";
    if (!fb_str_eq(m->resource_scope, c->resource_scope))
        return "resource_scope";
    if (!same_time(m->issued_at, c->issued_at_ns))
        return "issued_at";
    if (!same_time(m->expiry, c->expiry_ns))
        return "expiry";
    if (!fb_str_eq(m->context_hash, c->context_hash))
        return "context_hash";
    if (m->has_budget_ceiling != c->has_budget_ceiling)
        return "budget_ceiling";
    /* Written once and read back: anything but the same bits is an edit. */
    if (c->has_budget_ceiling && memcmp(&m->budget_ceiling, &c->budget_ceiling, sizeof c->budget_ceiling) != 0)
        return "budget_ceiling";
    return NULL;
}

static int settle(int code, enum tk_fault fault, enum tk_fault *ret_fault, struct fb_err *err)
{
    if (ret_fault != NULL)
        *ret_fault = fault;
    return fb_err_recode(err, code);
}

static int load(const struct fb_toml_doc *doc, const char *name, const struct tk_public_key *key, int64_t now_ns,
                int64_t leeway_ns, struct tk_seed *ret, enum tk_fault *ret_fault, struct fb_err *err)
{
    struct mirror m = { 0 };
    enum tk_fault fault;
    if (read_mirror(doc, &m, err) < 0) {
        (void)fb_err_wrap(err, "failed to parse capability seed '%s'", name);
        return settle(FB_E_CAPABILITY, TK_FAULT_SEED_FORMAT, ret_fault, err);
    }
    int rc = tk_token_verify(key, m.raw_token, now_ns, leeway_ns, &ret->claims, &fault, err);
    if (rc < 0) {
        (void)fb_err_wrap(err, "invalid capability seed '%s': raw_token failed PASETO verification", name);
        return settle(rc, fault, ret_fault, err);
    }
    const char *differs = differing_key(&m, &ret->claims);
    if (differs != NULL) {
        (void)fb_err_set(err, FB_E_TOKEN_INVALID,
                         "invalid capability seed '%s': raw_token claims do not match seed claims: key '%s' differs",
                         name, differs);
        return settle(FB_E_TOKEN_INVALID, TK_FAULT_SEED_MISMATCH, ret_fault, err);
    }
    if (tk_scope_check(ret->claims.resource_scope, err) < 0) {
        (void)fb_err_wrap(err, "invalid capability seed '%s'", name);
        return settle(FB_E_TOKEN_INVALID, TK_FAULT_MALFORMED, ret_fault, err);
    }
    ret->raw_token = fb_str_dupz(m.raw_token);
    if (ret->raw_token == NULL) {
        (void)fb_err_set(err, FB_E_NOMEM, "out of memory");
        return settle(FB_E_NOMEM, TK_FAULT_INTERNAL, ret_fault, err);
    }
    if (ret_fault != NULL)
        *ret_fault = TK_FAULT_NONE;
    return 0;
}

int tk_seed_parse(struct fb_str text, const char *name, const struct tk_public_key *key, int64_t now_ns,
                  int64_t leeway_ns, struct tk_seed *ret, enum tk_fault *ret_fault, struct fb_err *err)
{
    struct fb_toml_doc *doc = NULL;
    *ret = (struct tk_seed){ 0 };
    int rc = text.n > TK_SEED_MAX_BYTES ? fb_err_set(err, FB_E_LIMIT, "longer than %d bytes", TK_SEED_MAX_BYTES)
                                        : fb_toml_parse(text, name, &doc, err);
    if (rc < 0) {
        (void)fb_err_wrap(err, "failed to parse capability seed '%s'", name);
        return settle(rc == FB_E_NOMEM ? rc : FB_E_CAPABILITY, TK_FAULT_SEED_FORMAT, ret_fault, err);
    }
    rc = load(doc, name, key, now_ns, leeway_ns, ret, ret_fault, err);
    fb_toml_free(doc);
    if (rc < 0)
        tk_seed_done(ret);
    return rc;
}

int tk_seed_read(const char *path, const struct tk_public_key *key, int64_t now_ns, int64_t leeway_ns,
                 struct tk_seed *ret, enum tk_fault *ret_fault, struct fb_err *err)
{
    struct fb_buf text;
    *ret = (struct tk_seed){ 0 };
    fb_buf_init_secret(&text, TK_SEED_MAX_BYTES);
    int rc = fb_fs_read(path, FB_FS_OWNED, &text, err);
    if (rc < 0) {
        (void)fb_err_wrap(err, "failed to read capability seed '%s'", path);
        rc = settle(rc == FB_E_NOMEM ? rc : FB_E_CAPABILITY, TK_FAULT_SEED_READ, ret_fault, err);
    } else {
        rc = tk_seed_parse(fb_buf_str(&text), path, key, now_ns, leeway_ns, ret, ret_fault, err);
    }
    fb_buf_done(&text);
    return rc;
}

static void put_text(struct fb_buf *out, const char *key, struct fb_str value)
{
    (void)fb_buf_addz(out, key);
    (void)fb_buf_addz(out, " = ");
    (void)fb_toml_quote(out, value);
    (void)fb_buf_addc(out, '\n');
}

static void put_time(struct fb_buf *out, const char *key, int64_t ns)
{
    char text[FB_CLOCK_TEXT_BYTES];
    fb_clock_format_min(text, ns);
    put_text(out, key, fb_str_of(text));
}

int tk_seed_format(struct fb_buf *out, struct fb_str raw_token, const struct tk_claims *c)
{
    put_text(out, "raw_token", raw_token);
    put_text(out, "token_id", c->token_id);
    put_text(out, "agent_id", c->agent_id);
    put_text(out, "session_id", c->session_id);
    (void)fb_buf_addz(out, c->n_actions == 0 ? "action_set = [" : "action_set = [\n");
    for (size_t i = 0; i < c->n_actions; i++) {
        (void)fb_buf_addz(out, "    ");
        (void)fb_toml_quote(out, c->action_set[i]);
        (void)fb_buf_addz(out, ",\n");
    }
    (void)fb_buf_addz(out, "]\n");
    put_text(out, "resource_scope", c->resource_scope);
    put_time(out, "issued_at", c->issued_at_ns);
    put_time(out, "expiry", c->expiry_ns);
    put_text(out, "context_hash", c->context_hash);
    if (c->has_budget_ceiling)
        (void)fb_buf_addf(out, "budget_ceiling = %.17e\n", c->budget_ceiling);
    return fb_buf_failed(out) ? FB_E_LIMIT : 0;
}

int tk_seed_write(const char *path, struct fb_str raw_token, const struct tk_claims *claims, struct fb_err *err)
{
    struct fb_buf text;
    fb_buf_init_secret(&text, TK_SEED_MAX_BYTES);
    int rc = tk_seed_format(&text, raw_token, claims);
    if (rc < 0)
        rc = fb_err_set(err, rc, "the seed would be longer than %d bytes", TK_SEED_MAX_BYTES);
    else
        rc = fb_fs_write_atomic(path, 0600, text.p, text.n, err);
    fb_buf_done(&text);
    return rc;
}
