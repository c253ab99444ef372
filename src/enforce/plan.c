#include "enforce/plan.h"

#include "core/action.h"
#include "enforce/reads.h"

enum value_type { TYPE_STRING, TYPE_LONG, TYPE_STRING_SET };

static const struct {
    const char *name;
    enum value_type type;
} fields[FE_FIELD_COUNT] = {
    [FE_FIELD_ACTION_COUNT] = { "action_count", TYPE_LONG },
    [FE_FIELD_BUDGET_REMAINING] = { "budget_remaining", TYPE_LONG },
    [FE_FIELD_DAILY_CUMULATIVE_AMOUNT] = { "daily_cumulative_amount", TYPE_LONG },
    [FE_FIELD_DENY_COUNT] = { "deny_count", TYPE_LONG },
    [FE_FIELD_LAST_RESOURCE] = { "last_resource", TYPE_STRING },
    [FE_FIELD_PARAMS] = { "params", TYPE_STRING },
    [FE_FIELD_PRIOR_ACTION_CLASSES] = { "prior_action_classes", TYPE_STRING_SET },
    [FE_FIELD_RAW_TRANSPORT] = { "raw_transport", TYPE_STRING },
    [FE_FIELD_RISK_SCORE] = { "risk_score", TYPE_LONG },
    [FE_FIELD_SAME_PAYEE_COUNT_30M] = { "same_payee_count_30m", TYPE_LONG },
    [FE_FIELD_SESSION_DURATION_S] = { "session_duration_s", TYPE_LONG },
    [FE_FIELD_SESSION_ID] = { "session_id", TYPE_STRING },
    [FE_FIELD_SESSION_TRANSFER_COUNT] = { "session_transfer_count", TYPE_LONG },
    [FE_FIELD_TIMESTAMP_MS] = { "timestamp_ms", TYPE_LONG },
    [FE_FIELD_TRANSFER_AMOUNT] = { "transfer_amount", TYPE_LONG },
    [FE_FIELD_TRANSFERS_LAST_10M] = { "transfers_last_10m", TYPE_LONG },
};

static const struct {
    const char *name;
    enum value_type type;
} attrs[FE_ATTR_COUNT] = {
    [FE_ATTR_HOST] = { "host", TYPE_STRING },     [FE_ATTR_ID] = { "id", TYPE_STRING },
    [FE_ATTR_METHOD] = { "method", TYPE_STRING }, [FE_ATTR_PATH] = { "path", TYPE_STRING },
    [FE_ATTR_PORT] = { "port", TYPE_LONG },       [FE_ATTR_PROVIDER] = { "provider", TYPE_STRING },
    [FE_ATTR_SCHEME] = { "scheme", TYPE_STRING },
};

const char *fe_field_name(enum fe_field f)
{
    return (unsigned)f < FE_FIELD_COUNT ? fields[f].name : "";
}

const char *fe_attr_name(enum fe_attr a)
{
    return (unsigned)a < FE_ATTR_COUNT ? attrs[a].name : "";
}

static bool type_fits(const struct cedar_type *t, enum value_type want)
{
    enum cedar_type_kind kind = cedar_type_kind(t);
    if (want == TYPE_STRING_SET)
        return kind == CEDAR_TYPE_SET && cedar_type_kind(cedar_type_element(t)) == CEDAR_TYPE_STRING;
    return kind == (want == TYPE_STRING ? CEDAR_TYPE_STRING : CEDAR_TYPE_LONG);
}

static size_t field_by_name(struct cedar_str name)
{
    size_t i = 0;
    while (i < FE_FIELD_COUNT && !cedar_str_eq(name, cedar_str_c(fields[i].name)))
        i++;
    return i;
}

