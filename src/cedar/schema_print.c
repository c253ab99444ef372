/* Schemas in Cedar syntax, from the form in which they were read. */
#include "cedar/out.h"
#include "cedar/schema.h"
#include "cedar/schema_raw.h"

#include <string.h>

struct printer {
    struct cedar_out out;
    const struct cedar_raw_namespace *all, *ns;
    bool cannot; /* Cedar syntax has no way to say it */
};

static void put(struct printer *p, const char *s)
{
    cedar_out_text(&p->out, s);
}

static void line(struct printer *p, unsigned depth)
{
    put(p, "\n");
    for (unsigned i = 0; i < depth; i++)
        put(p, "  ");
}

/* A name, or a string where one may stand. */
static void name_or_string(struct printer *p, struct cedar_str s)
{
    if (cedar_is_ident(s))
        cedar_out_str(&p->out, s);
    else
        cedar_out_literal(&p->out, s, false);
}

static void annotations(struct printer *p, const struct cedar_raw_annots *a, unsigned depth)
{
    for (size_t i = 0; i < a->n; i++) {
        put(p, "@");
        cedar_out_str(&p->out, a->items[i].key);
        if (a->items[i].has_value) {
            put(p, "(");
            cedar_out_literal(&p->out, a->items[i].value, false);
            put(p, ")");
        }
        line(p, depth);
    }
}

/* Would the name, written here, find a common type first? */
static bool is_common(const struct printer *p, struct cedar_str name)
{
    for (const struct cedar_raw_namespace *ns = p->all; ns; ns = ns->next) {
        bool here = ns == p->ns || ns->name.name.len == 0;
        for (const struct cedar_raw_common *c = ns->commons; c; c = c->next) {
            if (here && cedar_str_eq(c->name.name, name))
                return true;
            if (cedar_str_eq(cedar_name_base(name), c->name.name) &&
                cedar_str_eq(cedar_name_namespace(name), ns->name.name))
                return true;
        }
    }
    return false;
}

static void type(struct printer *p, const struct cedar_raw_type *t, unsigned depth)
{
    if (t->kind == CEDAR_RAW_SET) {
        put(p, "Set<");
        type(p, t->element, depth);
        put(p, ">");
        return;
    }
    if (t->kind == CEDAR_RAW_NAME) {
        if (t->sort == CEDAR_RAW_ENTITY && is_common(p, t->name))
            p->cannot = true;
        bool builtin = t->sort == CEDAR_RAW_BUILTIN || t->sort == CEDAR_RAW_EXTENSION;
        if (builtin && (t->name.len < 9 || memcmp(t->name.ptr, "__cedar::", 9) != 0))
            put(p, "__cedar::");
        cedar_out_str(&p->out, t->name);
        return;
    }
    put(p, "{");
    for (const struct cedar_raw_attr *a = t->attrs; a; a = a->next) {
        line(p, depth + 1);
        annotations(p, &a->annots, depth + 1);
        name_or_string(p, a->name);
        put(p, a->required ? ": " : "?: ");
        type(p, a->type, depth + 1);
        put(p, a->next ? "," : "");
    }
    if (t->attrs)
        line(p, depth);
    put(p, "}");
}

static void name_list(struct printer *p, const struct cedar_raw_ref *refs, bool ids)
{
    put(p, "[");
    for (const struct cedar_raw_ref *r = refs; r; r = r->next) {
        if (ids)
            cedar_out_literal(&p->out, r->id, false);
        else
            cedar_out_str(&p->out, r->name);
        put(p, r->next ? ", " : "");
    }
    put(p, "]");
}

/* A shape by name is written out: Cedar syntax takes a record only. */
static void shape(struct printer *p, const struct cedar_raw_entity *e, unsigned depth)
{
    if (!e->attrs)
        return;
    if (e->attrs->kind != CEDAR_RAW_RECORD) {
        p->cannot = true;
        return;
    }
    put(p, " = ");
    type(p, e->attrs, depth);
}

