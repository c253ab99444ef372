/* Does a request fit the schema? */
#include "cedar/diag.h"
#include "cedar/schema.h"

static int check_part(const struct cedar_schema *s, const struct cedar_action *a, const struct cedar_uid *u,
                      const struct cedar_etype *const *allowed, size_t n, const char *what, struct cedar_error *err)
{
    const struct cedar_etype *t = cedar_schema_etype(s, u->type);
    if (!t)
        return cedar_error_set(err, CEDAR_E_REQUEST, "UndeclaredEntityType", "%s type `%.*s` is not declared", what,
                               CEDAR_ARG(u->type));
    for (size_t i = 0; i < n; i++) {
        if (allowed[i] != t)
            continue;
        if (cedar_etype_has_id(t, u->id))
            return 0;
        return cedar_error_set(err, CEDAR_E_REQUEST, "InvalidEnumEntity",
                               "`%.*s` is not an id of enumerated type `%.*s`", CEDAR_ARG(u->id), CEDAR_ARG(u->type));
    }
    return cedar_error_set(err, CEDAR_E_REQUEST, "InvalidEntityType", "%s type `%.*s` is not valid for action `%.*s`",
                           what, CEDAR_ARG(u->type), CEDAR_ARG(a->uid.id));
}

static bool is_entity(const struct cedar_value *v)
{
    return v && v->kind == CEDAR_VALUE_ENTITY;
}

int cedar_request_validate(const struct cedar_schema *schema, const struct cedar_request *req, struct cedar_error *err)
{
    const struct cedar_value *context = req->context ? req->context : &cedar_empty_record;
    struct cedar_mismatch why = { 0 };
    char want[96];
    if (!is_entity(req->principal) || !is_entity(req->action) || !is_entity(req->resource))
        return cedar_error_set(err, CEDAR_E_ARG, "BadArgument", "principal, action and resource must be entities");
    const struct cedar_action *a = cedar_schema_action(schema, req->action->uid);
    if (!a)
        return cedar_error_set(err, CEDAR_E_REQUEST, "UndeclaredAction", "action `%.*s::\"%.*s\"` is not declared",
                               CEDAR_ARG(req->action->uid->type), CEDAR_ARG(req->action->uid->id));
    int rc = check_part(schema, a, req->principal->uid, a->principals, a->n_principals, "principal", err);
    if (!rc)
        rc = check_part(schema, a, req->resource->uid, a->resources, a->n_resources, "resource", err);
    if (rc || cedar_type_admits(schema, a->context, context, &why))
        return rc;
    return cedar_error_set(err, CEDAR_E_REQUEST, "InvalidContext",
                           "context is not valid for action `%.*s`: `%.*s` %s%s%s", CEDAR_ARG(a->uid.id),
                           CEDAR_ARG(why.attr), why.what, why.want ? ", expected " : "",
                           why.want ? cedar_type_text(why.want, want, sizeof want) : "");
}
