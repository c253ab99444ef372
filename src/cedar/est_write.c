/* Policies in the JSON policy format. */
#include "cedar/diag.h"
#include "cedar/out.h"
#include "cedar/policyset.h"

static void node(struct cedar_out *o, const struct cedar_node *n);

static void key(struct cedar_out *o, const char *name)
{
    cedar_out_text(o, "\"");
    cedar_out_text(o, name);
    cedar_out_text(o, "\":");
}

static void uid(struct cedar_out *o, const struct cedar_uid *u)
{
    cedar_out_text(o, "{\"type\":");
    cedar_out_json(o, u->type);
    cedar_out_text(o, ",\"id\":");
    cedar_out_json(o, u->id);
    cedar_out_text(o, "}");
}

static void literal(struct cedar_out *o, const struct cedar_value *v)
{
    cedar_out_text(o, "{\"Value\":");
    switch ((enum cedar_value_kind)v->kind) {
    case CEDAR_VALUE_BOOL:
        cedar_out_text(o, v->b ? "true" : "false");
        break;
    case CEDAR_VALUE_LONG:
        cedar_out_long(o, v->i);
        break;
    case CEDAR_VALUE_STRING:
        cedar_out_json(o, cedar_v_str(v));
        break;
    default:
        cedar_out_text(o, "{\"__entity\":");
        uid(o, v->uid);
        cedar_out_text(o, "}");
        break;
    }
    cedar_out_text(o, "}");
}

/* {"op":{"left":..,"right":..}} over kids 0 .. n-1 of a chain, leftmost innermost; written without recursion, since a
 * chain may be long. */
static void chain(struct cedar_out *o, const struct cedar_node *n)
{
    const char *name = cedar_op_text((enum cedar_op)n->op);
    for (uint32_t i = 1; i < n->n_kids; i++) {
        cedar_out_text(o, "{");
        key(o, name);
        cedar_out_text(o, "{\"left\":");
    }
    node(o, n->kids[0]);
    for (uint32_t i = 1; i < n->n_kids; i++) {
        cedar_out_text(o, ",\"right\":");
        node(o, n->kids[i]);
        cedar_out_text(o, "}}");
    }
}

static void get_path(struct cedar_out *o, const struct cedar_node *n, uint32_t upto)
{
    for (uint32_t i = 0; i < upto; i++)
        cedar_out_text(o, "{\".\":{\"left\":");
    node(o, n->kids[0]);
    for (uint32_t i = 0; i < upto; i++) {
        cedar_out_text(o, ",\"attr\":");
        cedar_out_json(o, n->names[i]);
        cedar_out_text(o, "}}");
    }
}

/* a has b.c is written as the conjunction that it means. */
static void has(struct cedar_out *o, const struct cedar_node *n)
{
    for (uint32_t i = 1; i < n->n_names; i++)
        cedar_out_text(o, "{\"&&\":{\"left\":");
    for (uint32_t i = 0; i < n->n_names; i++) {
        cedar_out_text(o, i ? ",\"right\":{\"has\":{\"left\":" : "{\"has\":{\"left\":");
        get_path(o, n, i);
        cedar_out_text(o, ",\"attr\":");
        cedar_out_json(o, n->names[i]);
        cedar_out_text(o, i ? "}}}}" : "}}");
    }
}

static void like(struct cedar_out *o, const struct cedar_node *n)
{
    const char *comma = "";
    cedar_out_text(o, "{\"like\":{\"left\":");
    node(o, n->kids[0]);
    cedar_out_text(o, ",\"pattern\":[");
    for (size_t i = 0; i < n->pattern->n_segments; i++) {
        struct cedar_str s = n->pattern->segments[i];
        if (i > 0) {
            cedar_out_text(o, comma);
            cedar_out_text(o, "\"Wildcard\"");
            comma = ",";
        }
        for (size_t k = 0, len; k < s.len; k += len) {
            uint32_t c;
            len = cedar_utf8_decode(s.ptr + k, s.len - k, &c);
            len = len ? len : 1;
            cedar_out_text(o, comma);
            cedar_out_text(o, "{\"Literal\":");
            cedar_out_json(o, (struct cedar_str){ s.ptr + k, len });
            cedar_out_text(o, "}");
            comma = ",";
        }
    }
    cedar_out_text(o, "]}}");
}