static void entity(struct printer *p, const struct cedar_raw_entity *e, unsigned depth)
{
    line(p, depth);
    annotations(p, &e->annots, depth);
    put(p, "entity ");
    for (const struct cedar_raw_ref *n = e->names; n; n = n->next) {
        cedar_out_str(&p->out, n->name);
        put(p, n->next ? ", " : "");
    }
    if (e->is_enum) {
        put(p, " enum ");
        name_list(p, e->ids, true);
    }
    if (e->parents) {
        put(p, " in ");
        name_list(p, e->parents, false);
    }
    shape(p, e, depth);
    if (e->tags) {
        put(p, " tags ");
        type(p, e->tags, depth);
    }
    put(p, ";");
}

static void applies_to(struct printer *p, const struct cedar_raw_action *a, unsigned depth)
{
    if (!a->principals != !a->resources)
        p->cannot = true;
    if (!a->principals || !a->resources)
        return;
    put(p, " appliesTo {");
    line(p, depth + 1);
    put(p, "principal: ");
    name_list(p, a->principals, false);
    put(p, ",");
    line(p, depth + 1);
    put(p, "resource: ");
    name_list(p, a->resources, false);
    if (a->context) {
        put(p, ",");
        line(p, depth + 1);
        put(p, "context: ");
        p->cannot |= a->context->kind == CEDAR_RAW_SET;
        type(p, a->context, depth + 1);
    }
    line(p, depth);
    put(p, "}");
}

static void action(struct printer *p, const struct cedar_raw_action *a, unsigned depth)
{
    line(p, depth);
    annotations(p, &a->annots, depth);
    put(p, "action ");
    for (const struct cedar_raw_ref *n = a->names; n; n = n->next) {
        name_or_string(p, n->id);
        put(p, n->next ? ", " : "");
    }
    for (const struct cedar_raw_ref *r = a->parents; r; r = r->next) {
        put(p, r == a->parents ? " in [" : ", ");
        if (r->name.len) {
            cedar_out_str(&p->out, r->name);
            put(p, "::");
        }
        cedar_out_literal(&p->out, r->id, false);
    }
    put(p, a->parents ? "]" : "");
    applies_to(p, a, depth);
    put(p, ";");
}

static void declarations(struct printer *p, unsigned depth)
{
    for (const struct cedar_raw_common *c = p->ns->commons; c; c = c->next) {
        line(p, depth);
        annotations(p, &c->annots, depth);
        put(p, "type ");
        cedar_out_str(&p->out, c->name.name);
        put(p, " = ");
        type(p, c->type, depth);
        put(p, ";");
    }
    for (const struct cedar_raw_entity *e = p->ns->entities; e; e = e->next)
        entity(p, e, depth);
    for (const struct cedar_raw_action *a = p->ns->actions; a; a = a->next)
        action(p, a, depth);
}

int cedar_schema_to_text(const struct cedar_schema *schema, struct cedar_text *ret_text)
{
    struct printer p = { .all = schema->raw };
    for (p.ns = schema->raw; p.ns; p.ns = p.ns->next) {
        if (p.ns->name.name.len == 0) {
            declarations(&p, 0);
            continue;
        }
        line(&p, 0);
        annotations(&p, &p.ns->annots, 0);
        put(&p, "namespace ");
        cedar_out_str(&p.out, p.ns->name.name);
        put(&p, " {");
        declarations(&p, 1);
        line(&p, 0);
        put(&p, "}");
    }
    put(&p, "\n");
    if (p.out.n && p.out.p[0] == '\n') /* every declaration begins a line */
        memmove(p.out.p, p.out.p + 1, p.out.n--);
    int rc = cedar_out_take(&p.out, ret_text);
    if (rc == 0 && p.cannot) {
        cedar_text_free(ret_text);
        return CEDAR_E_SCHEMA;
    }
    return rc;
}
