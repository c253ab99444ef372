#include "cedar/lex.h"

#include "cedar/str.h"

#include <stdio.h>
#include <string.h>

struct lexer {
    const struct cedar_source *src;
    size_t at;
    int code;
};

static void skip_blank(struct lexer *x)
{
    const char *t = x->src->text;
    size_t n = x->src->len;
    while (x->at < n) {
        if (t[x->at] == '/' && x->at + 1 < n && t[x->at + 1] == '/') {
            const char *nl = memchr(t + x->at, '\n', n - x->at);
            x->at = nl ? (size_t)(nl - t) : n;
            continue;
        }
        uint32_t c;
        size_t len = cedar_utf8_decode(t + x->at, n - x->at, &c);
        if (len == 0 || !cedar_is_space(c))
            return;
        x->at += len;
    }
}

static size_t ident_len(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && cedar_is_ident_char((unsigned char)p[i]))
        i++;
    return i;
}

static int fail(struct lexer *x, size_t len, const char *fmt_msg, const char *expected)
{
    int rc = cedar_error_at(x->src, x->at, len, x->code, "InvalidToken", "%s", fmt_msg);
    cedar_error_expected(x->src->err, "%s", expected);
    return rc;
}

static int lex_string(struct lexer *x, struct cedar_token *t)
{
    const char *p = x->src->text + x->at;
    size_t n = x->src->len - x->at, i = 1;
    while (i < n && p[i] != '"')
        i += p[i] == '\\' ? 2 : 1;
    if (i >= n)
        return fail(x, 1, "string literal without its closing quote", "`\"`");
    t->kind = CEDAR_T_STRING;
    t->len = (uint32_t)(i + 1);
    return 0;
}

static const struct {
    char text[3];
    uint8_t kind;
} puncts[] = { /* two characters first */
               { "::", CEDAR_T_PATH },   { "==", CEDAR_T_EQ },    { "!=", CEDAR_T_NE },    { "<=", CEDAR_T_LE },
               { ">=", CEDAR_T_GE },     { "||", CEDAR_T_OR },    { "&&", CEDAR_T_AND },   { "@", CEDAR_T_AT },
               { ".", CEDAR_T_DOT },     { ",", CEDAR_T_COMMA },  { ";", CEDAR_T_SEMI },   { ":", CEDAR_T_COLON },
               { "(", CEDAR_T_LPAREN },  { ")", CEDAR_T_RPAREN }, { "{", CEDAR_T_LBRACE }, { "}", CEDAR_T_RBRACE },
               { "[", CEDAR_T_LBRACK },  { "]", CEDAR_T_RBRACK }, { "<", CEDAR_T_LT },     { ">", CEDAR_T_GT },
               { "+", CEDAR_T_PLUS },    { "-", CEDAR_T_MINUS },  { "*", CEDAR_T_STAR },   { "/", CEDAR_T_SLASH },
               { "%", CEDAR_T_PERCENT }, { "!", CEDAR_T_BANG },   { "=", CEDAR_T_ASSIGN }, { "?", CEDAR_T_QUESTION }
};

static int lex_punct(struct lexer *x, struct cedar_token *t)
{
    const char *p = x->src->text + x->at;
    size_t n = x->src->len - x->at;
    for (size_t i = 0; i < sizeof puncts / sizeof puncts[0]; i++) {
        size_t len = strlen(puncts[i].text);
        if (len <= n && memcmp(p, puncts[i].text, len) == 0) {
            t->kind = puncts[i].kind;
            t->len = (uint32_t)len;
            return 0;
        }
    }
    uint32_t c = 0;
    size_t len = cedar_utf8_decode(p, n, &c);
    char msg[64];
    if (c == 0xfeff)
        snprintf(msg, sizeof msg, "byte-order mark");
    else if (c > 0x20 && c < 0x7f)
        snprintf(msg, sizeof msg, "unexpected character `%c`", (int)c);
    else
        snprintf(msg, sizeof msg, "unexpected character U+%04X", (unsigned)c);
    return fail(x, len ? len : 1, msg, "an identifier, a literal or an operator");
}

static int lex_one(struct lexer *x, struct cedar_token *t)
{
    const char *p = x->src->text + x->at;
    size_t n = x->src->len - x->at;
    t->off = (uint32_t)x->at;
    if (cedar_is_ident_start((unsigned char)*p)) {
        t->kind = CEDAR_T_IDENT;
        t->len = (uint32_t)ident_len(p, n);
    } else if (cedar_is_digit((unsigned char)*p)) {
        size_t i = 1;
        while (i < n && cedar_is_digit((unsigned char)p[i]))
            i++;
        t->kind = CEDAR_T_INT;
        t->len = (uint32_t)i;
    } else if (*p == '"') {
        return lex_string(x, t);
    } else if (*p == '?' && n > 1 && cedar_is_ident_start((unsigned char)p[1])) {
        t->kind = CEDAR_T_SLOT;
        t->len = (uint32_t)(1 + ident_len(p + 1, n - 1));
    } else {
        return lex_punct(x, t);
    }
    return 0;
}

int cedar_lex(struct cedar_arena *a, const struct cedar_source *src, int code, struct cedar_tokens *ret)
{
    struct lexer x = { src, 0, code };
    struct cedar_token *items = NULL;
    size_t n = 0, cap = 0;
    if (src->len > CEDAR_MAX_TEXT_BYTES)
        return cedar_error_set(src->err, CEDAR_E_LIMIT, "TextTooLong", "text is longer than %d bytes",
                               CEDAR_MAX_TEXT_BYTES);
    size_t valid = cedar_utf8_valid_len(src->text, src->len);
    if (valid != src->len)
        return cedar_error_at(src, valid, 1, CEDAR_E_UTF8, "InvalidUtf8", "text is not UTF-8");
    for (;;) {
        skip_blank(&x);
        if (n == cap) {
            /* Grown copies stay in the arena: at most as much again as the final list. */
            size_t more = cap ? cap * 2 : src->len / 6 + 16;
            struct cedar_token *bigger = cedar_arena_array(a, more, sizeof *bigger);
            if (!bigger)
                return cedar_error_set(src->err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
            if (n)
                memcpy(bigger, items, n * sizeof *items);
            items = bigger;
            cap = more;
        }
        struct cedar_token *t = &items[n];
        *t = (struct cedar_token){ .off = (uint32_t)x.at, .kind = CEDAR_T_END };
        if (x.at >= src->len)
            break;
        int rc = lex_one(&x, t);
        if (rc)
            return rc;
        x.at += t->len;
        n++;
    }
    *ret = (struct cedar_tokens){ items, n };
    return 0;
}

const char *cedar_token_text(const struct cedar_source *src, const struct cedar_token *t, char *buf)
{
    int n = t->len > 36 ? 36 : (int)t->len;
    if (t->kind == CEDAR_T_END)
        return "end of input";
    snprintf(buf, 48, "`%.*s%s`", n, src->text + t->off, t->len > 36 ? "..." : "");
    return buf;
}
