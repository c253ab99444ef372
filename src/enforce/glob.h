/* Pattern matching of mapping rules, in the two readings a rule file may choose.
 * Source: docs/reference/mapping-rules.md. Layer: enforce (L2). Thread: any. No allocation. */
#ifndef ENFORCE_GLOB_H
#define ENFORCE_GLOB_H

#include "base/str.h"

#include <stdint.h>

/* Loose: every `*` stands for any run of characters, separators included, also for none. Linear in the text. */
bool fe_glob_loose(struct fb_str pattern, struct fb_str text);

enum fe_glob_result { FE_GLOB_NO = 0, FE_GLOB_YES = 1, FE_GLOB_TOO_MUCH = 2 /* *@steps ran out */ };

/**
 * Strict: `*` stays inside one part (parts are divided by the characters of @separators) and, where it is the whole part,
 * stands for at least one character; `**` stands for anything. A pattern that is just `*` matches everything.
 * @steps  work that may still be done, in characters compared; lowered
 */
enum fe_glob_result fe_glob_segment(struct fb_str pattern, struct fb_str text, const char *separators, uint64_t *steps);

#endif
