/* Schemas in JSON syntax, from the form in which they were read. */
#include "cedar/out.h"
#include "cedar/schema.h"
#include "cedar/schema_raw.h"

#include <string.h>

static void key(struct cedar_out *o, const char **comma, struct cedar_str name)
{
    cedar_out_text(o, *comma);
    *comma = ",";
    cedar_out_json(o, name);
    cedar_out_text(o, ":");
}

static void annotations(struct cedar_out *o, const char **comma, const struct cedar_raw_annots *a)
{
    const char *inner = "";
    if (a->n == 0)
        return;
    key(o, comma, CEDAR_S("annotations"));
    cedar_out_text(o, "{");
    for (size_t i = 0; i < a->n; i++) {
        key(o, &inner, a->items[i].key);
        cedar_out_json(o, a->items[i].value);
    }
    cedar_out_text(o, "}");
}

static void type(struct cedar_out *o, const struct cedar_raw_type *t);

/* Of a repeated name the last counts. */
static bool repeated_later(const struct cedar_raw_attr *a)
{
    for (const struct cedar_raw_attr *x = a->next; x; x = x->next) {
        if (cedar_str_eq(x->name, a->name))
            return true;
    }
    return false;
}

static void attributes(struct cedar_out *o, const struct cedar_raw_type *t)
{
    const char *comma = "", *inner;
    cedar_out_text(o, "\"type\":\"Record\",\"attributes\":{");
    for (const struct cedar_raw_attr *a = t->attrs; a; a = a->next) {
        if (repeated_later(a))
            continue;
        key(o, &comma, a->name);
        cedar_out_text(o, "{");
        type(o, a->type);
        inner = ",";
        if (!a->required)
            cedar_out_text(o, ",\"required\":false");
        annotations(o, &inner, &a->annots);
        cedar_out_text(o, "}");
    }
    cedar_out_text(o, "}");
}

/* The members of a type object, without its braces. */
static void type(struct cedar_out *o, const struct cedar_raw_type *t)
{
    static const char *const heads[] = {
        [CEDAR_RAW_ANY] = "EntityOrCommon", [CEDAR_RAW_ENTITY] = "Entity", [CEDAR_RAW_EXTENSION] = "Extension"
    };
    if (t->kind == CEDAR_RAW_RECORD) {
        attributes(o, t);
        return;
    }
    if (t->kind == CEDAR_RAW_SET) {
        cedar_out_text(o, "\"type\":\"Set\",\"element\":{");
        type(o, t->element);
        cedar_out_text(o, "}");
        return;
    }
    cedar_out_text(o, "\"type\":");
    if (t->sort == CEDAR_RAW_COMMON || t->sort == CEDAR_RAW_BUILTIN) {
        bool is_bool = t->sort == CEDAR_RAW_BUILTIN && cedar_str_eq(t->name, CEDAR_S("Bool"));
        cedar_out_json(o, is_bool ? CEDAR_S("Boolean") : t->name);
        return;
    }
    cedar_out_json(o, cedar_str_c(heads[t->sort]));
    cedar_out_text(o, ",\"name\":");
    cedar_out_json(o, t->name);
}

static void type_member(struct cedar_out *o, const char **comma, const char *name, const struct cedar_raw_type *t)
{
    if (!t)
        return;
    key(o, comma, cedar_str_c(name));
    cedar_out_text(o, "{");
    type(o, t);
    cedar_out_text(o, "}");
}

static bool is_empty_record(const struct cedar_raw_type *t)
{
    return t && t->kind == CEDAR_RAW_RECORD && !t->attrs;
}

static void names(struct cedar_out *o, const struct cedar_raw_ref *refs, bool ids)
{
    const char *comma = "";
    cedar_out_text(o, "[");
    for (; refs; refs = refs->next) {
        cedar_out_text(o, comma);
        comma = ",";
        cedar_out_json(o, ids ? refs->id : refs->name);
    }
    cedar_out_text(o, "]");
}

