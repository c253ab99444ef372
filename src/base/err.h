/* Errors: a closed table of names, and a caller-owned object that carries the text to the person.
 * Convention everywhere: 0 = success, negative = one of enum fb_code, positive only where a header lists outcomes.
 * Layer: base (L0). Thread: any; an error object belongs to one thread. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/macros.h"

#include <stdarg.h>
#include <stdio.h>

enum fb_err_index {
#define FB_ERR(sym, name, status, remedy) FB_IDX_##sym,
#include "base/err_table.h"
#undef FB_ERR
    FB_IDX_COUNT
};

/* Negative so that `return FB_E_IO;` cannot be mistaken for an outcome. */
enum fb_code {
    FB_OK = 0,
#define FB_ERR(sym, name, status, remedy) FB_E_##sym = -(int)(FB_IDX_##sym + 1),
#include "base/err_table.h"
#undef FB_ERR
};

enum { FB_ERR_MSG_BYTES = 1024, FB_ERR_REMEDY_BYTES = 512 };

struct fb_err {
    int code;     /* enum fb_code; FB_OK while nothing is set */
    int os_errno; /* errno at the origin, 0 when none */
    char msg[FB_ERR_MSG_BYTES];
    char remedy[FB_ERR_REMEDY_BYTES]; /* empty: the table's default is printed */
};

/* Sets @err (may be NULL) and returns @code, so that a failure is one line: `return fb_err_set(err, FB_E_IO, "...")`.
 * The text is cut at FB_ERR_MSG_BYTES. Messages: lower case, no full stop, names in single quotes. */
int fb_err_set(struct fb_err *err, int code, const char *fmt, ...) FB_PRINTF(3, 4);

/* Like fb_err_set, and appends ": " and the text of @os_errno (pass errno). */
int fb_err_sys(struct fb_err *err, int code, int os_errno, const char *fmt, ...) FB_PRINTF(4, 5);

/* Puts "context: " in front of the message already there; keeps the code. Returns err->code (FB_E_INTERNAL if NULL). */
int fb_err_wrap(struct fb_err *err, const char *fmt, ...) FB_PRINTF(2, 3);

/* Replaces the code (and so the printed name), keeps the text. Returns @code. */
int fb_err_recode(struct fb_err *err, int code);

/* Sets the remedy line for this one case. */
void fb_err_remedy(struct fb_err *err, const char *fmt, ...) FB_PRINTF(2, 3);

/* The contract name ("ConfigParse"), exit status and default remedy of a code; unknown codes read as Internal. */
const char *fb_err_name(int code);
int fb_err_status(int code);
const char *fb_err_default_remedy(int code);

/* Prints `error: <Name>: <text>` and `  hint: <remedy>` to @out, both escaped for a terminal. */
void fb_err_print(FILE *out, const struct fb_err *err);

#endif
