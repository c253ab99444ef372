/* Trees back to text. Layer: cedar, private. Thread: any. */
#ifndef CEDAR_PRINT_H
#define CEDAR_PRINT_H

#include "cedar/ast.h"
#include "cedar/out.h"

/* Parses back to the same tree. Recursion is bounded by the depth of the tree. */
void cedar_print_expr(struct cedar_out *o, const struct cedar_node *n);
/* Type::"id" */
void cedar_print_uid(struct cedar_out *o, const struct cedar_uid *u);
void cedar_print_policy(struct cedar_out *o, const struct cedar_policy *p);

#endif
