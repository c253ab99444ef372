#include "cedar/json.h"

#include "cedar/sort.h"
#include "cedar/str.h"

#include <string.h>

struct reader {
    struct cedar_arena *arena, *temp;
    const struct cedar_source *src;
    const char *p;
    size_t n, at;
    unsigned depth, max_depth;
    int rc;
};

static bool fail(struct reader *r, size_t off, size_t len, const char *msg, const char *expected)
{
    r->rc = cedar_error_at(r->src, off, len, CEDAR_E_JSON, "InvalidJson", "%s", msg);
    cedar_error_expected(r->src->err, "%s", expected);
    return false;
}

static bool nomem(struct reader *r)
{
    r->rc = cedar_error_set(r->src->err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    return false;
}

static void blanks(struct reader *r)
{
    while (r->at < r->n && (r->p[r->at] == ' ' || r->p[r->at] == '\t' || r->p[r->at] == '\n' || r->p[r->at] == '\r'))
        r->at++;
}

static bool literal(struct reader *r, const char *word)
{
    size_t n = strlen(word);
    if (r->n - r->at < n || memcmp(r->p + r->at, word, n) != 0)
        return fail(r, r->at, 1, "unexpected character", "a JSON value");
    r->at += n;
    return true;
}

static size_t digits(struct reader *r)
{
    size_t start = r->at;
    while (r->at < r->n && cedar_is_digit((unsigned char)r->p[r->at]))
        r->at++;
    return r->at - start;
}

static bool number(struct reader *r, struct cedar_json *ret)
{
    size_t start = r->at;
    bool neg = r->p[r->at] == '-', exact = true;
    r->at += neg;
    size_t first = r->at, count = digits(r);
    if (count == 0 || (count > 1 && r->p[first] == '0'))
        return fail(r, start, r->at - start + 1, "bad number", "digits without a leading zero");
    int64_t v = 0;
    for (size_t i = first; i < r->at; i++) {
        int64_t d = r->p[i] - '0';
        exact &= !__builtin_mul_overflow(v, (int64_t)10, &v) && !__builtin_add_overflow(v, neg ? -d : d, &v);
    }
    exact &= !(neg && v == 0);
    if (r->at < r->n && r->p[r->at] == '.') {
        r->at++;
        exact = false;
        if (digits(r) == 0)
            return fail(r, start, r->at - start, "bad number", "digits after the point");
    }
    if (r->at < r->n && (r->p[r->at] == 'e' || r->p[r->at] == 'E')) {
        r->at++;
        exact = false;
        r->at += r->at < r->n && (r->p[r->at] == '+' || r->p[r->at] == '-');
        if (digits(r) == 0)
            return fail(r, start, r->at - start, "bad number", "digits in the exponent");
    }
    ret->kind = exact ? CEDAR_JSON_INT : CEDAR_JSON_NUMBER;
    ret->i = exact ? v : 0;
    return true;
}

static bool hex4(struct reader *r, uint32_t *ret)
{
    *ret = 0;
    if (r->n - r->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = r->p[r->at++];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0)
            return false;
        *ret = *ret << 4 | (uint32_t)d;
    }
    return true;
}

/* Behind the backslash. */
static bool escape(struct reader *r, uint32_t *ret)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->at >= r->n)
        return false;
    char c = r->p[r->at++];
    const char *hit = c ? strchr(from, c) : NULL;
    if (hit) {
        *ret = (unsigned char)to[hit - from];
        return true;
    }
    uint32_t low;
    if (c != 'u' || !hex4(r, ret) || (*ret >= 0xdc00 && *ret <= 0xdfff))
        return false;
    if (*ret < 0xd800 || *ret > 0xdbff)
        return true;
    if (r->n - r->at < 2 || r->p[r->at] != '\\' || r->p[r->at + 1] != 'u')
        return false;
    r->at += 2;
    if (!hex4(r, &low) || low < 0xdc00 || low > 0xdfff)
        return false;
    *ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static bool string(struct reader *r, struct cedar_str *ret)
{
    size_t start = r->at++, end = r->at, len = 0;
    while (end < r->n && r->p[end] != '"')
        end += r->p[end] == '\\' ? 2 : 1;
    if (end >= r->n)
        return fail(r, start, 1, "string without its closing quote", "`\"`");
    char *out = cedar_arena_alloc(r->arena, end - r->at + 1);
    if (!out)
        return nomem(r);
    while (r->at < end) {
        unsigned char c = (unsigned char)r->p[r->at];
        uint32_t u;
        if (c < 0x20)
            return fail(r, r->at, 1, "raw control character in a string", "an escape such as \\n");
        if (c != '\\') {
            out[len++] = (char)c;
            r->at++;
            continue;
        }
        size_t from = r->at++;
        if (!escape(r, &u) || r->at > end)
            return fail(r, from, 2, "bad escape in a string", "\\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\uXXXX");
        len += cedar_utf8_encode(u, out + len);
    }
    r->at = end + 1;
    out[len] = '\0';
    *ret = (struct cedar_str){ out, len };
    return true;
}

