#include "enforce/remedy.h"

#include "base/num.h"

#include <cedar/cedar.h>
#include <inttypes.h>

enum { HEADER_NAME_MAX_BYTES = 256 };

static int refuse(const struct cedar_policy_set *set, size_t index, struct fb_err *err, const char *what)
{
    struct cedar_str id = cedar_policy_id(set, index);
    return fb_err_set(err, FB_E_POLICY_LOAD_FAILED, "policy '%.*s' (line %" PRIu32 "): %s", (int)id.len, id.ptr,
                      cedar_policy_line(set, index), what);
}

/* RFC 9110 token. */
static bool is_header_name(struct fb_str s)
{
    if (s.n == 0 || s.n > HEADER_NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return true;
}

static bool is_blank(struct fb_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (strchr(" \t\r\n", s.p[i]) == NULL || s.p[i] == '\0')
            return false;
    }
    return true;
}

static int read_modify(const struct cedar_policy_set *set, size_t index, struct fb_str value, struct fe_remedy *ret,
                       struct fb_err *err)
{
    struct fb_str prefix = FB_STR("redact_header:");
    if (!fb_str_starts(value, prefix))
        return refuse(set, index, err, "@modify must be \"redact_header:<name>\"");
    ret->text = fb_str_n(value.p + prefix.n, value.n - prefix.n);
    if (!is_header_name(ret->text))
        return refuse(set, index, err, "@modify names no valid header");
    return 0;
}

int fe_remedy_read(const struct cedar_policy_set *set, size_t index, struct fe_remedy *ret, struct fb_err *err)
{
    static const struct {
        const char *name;
        enum fe_remedy_kind kind;
    } kinds[] = { { "step_up", FE_REMEDY_STEP_UP }, { "defer", FE_REMEDY_DEFER }, { "modify", FE_REMEDY_MODIFY } };

    *ret = (struct fe_remedy){ .kind = FE_REMEDY_NONE };
    struct cedar_str value = { "", 0 };
    for (size_t i = 0; i < FB_COUNT(kinds); i++) {
        struct cedar_str v;
        if (!cedar_policy_annotation(set, index, kinds[i].name, &v))
            continue;
        if (ret->kind != FE_REMEDY_NONE)
            return refuse(set, index, err, "only one of @step_up, @defer and @modify may stand on a policy");
        ret->kind = kinds[i].kind;
        value = v;
    }
    if (ret->kind == FE_REMEDY_NONE)
        return 0;
    if (cedar_policy_effect(set, index) != CEDAR_FORBID)
        return refuse(set, index, err, "@step_up, @defer and @modify belong on a forbid");
    struct fb_str text = fb_str_n(value.ptr, value.len);
    if (is_blank(text))
        return refuse(set, index, err, "a remediation annotation must have a value");
    if (ret->kind == FE_REMEDY_MODIFY)
        return read_modify(set, index, text, ret, err);
    if (ret->kind == FE_REMEDY_DEFER && fb_num_u64(text, 1, INT64_MAX, &ret->retry_after_ms) < 0)
        return refuse(set, index, err, "@defer must be a number of milliseconds above 0");
    ret->text = text;
    return 0;
}
