/* Filling and rendering diagnostics. Layer: cedar, private (cedar_error_render is public). Thread: any. */
#ifndef CEDAR_DIAG_H
#define CEDAR_DIAG_H

#include <cedar/cedar.h>

#include <stdarg.h>

/* A text being read, and where its first error goes. */
struct cedar_source {
    const char *text;
    size_t len;
    struct cedar_error *err; /* never NULL inside the library */
};

/* Formats into @err (may be NULL) without a position; expected and hint become "". Returns @code. In @fmt, `%.*s` of
 * user text is fine: control characters are escaped afterwards. */
int cedar_error_set(struct cedar_error *err, int code, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with the position of @length bytes at @offset. */
int cedar_error_at(const struct cedar_source *src, size_t offset, size_t length, int code, const char *kind,
                   const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Adds to an error that is set already. */
void cedar_error_expected(struct cedar_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cedar_error_hint(struct cedar_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "did you mean `x`?" when one of @names is close to @got. */
void cedar_error_suggest(struct cedar_error *err, struct cedar_str got, const char *const *names, size_t n);
/* Line and column of an offset. */
void cedar_source_position(const char *text, size_t len, size_t offset, uint32_t *ret_line, uint32_t *ret_col);

/* For "%.*s": a length cut to what a message can hold. */
#define CEDAR_ARG(s) ((int)((s).len > 120 ? 120 : (s).len)), ((s).len ? (s).ptr : "")

#endif
