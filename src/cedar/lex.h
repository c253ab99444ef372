/* Tokens of policy and schema text.
 * Source: Cedar grammar, lexical rules. Layer: cedar, private. Thread: any (no state beyond the token list). */
#ifndef CEDAR_LEX_H
#define CEDAR_LEX_H

#include "cedar/arena.h"
#include "cedar/diag.h"

enum cedar_token_kind {
    CEDAR_T_END, /* also what stands behind the last token */
    CEDAR_T_IDENT,
    CEDAR_T_INT,
    CEDAR_T_STRING, /* quotes included, escapes not yet looked at */
    CEDAR_T_SLOT,   /* ?name */
    CEDAR_T_AT,
    CEDAR_T_DOT,
    CEDAR_T_COMMA,
    CEDAR_T_SEMI,
    CEDAR_T_COLON,
    CEDAR_T_PATH, /* :: */
    CEDAR_T_LPAREN,
    CEDAR_T_RPAREN,
    CEDAR_T_LBRACE,
    CEDAR_T_RBRACE,
    CEDAR_T_LBRACK,
    CEDAR_T_RBRACK,
    CEDAR_T_EQ,
    CEDAR_T_NE,
    CEDAR_T_LT,
    CEDAR_T_LE,
    CEDAR_T_GT,
    CEDAR_T_GE,
    CEDAR_T_OR,
    CEDAR_T_AND,
    CEDAR_T_PLUS,
    CEDAR_T_MINUS,
    CEDAR_T_STAR,
    CEDAR_T_SLASH,
    CEDAR_T_PERCENT,
    CEDAR_T_BANG,
    CEDAR_T_ASSIGN,
    CEDAR_T_QUESTION /* a lone ?, in schemas */
};

struct cedar_token {
    uint32_t off, len;
    uint8_t kind;
};

struct cedar_tokens {
    const struct cedar_token *items; /* items[n] is CEDAR_T_END */
    size_t n;
};

/* All tokens of the text, in @a. 0; @code (CEDAR_E_PARSE or CEDAR_E_SCHEMA), CEDAR_E_UTF8, CEDAR_E_NOMEM. */
int cedar_lex(struct cedar_arena *a, const struct cedar_source *src, int code, struct cedar_tokens *ret);

/* How a token reads in a message, e.g. "`==`", "end of input". Fills @buf (48 bytes). */
const char *cedar_token_text(const struct cedar_source *src, const struct cedar_token *t, char *buf);

/* One element of a string literal after its escapes. */
struct cedar_char {
    uint32_t c;
    bool literal_star; /* written \*, in patterns only */
};

/**
 * Decodes a string token into @a (NUL-terminated). @pattern: allow \* and give stars apart, see cedar_pattern_decode.
 * 0; @code with a position on a bad escape; CEDAR_E_NOMEM.
 */
int cedar_unescape(struct cedar_arena *a, const struct cedar_source *src, const struct cedar_token *t, int code,
                   struct cedar_str *ret);
/* The next element at *@i of the raw inside of a literal, *@i moved on. False: bad escape of *@ret_len bytes at *@i. */
bool cedar_unescape_next(const char *p, size_t n, size_t *i, bool pattern, struct cedar_char *ret, size_t *ret_len);

#endif
