/* Text being written, on the heap: grows, remembers failure, quotes. Layer: cedar, private. Thread: one writer. */
#ifndef CEDAR_OUT_H
#define CEDAR_OUT_H

#include <cedar/cedar.h>

struct cedar_out {
    char *p;
    size_t n, cap;
    bool failed; /* out of memory; everything after it is dropped */
};

void cedar_out_put(struct cedar_out *o, const char *p, size_t n);
void cedar_out_str(struct cedar_out *o, struct cedar_str s);
void cedar_out_text(struct cedar_out *o, const char *s);
void cedar_out_long(struct cedar_out *o, int64_t i);
/* A Cedar string literal with its quotes; @pattern: stars are escaped too, and no quotes are put. */
void cedar_out_literal(struct cedar_out *o, struct cedar_str s, bool pattern);
/* A JSON string with its quotes. */
void cedar_out_json(struct cedar_out *o, struct cedar_str s);
/* Moves the text to the caller; 0 or CEDAR_E_NOMEM (everything released). */
int cedar_out_take(struct cedar_out *o, struct cedar_text *ret);

#endif