/* What the schema wants in the context of one action; a required attribute that we cannot give makes the action unfit. */
static int plan_context(struct fe_bundle *b, struct fe_plan *plan, const struct cedar_type *context)
{
    for (size_t i = 0; i < cedar_type_attr_count(context); i++) {
        struct cedar_attr attr;
        if (!cedar_type_attr_at(context, i, &attr))
            break;
        size_t f = field_by_name(attr.name);
        if (f < FE_FIELD_COUNT && type_fits(attr.type, fields[f].type)) {
            plan->declared |= UINT32_C(1) << f;
        } else if (attr.required && plan->unfit == NULL) {
            struct fb_str why = fb_arena_fmt(&b->arena, "context attribute '%.*s' of the schema is not one we can give%s",
                                             (int)attr.name.len, attr.name.ptr,
                                             f < FE_FIELD_COUNT ? " with that type" : "");
            if (why.p == NULL)
                return FB_E_NOMEM;
            plan->unfit = why.p;
        }
    }
    return 0;
}

static int plan_class(struct fe_bundle *b, size_t class, const struct fe_reads *reads)
{
    struct fe_plan *plan = &b->plans[class];
    struct cedar_str type = cedar_str_c("Firma::Action");
    struct cedar_str name = cedar_str_c(fc_action_at(class)->name);
    plan->action = cedar_value_entity(b->values, type, name);
    if (plan->action == NULL)
        return FB_E_NOMEM;
    const struct cedar_type *context = cedar_schema_action_context(b->schema, type, name);
    if (context == NULL) {
        plan->unfit = "the action is not in the schema";
        return 0;
    }
    if (!cedar_schema_action_applies(b->schema, type, name, cedar_str_c("Firma::Agent"), cedar_str_c("Firma::Resource"))) {
        plan->unfit = "the action does not apply to Firma::Agent and Firma::Resource";
        return 0;
    }
    if (plan_context(b, plan, context) < 0)
        return FB_E_NOMEM;
    plan->needed = plan->declared & (uint32_t)reads->context;
    return 0;
}

/* Attributes that the schema does not declare are given all the same: a rule on `resource.host` must not be dead because the
 * schema is older than the rule. One declared with another type is left out, or the policies would be misled. */
static uint32_t attrs_allowed(const struct cedar_schema *schema)
{
    const struct cedar_type *record = cedar_schema_entity_attrs(schema, cedar_str_c("Firma::Resource"));
    uint32_t mask = 0;
    for (size_t i = 0; i < FE_ATTR_COUNT; i++) {
        struct cedar_attr attr;
        bool declared = record != NULL && cedar_type_attr_find(record, cedar_str_c(attrs[i].name), &attr);
        if (!declared || type_fits(attr.type, attrs[i].type))
            mask |= UINT32_C(1) << i;
    }
    return mask;
}

static int make_constants(struct fe_bundle *b)
{
    b->values = cedar_scratch_new(0);
    if (b->values == NULL)
        return FB_E_NOMEM;
    b->zero = cedar_value_long(b->values, 0);
    b->one = cedar_value_long(b->values, 1);
    b->http = cedar_value_string(b->values, "http", 4);
    b->https = cedar_value_string(b->values, "https", 5);
    b->no_params = cedar_value_string(b->values, "{}", 2);
    b->actions = cedar_entities_new(b->schema);
    if (b->actions == NULL || cedar_entities_finish(b->actions, NULL) < 0)
        return FB_E_NOMEM;
    return cedar_scratch_status(b->values) < 0 ? FB_E_NOMEM : 0;
}

int fe_plan_make(struct fe_bundle *b, struct fb_err *err)
{
    const char *names[FE_FIELD_COUNT];
    for (size_t i = 0; i < FE_FIELD_COUNT; i++)
        names[i] = fields[i].name;
    struct fe_reads reads = fe_reads_scan(b->policies, names, FE_FIELD_COUNT);
    b->resource_attrs = reads.resource_attrs;
    b->principal_attrs = reads.principal_attrs;
    b->attrs = attrs_allowed(b->schema);
    b->n_plans = fc_action_count();
    b->plans = fb_arena_calloc(&b->arena, b->n_plans, sizeof(*b->plans));
    int rc = b->plans == NULL ? FB_E_NOMEM : make_constants(b);
    for (size_t i = 0; rc == 0 && i < b->n_plans; i++)
        rc = plan_class(b, i, &reads);
    return rc < 0 ? fb_err_set(err, FB_E_NOMEM, "no memory for the policy bundle") : 0;
}
