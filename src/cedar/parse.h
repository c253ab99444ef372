/* Policy text to tree: recursive descent over the token list, nesting bounded by CEDAR_MAX_NESTING.
 * Source: Cedar grammar. Layer: cedar, private. Thread: one parser, one thread. */
#ifndef CEDAR_PARSE_H
#define CEDAR_PARSE_H

#include "cedar/ast.h"

struct cedar_parser {
    struct cedar_arena *arena; /* where the tree goes */
    struct cedar_arena *temp;  /* tokens and growing lists; gone after the parse */
    struct cedar_source src;
    const struct cedar_token *t; /* the token looked at; t[1] is safe unless t is END */
    int rc;                      /* code of the first error; the functions below give NULL or false then */
    unsigned nesting;
};

/* Lexes; false with p->rc on an error. @err is never NULL. */
bool cedar_parser_init(struct cedar_parser *p, struct cedar_arena *arena, struct cedar_arena *temp, const char *text,
                       size_t len, struct cedar_error *err);
/* One whole expression; does not ask for the end of the text. */
const struct cedar_node *cedar_parse_expr(struct cedar_parser *p);
/* One policy or template, from its annotations to its semicolon; id and line are the caller's. */
bool cedar_parse_policy(struct cedar_parser *p, struct cedar_policy *ret);

/* Shared by the two files of the parser. */
void *cedar_parse_fail(struct cedar_parser *p, const struct cedar_token *at, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void *cedar_parse_nomem(struct cedar_parser *p);
/* "unexpected X", expected @what. */
void *cedar_parse_unexpected(struct cedar_parser *p, const char *what);
bool cedar_parse_accept(struct cedar_parser *p, enum cedar_token_kind kind);
bool cedar_parse_expect(struct cedar_parser *p, enum cedar_token_kind kind, const char *what);
struct cedar_str cedar_parse_word(const struct cedar_parser *p, const struct cedar_token *t);
bool cedar_parse_is_word(const struct cedar_parser *p, const char *word);
bool cedar_parse_string(struct cedar_parser *p, struct cedar_str *ret);
/* ident ( "::" ident )* joined, copied to the arena; stops before "::" string or "::" "{". */
bool cedar_parse_path(struct cedar_parser *p, struct cedar_str *ret);
/* path "::" string at the token looked at. */
bool cedar_parse_uid(struct cedar_parser *p, struct cedar_uid *ret);
bool cedar_parse_enter(struct cedar_parser *p);

#endif