static void is(struct cedar_out *o, const struct cedar_node *n)
{
    cedar_out_text(o, "{\"is\":{\"left\":");
    node(o, n->kids[0]);
    cedar_out_text(o, ",\"entity_type\":");
    cedar_out_json(o, n->names[0]);
    if (n->n_kids > 1) {
        cedar_out_text(o, ",\"in\":");
        node(o, n->kids[1]);
    }
    cedar_out_text(o, "}}");
}

static void list(struct cedar_out *o, const char *name, const struct cedar_node *n, bool named)
{
    cedar_out_text(o, "{");
    key(o, name);
    cedar_out_text(o, named ? "{" : "[");
    for (uint32_t i = 0; i < n->n_kids; i++) {
        cedar_out_text(o, i ? "," : "");
        if (named) {
            cedar_out_json(o, n->names[i]);
            cedar_out_text(o, ":");
        }
        node(o, n->kids[i]);
    }
    cedar_out_text(o, named ? "}}" : "]}");
}

static void arg(struct cedar_out *o, const char *name, const struct cedar_node *n)
{
    cedar_out_text(o, "{");
    key(o, name);
    cedar_out_text(o, "{\"arg\":");
    node(o, n->kids[0]);
    cedar_out_text(o, "}}");
}

static void if_node(struct cedar_out *o, const struct cedar_node *n)
{
    cedar_out_text(o, "{\"if-then-else\":{\"if\":");
    node(o, n->kids[0]);
    cedar_out_text(o, ",\"then\":");
    node(o, n->kids[1]);
    cedar_out_text(o, ",\"else\":");
    node(o, n->kids[2]);
    cedar_out_text(o, "}}");
}

static void node(struct cedar_out *o, const struct cedar_node *n)
{
    static const char *const vars[] = { "principal", "action", "resource", "context" };
    switch ((enum cedar_op)n->op) {
    case CEDAR_OP_LIT:
        literal(o, &n->lit);
        break;
    case CEDAR_OP_VAR:
    case CEDAR_OP_SLOT:
        cedar_out_text(o, n->op == CEDAR_OP_VAR ? "{\"Var\":\"" : "{\"Slot\":\"?");
        cedar_out_text(o, vars[n->var]);
        cedar_out_text(o, "\"}");
        break;
    case CEDAR_OP_NOT:
    case CEDAR_OP_NEG:
    case CEDAR_OP_IS_EMPTY:
        arg(o, n->op == CEDAR_OP_NOT ? "!" : n->op == CEDAR_OP_NEG ? "neg" : "isEmpty", n);
        break;
    case CEDAR_OP_IF:
        if_node(o, n);
        break;
    case CEDAR_OP_GET:
        get_path(o, n, 1);
        break;
    case CEDAR_OP_HAS:
        has(o, n);
        break;
    case CEDAR_OP_LIKE:
        like(o, n);
        break;
    case CEDAR_OP_IS:
        is(o, n);
        break;
    case CEDAR_OP_SET:
        list(o, "Set", n, false);
        break;
    case CEDAR_OP_RECORD:
        list(o, "Record", n, true);
        break;
    case CEDAR_OP_EXT:
        list(o, n->ext->name, n, false);
        break;
    default:
        chain(o, n);
        break;
    }
}

static void scope_entity(struct cedar_out *o, const struct cedar_scope *s, const char *slot)
{
    if (s->slot) {
        key(o, "slot");
        cedar_out_text(o, slot);
        return;
    }
    key(o, "entity");
    uid(o, s->uids);
}