static bool value(struct reader *r, struct cedar_json *ret);

/* A list growing in the temporary arena by doubling. */
static void *grown(struct reader *r, void *old, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap ? *cap * 2 : 8;
    void *p = cedar_arena_array(r->temp, more, size);
    if (!p) {
        nomem(r);
        return NULL;
    }
    if (n)
        memcpy(p, old, n * size);
    *cap = more;
    return p;
}

static bool too_many(struct reader *r, size_t n)
{
    if (n < CEDAR_MAX_ELEMENTS)
        return false;
    r->rc =
        cedar_error_at(r->src, r->at, 1, CEDAR_E_LIMIT, "TooManyElements", "more than %d elements", CEDAR_MAX_ELEMENTS);
    return true;
}

static bool array(struct reader *r, struct cedar_json *ret)
{
    struct cedar_json *items = NULL;
    size_t cap = 0;
    ret->kind = CEDAR_JSON_ARRAY;
    r->at++;
    blanks(r);
    if (r->at < r->n && r->p[r->at] == ']') {
        r->at++;
        return true;
    }
    for (;;) {
        if (too_many(r, ret->n) || (ret->n == cap && !(items = grown(r, items, ret->n, &cap, sizeof *items))) ||
            !value(r, &items[ret->n]))
            return false;
        ret->n++;
        blanks(r);
        char c = r->at < r->n ? r->p[r->at] : '\0';
        if (c != ',' && c != ']')
            return fail(r, r->at, 1, "unexpected character in an array", "`,` or `]`");
        r->at++;
        if (c == ']')
            break;
    }
    struct cedar_json *kept = cedar_arena_array(r->arena, ret->n, sizeof *kept);
    if (!kept)
        return nomem(r);
    memcpy(kept, items, ret->n * sizeof *kept);
    ret->items = kept;
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct cedar_json_member *x = *(const struct cedar_json_member *const *)a;
    const struct cedar_json_member *y = *(const struct cedar_json_member *const *)b;
    int c = cedar_str_cmp(x->key, y->key);
    return c ? c : x->off < y->off ? -1 : x->off > y->off;
}

/* By sorting, whose worst case nobody can provoke. */
static bool distinct(struct reader *r, const struct cedar_json_member *m, size_t n)
{
    const struct cedar_json_member **order = cedar_arena_array(r->temp, n, sizeof *order);
    if (!order)
        return nomem(r);
    for (size_t i = 0; i < n; i++)
        order[i] = &m[i];
    cedar_sort(order, n, sizeof *order, by_key);
    for (size_t i = 1; i < n; i++) {
        if (!cedar_str_eq(order[i - 1]->key, order[i]->key))
            continue;
        r->rc = cedar_error_at(r->src, order[i]->off, order[i]->len, CEDAR_E_JSON, "DuplicateKey",
                               "key `%.*s` stands twice in this object", CEDAR_ARG(order[i]->key));
        return false;
    }
    return true;
}

static bool member(struct reader *r, struct cedar_json_member *m)
{
    blanks(r);
    m->off = (uint32_t)r->at;
    if (r->at >= r->n || r->p[r->at] != '"')
        return fail(r, r->at, 1, "unexpected character in an object", "a key in double quotes");
    if (!string(r, &m->key))
        return false;
    m->len = (uint32_t)(r->at - m->off);
    blanks(r);
    if (r->at >= r->n || r->p[r->at] != ':')
        return fail(r, r->at, 1, "unexpected character after a key", "`:`");
    r->at++;
    return value(r, &m->value);
}

