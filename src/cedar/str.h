/* Borrowed text: comparing, hashing, UTF-8, names. Layer: cedar, private. Thread: any. */
#ifndef CEDAR_STR_H
#define CEDAR_STR_H

#include <cedar/cedar.h>

#define CEDAR_S(lit) ((struct cedar_str){ "" lit, sizeof(lit) - 1 })

/* Total order by bytes, shorter first when one is a prefix. */
int cedar_str_cmp(struct cedar_str a, struct cedar_str b);
/* Seeded with @h, so that parts can be chained; not for hostile key choice beyond what the callers bound. */
uint32_t cedar_str_hash(uint32_t h, struct cedar_str s);
/* Bytes of the character that starts at @p (1 to 4), its value in *@ret; 0 when it is not UTF-8. */
size_t cedar_utf8_decode(const char *p, size_t n, uint32_t *ret);
/* Writes 1 to 4 bytes; 0 for a surrogate or a value above 10FFFF. */
size_t cedar_utf8_encode(uint32_t c, char out[4]);
/* Length of the valid prefix: equal to @n when all of it is UTF-8. */
size_t cedar_utf8_valid_len(const char *p, size_t n);
/* Unicode White_Space. */
bool cedar_is_space(uint32_t c);
static inline bool cedar_is_ident_start(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static inline bool cedar_is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}
static inline bool cedar_is_ident_char(unsigned char c)
{
    return cedar_is_ident_start(c) || cedar_is_digit(c);
}
/* Words that are no identifiers: true false if then else in is has like __cedar. */
bool cedar_is_reserved(struct cedar_str s);
/* [A-Za-z_][A-Za-z0-9_]* and not reserved. */
bool cedar_is_ident(struct cedar_str s);
/* ident ( "::" ident )*, without blanks. */
bool cedar_is_name(struct cedar_str s);
/* Last part of a name. */
struct cedar_str cedar_name_base(struct cedar_str s);
/* Everything before the last "::", or "". */
struct cedar_str cedar_name_namespace(struct cedar_str s);
/* Edits (insert, delete, replace, swap) between two short texts, at most @limit + 1. */
unsigned cedar_str_distance(struct cedar_str a, struct cedar_str b, unsigned limit);

#endif
