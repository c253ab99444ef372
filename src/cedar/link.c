/* Templates: links fill the slots of a template's scope. */
#include "cedar/diag.h"
#include "cedar/policyset.h"

static int fill_slot(struct cedar_policy_set *set, struct cedar_scope *scope, const struct cedar_value *v,
                     const char *slot, struct cedar_error *err)
{
    struct cedar_value copy;
    if (!scope->slot && v)
        return cedar_error_set(err, CEDAR_E_LINK, "ExtraSlot", "the template has no slot `%s`", slot);
    if (!scope->slot)
        return 0;
    if (!v)
        return cedar_error_set(err, CEDAR_E_LINK, "MissingSlot", "slot `%s` is not given", slot);
    if (v->kind != CEDAR_VALUE_ENTITY)
        return cedar_error_set(err, CEDAR_E_LINK, "BadSlotValue", "slot `%s` takes an entity", slot);
    if (!cedar_v_copy(&set->arena, v, &copy))
        return cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    scope->slot = false;
    scope->uids = copy.uid;
    scope->n_uids = 1;
    return 0;
}

int cedar_policy_set_link(struct cedar_policy_set *set, struct cedar_str template_id, struct cedar_str new_id,
                          const struct cedar_value *principal, const struct cedar_value *resource,
                          struct cedar_error *err)
{
    size_t at = cedar_policy_find(set, template_id);
    if (at == SIZE_MAX || !set->items[at].is_template)
        return cedar_error_set(err, CEDAR_E_LINK, "NoSuchTemplate", "there is no template `%.*s`",
                               CEDAR_ARG(template_id));
    if (cedar_policy_find(set, new_id) != SIZE_MAX)
        return cedar_error_set(err, CEDAR_E_LINK, "DuplicatePolicyId", "policy id `%.*s` is taken", CEDAR_ARG(new_id));
    struct cedar_policy p = set->items[at];
    int rc = fill_slot(set, &p.principal, principal, "?principal", err);
    if (!rc)
        rc = fill_slot(set, &p.resource, resource, "?resource", err);
    if (rc)
        return rc;
    p.is_template = false;
    p.template_index = at;
    p.id = cedar_arena_str(&set->arena, new_id);
    if (!p.id.ptr)
        return cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    return cedar_policy_set_add(set, &p, err);
}