static void entity(struct cedar_out *o, const struct cedar_raw_entity *e)
{
    const char *comma = "";
    cedar_out_text(o, "{");
    if (e->is_enum) {
        key(o, &comma, CEDAR_S("enum"));
        names(o, e->ids, true);
    }
    if (e->parents) {
        key(o, &comma, CEDAR_S("memberOfTypes"));
        names(o, e->parents, false);
    }
    if (!is_empty_record(e->attrs))
        type_member(o, &comma, "shape", e->attrs);
    type_member(o, &comma, "tags", e->tags);
    annotations(o, &comma, &e->annots);
    cedar_out_text(o, "}");
}

static void action(struct cedar_out *o, const struct cedar_raw_action *a)
{
    const char *comma = "", *inner = "";
    cedar_out_text(o, "{");
    if (a->parents) {
        key(o, &comma, CEDAR_S("memberOf"));
        cedar_out_text(o, "[");
        for (const struct cedar_raw_ref *p = a->parents; p; p = p->next) {
            const char *in = "";
            cedar_out_text(o, inner);
            inner = ",";
            cedar_out_text(o, "{");
            key(o, &in, CEDAR_S("id"));
            cedar_out_json(o, p->id);
            if (p->name.len) {
                key(o, &in, CEDAR_S("type"));
                cedar_out_json(o, p->name);
            }
            cedar_out_text(o, "}");
        }
        cedar_out_text(o, "]");
    }
    key(o, &comma, CEDAR_S("appliesTo"));
    cedar_out_text(o, "{\"principalTypes\":");
    names(o, a->principals, false);
    cedar_out_text(o, ",\"resourceTypes\":");
    names(o, a->resources, false);
    inner = ",";
    if (!is_empty_record(a->context)) /* which is the default */
        type_member(o, &inner, "context", a->context);
    cedar_out_text(o, "}");
    annotations(o, &comma, &a->annots);
    cedar_out_text(o, "}");
}

static void commons(struct cedar_out *o, const struct cedar_raw_namespace *ns)
{
    const char *comma = "";
    if (!ns->commons)
        return;
    cedar_out_text(o, "\"commonTypes\":{");
    for (const struct cedar_raw_common *c = ns->commons; c; c = c->next) {
        const char *inner = ",";
        key(o, &comma, c->name.name);
        cedar_out_text(o, "{");
        type(o, c->type);
        annotations(o, &inner, &c->annots);
        cedar_out_text(o, "}");
    }
    cedar_out_text(o, "},");
}

static void namespace_body(struct cedar_out *o, const struct cedar_raw_namespace *ns)
{
    const char *comma = "";
    cedar_out_text(o, "{");
    commons(o, ns);
    cedar_out_text(o, "\"entityTypes\":{");
    for (const struct cedar_raw_entity *e = ns->entities; e; e = e->next) {
        for (const struct cedar_raw_ref *n = e->names; n; n = n->next) {
            key(o, &comma, n->name);
            entity(o, e);
        }
    }
    cedar_out_text(o, "},\"actions\":{");
    comma = "";
    for (const struct cedar_raw_action *a = ns->actions; a; a = a->next) {
        for (const struct cedar_raw_ref *n = a->names; n; n = n->next) {
            key(o, &comma, n->id);
            action(o, a);
        }
    }
    cedar_out_text(o, "}");
    comma = ",";
    annotations(o, &comma, &ns->annots);
    cedar_out_text(o, "}");
}

int cedar_schema_to_json(const struct cedar_schema *schema, struct cedar_text *ret_text)
{
    struct cedar_out o = { 0 };
    const char *comma = "";
    cedar_out_text(&o, "{");
    for (const struct cedar_raw_namespace *ns = schema->raw; ns; ns = ns->next) {
        if (ns->name.name.len == 0 && !ns->entities && !ns->actions && !ns->commons)
            continue;
        key(&o, &comma, ns->name.name);
        namespace_body(&o, ns);
    }
    cedar_out_text(&o, "}");
    return cedar_out_take(&o, ret_text);
}
