/* Reading the JSON policy format. Source: Cedar JSON policy format. Layer: cedar, private. Thread: one reader. */
#ifndef CEDAR_EST_H
#define CEDAR_EST_H

#include "cedar/ast.h"
#include "cedar/json.h"

struct cedar_est {
    struct cedar_arena *arena; /* of the tree; the JSON lives there too, strings are shared */
    struct cedar_source src;
    int code; /* of refusals: CEDAR_E_PARSE or CEDAR_E_SCHEMA */
    int rc;   /* code of the first error */
};

/* NULL with e->rc. Recursion is bounded by the nesting of the JSON. */
const struct cedar_node *cedar_est_expr(struct cedar_est *e, const struct cedar_json *j);
/* One policy or template; the id is the caller's. */
bool cedar_est_policy(struct cedar_est *e, const struct cedar_json *j, struct cedar_policy *ret);

/* Shared by the files of the reader. */
void *cedar_est_fail(struct cedar_est *e, const struct cedar_json *at, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void *cedar_est_nomem(struct cedar_est *e);
/* An object with these keys and no other; the first @n_required must be there. */
bool cedar_est_keys(struct cedar_est *e, const struct cedar_json *j, const char *const *keys, size_t n,
                    size_t n_required);
bool cedar_est_string(struct cedar_est *e, const struct cedar_json *j, struct cedar_str *ret);
/* A normalised type name. */
bool cedar_est_type(struct cedar_est *e, const struct cedar_json *j, struct cedar_str *ret);
/* {type,id}; @strict: no other key, and {__entity: {type,id}} is fine as well. */
bool cedar_est_uid(struct cedar_est *e, const struct cedar_json *j, bool strict, struct cedar_uid *ret);

#endif
