#include "authority/context.h"

enum { ATTRS_MAX = 64 };

enum source { FROM_SESSION, FROM_NOW, TEXT, NUMBER, EMPTY_SET };

static const struct known {
    const char *name;
    enum source source;
    const char *text;
    int64_t number;
} known[] = {
    { "session_id", FROM_SESSION, NULL, 0 },
    { "timestamp_ms", FROM_NOW, NULL, 0 },
    { "params", TEXT, "{}", 0 },
    { "risk_score", NUMBER, NULL, 0 },
    { "budget_remaining", NUMBER, NULL, INT64_MAX },
    { "session_duration_s", NUMBER, NULL, 0 },
    { "action_count", NUMBER, NULL, 0 },
    { "raw_transport", TEXT, "https", 0 },
    { "transfer_amount", NUMBER, NULL, 0 },
    { "daily_cumulative_amount", NUMBER, NULL, 0 },
    { "transfers_last_10m", NUMBER, NULL, 0 },
    { "same_payee_count_30m", NUMBER, NULL, 0 },
    { "session_transfer_count", NUMBER, NULL, 0 },
    { "deny_count", NUMBER, NULL, 0 },
    { "prior_action_classes", EMPTY_SET, NULL, 0 },
    { "last_resource", TEXT, "", 0 },
};

static const struct known *find(struct cedar_str name)
{
    for (size_t i = 0; i < FB_COUNT(known); i++)
        if (cedar_str_eq(name, cedar_str_c(known[i].name)))
            return &known[i];
    return NULL;
}

static enum cedar_type_kind kind_of(enum source source)
{
    switch (source) {
    case FROM_SESSION:
    case TEXT:
        return CEDAR_TYPE_STRING;
    case EMPTY_SET:
        return CEDAR_TYPE_SET;
    case FROM_NOW:
    case NUMBER:
    default:
        return CEDAR_TYPE_LONG;
    }
}

static const struct cedar_value *value_of(struct cedar_scratch *s, const struct known *k,
                                          const struct au_context_input *in)
{
    switch (k->source) {
    case FROM_SESSION:
        return cedar_value_string(s, in->session_id.p, in->session_id.n);
    case FROM_NOW:
        return cedar_value_long(s, in->now_ms);
    case TEXT:
        return cedar_value_string(s, k->text, strlen(k->text));
    case EMPTY_SET:
        return cedar_value_set(s, NULL, 0);
    case NUMBER:
    default:
        return cedar_value_long(s, k->number);
    }
}

int au_context_build(struct cedar_scratch *s, const struct cedar_type *type, const struct au_context_input *in,
                     const struct cedar_value **ret, struct fb_err *err)
{
    struct cedar_field fields[ATTRS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < cedar_type_attr_count(type); i++) {
        struct cedar_attr a;
        if (!cedar_type_attr_at(type, i, &a) || !a.required)
            continue;
        const struct known *k = find(a.name);
        if (k == NULL)
            return fb_err_set(err, FB_E_POLICY_LOAD_FAILED,
                              "the schema requires context attribute '%.*s', which is "
                              "not known at issuance",
                              (int)a.name.len, a.name.ptr);
        if (cedar_type_kind(a.type) != kind_of(k->source))
            return fb_err_set(err, FB_E_POLICY_LOAD_FAILED, "context attribute '%.*s' has another type in the schema",
                              (int)a.name.len, a.name.ptr);
        if (n == ATTRS_MAX)
            return fb_err_set(err, FB_E_POLICY_LOAD_FAILED, "the schema requires more than %d context attributes",
                              ATTRS_MAX);
        fields[n++] = (struct cedar_field){ a.name, value_of(s, k, in) };
    }
    *ret = cedar_value_record(s, fields, n);
    return *ret == NULL ? fb_err_set(err, FB_E_NOMEM, "cannot build the context: %s", cedar_scratch_error(s)->msg) : 0;
}