static void scope(struct cedar_out *o, const char *name, const struct cedar_scope *s, const char *slot)
{
    cedar_out_text(o, ",");
    key(o, name);
    switch ((enum cedar_scope_kind)s->kind) {
    case CEDAR_SCOPE_ANY:
        cedar_out_text(o, "{\"op\":\"All\"");
        break;
    case CEDAR_SCOPE_EQ:
    case CEDAR_SCOPE_IN:
        cedar_out_text(o, s->kind == CEDAR_SCOPE_EQ ? "{\"op\":\"==\"," : "{\"op\":\"in\",");
        scope_entity(o, s, slot);
        break;
    case CEDAR_SCOPE_IS:
    case CEDAR_SCOPE_IS_IN:
        cedar_out_text(o, "{\"op\":\"is\",\"entity_type\":");
        cedar_out_json(o, s->type);
        if (s->kind == CEDAR_SCOPE_IS_IN) {
            cedar_out_text(o, ",\"in\":{");
            scope_entity(o, s, slot);
            cedar_out_text(o, "}");
        }
        break;
    case CEDAR_SCOPE_IN_LIST:
        cedar_out_text(o, "{\"op\":\"in\",");
        if (s->n_uids == 1) {
            scope_entity(o, s, slot);
            break;
        }
        cedar_out_text(o, "\"entities\":[");
        for (uint32_t i = 0; i < s->n_uids; i++) {
            cedar_out_text(o, i ? "," : "");
            uid(o, &s->uids[i]);
        }
        cedar_out_text(o, "]");
        break;
    }
    cedar_out_text(o, "}");
}

static void policy(struct cedar_out *o, const struct cedar_policy *p)
{
    cedar_out_text(o, p->effect == CEDAR_PERMIT ? "{\"effect\":\"permit\"" : "{\"effect\":\"forbid\"");
    scope(o, "principal", &p->principal, "\"?principal\"");
    scope(o, "action", &p->action, "");
    scope(o, "resource", &p->resource, "\"?resource\"");
    cedar_out_text(o, ",\"conditions\":[");
    for (size_t i = 0; i < p->n_conds; i++) {
        cedar_out_text(o, i ? "," : "");
        cedar_out_text(o, p->conds[i].unless ? "{\"kind\":\"unless\",\"body\":" : "{\"kind\":\"when\",\"body\":");
        node(o, p->conds[i].expr);
        cedar_out_text(o, "}");
    }
    cedar_out_text(o, "]");
    for (size_t i = 0; i < p->n_annots; i++) {
        cedar_out_text(o, i ? "," : ",\"annotations\":{");
        cedar_out_json(o, p->annots[i].key);
        cedar_out_text(o, ":");
        if (p->annots[i].has_value)
            cedar_out_json(o, p->annots[i].value);
        else
            cedar_out_text(o, "null");
    }
    cedar_out_text(o, p->n_annots ? "}}" : "}");
}

int cedar_policy_to_json(const struct cedar_policy_set *set, size_t index, struct cedar_text *ret_text)
{
    struct cedar_out o = { 0 };
    if (index >= set->n)
        return CEDAR_E_ARG;
    policy(&o, &set->items[index]);
    return cedar_out_take(&o, ret_text);
}

static void link_of(struct cedar_out *o, const struct cedar_policy_set *set, const struct cedar_policy *p)
{
    const struct cedar_policy *t = &set->items[p->template_index];
    cedar_out_text(o, "{\"templateId\":");
    cedar_out_json(o, t->id);
    cedar_out_text(o, ",\"newId\":");
    cedar_out_json(o, p->id);
    cedar_out_text(o, ",\"values\":{");
    if (t->principal.slot) {
        key(o, "?principal");
        uid(o, p->principal.uids);
    }
    if (t->resource.slot) {
        cedar_out_text(o, t->principal.slot ? "," : "");
        key(o, "?resource");
        uid(o, p->resource.uids);
    }
    cedar_out_text(o, "}}");
}

int cedar_policy_set_to_json(const struct cedar_policy_set *set, struct cedar_text *ret_text)
{
    struct cedar_out o = { 0 };
    static const char *const heads[] = { "{\"staticPolicies\":{", "},\"templates\":{", "},\"templateLinks\":[" };
    for (int part = 0; part < 3; part++) {
        const char *comma = "";
        cedar_out_text(&o, heads[part]);
        for (size_t i = 0; i < set->n; i++) {
            const struct cedar_policy *p = &set->items[i];
            int kind = p->is_template ? 1 : p->template_index != SIZE_MAX ? 2 : 0;
            if (kind != part)
                continue;
            cedar_out_text(&o, comma);
            comma = ",";
            if (part == 2) {
                link_of(&o, set, p);
                continue;
            }
            cedar_out_json(&o, p->id);
            cedar_out_text(&o, ":");
            policy(&o, p);
        }
    }
    cedar_out_text(&o, "]}");
    return cedar_out_take(&o, ret_text);
}
