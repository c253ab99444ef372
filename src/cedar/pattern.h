/* `like` patterns: literal runs between stars.
 * Source: Cedar formal model, wildcards. Layer: cedar, private. Thread: any. */
#ifndef CEDAR_PATTERN_H
#define CEDAR_PATTERN_H

#include "cedar/lex.h"

/* Segments around the stars: n_segments - 1 stars; a segment may be empty. No star: one segment. */
struct cedar_pattern {
    const struct cedar_str *segments;
    size_t n_segments; /* at least 1 */
};

/* From a string token. 0, @code with a position, CEDAR_E_NOMEM. */
int cedar_pattern_decode(struct cedar_arena *a, const struct cedar_source *src, const struct cedar_token *t, int code,
                         struct cedar_pattern *ret);
/* Whole-string match. Never more than length times pattern length steps. UTF-8 on both sides, so bytes will do. */
bool cedar_pattern_match(const struct cedar_pattern *p, struct cedar_str s);
bool cedar_pattern_eq(const struct cedar_pattern *a, const struct cedar_pattern *b);

#endif