static bool object(struct reader *r, struct cedar_json *ret)
{
    struct cedar_json_member *members = NULL;
    size_t cap = 0;
    ret->kind = CEDAR_JSON_OBJECT;
    r->at++;
    blanks(r);
    if (r->at < r->n && r->p[r->at] == '}') {
        r->at++;
        return true;
    }
    for (;;) {
        if (too_many(r, ret->n) || (ret->n == cap && !(members = grown(r, members, ret->n, &cap, sizeof *members))) ||
            !member(r, &members[ret->n]))
            return false;
        ret->n++;
        blanks(r);
        char c = r->at < r->n ? r->p[r->at] : '\0';
        if (c != ',' && c != '}')
            return fail(r, r->at, 1, "unexpected character in an object", "`,` or `}`");
        r->at++;
        if (c == '}')
            break;
    }
    struct cedar_json_member *kept = cedar_arena_array(r->arena, ret->n, sizeof *kept);
    if (!kept)
        return nomem(r);
    memcpy(kept, members, ret->n * sizeof *kept);
    ret->members = kept;
    return distinct(r, kept, ret->n);
}

static bool value_of(struct reader *r, struct cedar_json *ret)
{
    char c = r->at < r->n ? r->p[r->at] : '\0';
    switch (c) {
    case '{':
        return object(r, ret);
    case '[':
        return array(r, ret);
    case '"':
        ret->kind = CEDAR_JSON_STRING;
        return string(r, &ret->s);
    case 't':
    case 'f':
        ret->kind = CEDAR_JSON_BOOL;
        ret->b = c == 't';
        return literal(r, c == 't' ? "true" : "false");
    case 'n':
        ret->kind = CEDAR_JSON_NULL;
        return literal(r, "null");
    default:
        if (c == '-' || cedar_is_digit((unsigned char)c))
            return number(r, ret);
        return fail(r, r->at, 1, r->at < r->n ? "unexpected character" : "unexpected end of input", "a JSON value");
    }
}

static bool value(struct reader *r, struct cedar_json *ret)
{
    blanks(r);
    if (r->depth >= r->max_depth) {
        r->rc =
            cedar_error_at(r->src, r->at, 1, CEDAR_E_LIMIT, "NestingTooDeep", "nested more than %u deep", r->max_depth);
        return false;
    }
    r->depth++;
    *ret = (struct cedar_json){ .off = (uint32_t)r->at };
    bool ok = value_of(r, ret);
    ret->len = (uint32_t)(r->at - ret->off);
    r->depth--;
    return ok;
}

int cedar_json_parse(struct cedar_arena *a, struct cedar_arena *temp, const struct cedar_source *src,
                     unsigned max_nesting, struct cedar_json *ret)
{
    struct reader r = { .arena = a, .temp = temp, .src = src, .p = src->text, .n = src->len, .max_depth = max_nesting };
    if (src->len > CEDAR_MAX_TEXT_BYTES)
        return cedar_error_set(src->err, CEDAR_E_LIMIT, "TextTooLong", "text is longer than %d bytes",
                               CEDAR_MAX_TEXT_BYTES);
    size_t valid = cedar_utf8_valid_len(src->text, src->len);
    if (valid != src->len)
        return cedar_error_at(src, valid, 1, CEDAR_E_UTF8, "InvalidUtf8", "text is not UTF-8");
    if (!value(&r, ret))
        return r.rc;
    blanks(&r);
    if (r.at != r.n) {
        fail(&r, r.at, 1, "text behind the JSON value", "the end of the text");
        return r.rc;
    }
    return 0;
}

const struct cedar_json *cedar_json_get(const struct cedar_json *j, const char *key)
{
    struct cedar_str k = cedar_str_c(key);
    if (j->kind != CEDAR_JSON_OBJECT)
        return NULL;
    for (size_t i = 0; i < j->n; i++) {
        if (cedar_str_eq(j->members[i].key, k))
            return &j->members[i].value;
    }
    return NULL;
}

const char *cedar_json_kind_name(const struct cedar_json *j)
{
    static const char *const names[] = { "null",     "a boolean", "an integer", "a number that is no 64-bit integer",
                                         "a string", "an array",  "an object" };
    return names[j->kind];
}
