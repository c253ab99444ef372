/* Steps shared by the files of the expression parser: growing lists, nodes from them. Layer: cedar, private. */
#ifndef CEDAR_PARSE_BUILD_H
#define CEDAR_PARSE_BUILD_H

#include "cedar/parse.h"

/* A list that grows in the temporary arena. */
struct cedar_parse_list {
    const struct cedar_node **kids;
    struct cedar_str *names;
    const struct cedar_token **at; /* tokens of the names */
    size_t n, cap;
};

bool cedar_parse_list_add(struct cedar_parser *p, struct cedar_parse_list *l, const struct cedar_node *kid,
                          struct cedar_str name, const struct cedar_token *at);
/* A node that begins at @from; NULL with p->rc. */
struct cedar_node *cedar_parse_node(struct cedar_parser *p, enum cedar_op op, size_t n_kids,
                                    const struct cedar_token *from);
/* Depth and extent, once the kids are in. NULL when too deep. */
const struct cedar_node *cedar_parse_seal(struct cedar_parser *p, struct cedar_node *n);
/* The names of the list into the node. */
bool cedar_parse_names(struct cedar_parser *p, struct cedar_node *n, const struct cedar_parse_list *l);
/* A sealed node with the kids of the list, and its names when @named. */
const struct cedar_node *cedar_parse_from_list(struct cedar_parser *p, enum cedar_op op,
                                               const struct cedar_parse_list *l, const struct cedar_token *from,
                                               bool named);
/* An unquoted attribute name. */
bool cedar_parse_attr_word(struct cedar_parser *p, struct cedar_str *ret);
/* The integer at the token; @negative: a minus stands before it. */
const struct cedar_node *cedar_parse_int(struct cedar_parser *p, bool negative);
/* primary with its accesses and method calls. */
const struct cedar_node *cedar_parse_member(struct cedar_parser *p);
bool cedar_parse_starts_access(const struct cedar_token *t);

#endif
