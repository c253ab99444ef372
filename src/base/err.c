/* The error table and its printing. */
#include "base/err.h"

#include "base/escape.h"

#include <string.h>

struct row {
    const char *name;
    int status;
    const char *remedy;
};

static const struct row rows[] = {
#define FB_ERR(sym, name, status, remedy) { name, status, remedy },
#include "base/err_table.h"
#undef FB_ERR
};

static const struct row *row_of(int code)
{
    int index = -code - 1;
    return index >= 0 && index < FB_IDX_COUNT ? &rows[index] : &rows[FB_IDX_INTERNAL];
}

static void set_text(struct fb_err *err, int code, int os_errno, const char *fmt, va_list ap)
{
    err->code = code;
    err->os_errno = os_errno;
    err->remedy[0] = '\0';
    /* A message too long for its place is cut: reporting must never fail. */
    if (vsnprintf(err->msg, sizeof err->msg, fmt, ap) < 0)
        err->msg[0] = '\0';
}

int fb_err_set(struct fb_err *err, int code, const char *fmt, ...)
{
    if (err == NULL)
        return code;
    va_list ap;
    va_start(ap, fmt);
    set_text(err, code, 0, fmt, ap);
    va_end(ap);
    return code;
}

int fb_err_sys(struct fb_err *err, int code, int os_errno, const char *fmt, ...)
{
    if (err == NULL)
        return code;
    va_list ap;
    va_start(ap, fmt);
    set_text(err, code, os_errno, fmt, ap);
    va_end(ap);
    char reason[128];
    const char *text = strerror_r(os_errno, reason, sizeof reason);
    size_t used = strlen(err->msg);
    (void)snprintf(err->msg + used, sizeof err->msg - used, ": %s", text);
    return code;
}

int fb_err_wrap(struct fb_err *err, const char *fmt, ...)
{
    if (err == NULL)
        return FB_E_INTERNAL;
    char inner[FB_ERR_MSG_BYTES];
    memcpy(inner, err->msg, sizeof inner);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    size_t used = n < 0 ? 0 : strlen(err->msg);
    (void)snprintf(err->msg + used, sizeof err->msg - used, ": %.*s", (int)(sizeof inner - 1), inner);
    return err->code;
}

int fb_err_recode(struct fb_err *err, int code)
{
    if (err != NULL)
        err->code = code;
    return code;
}

void fb_err_remedy(struct fb_err *err, const char *fmt, ...)
{
    if (err == NULL)
        return;
    va_list ap;
    va_start(ap, fmt);
    if (vsnprintf(err->remedy, sizeof err->remedy, fmt, ap) < 0)
        err->remedy[0] = '\0';
    va_end(ap);
}

const char *fb_err_name(int code)
{
    return row_of(code)->name;
}

int fb_err_status(int code)
{
    return row_of(code)->status;
}

const char *fb_err_default_remedy(int code)
{
    return row_of(code)->remedy;
}

void fb_err_print(FILE *out, const struct fb_err *err)
{
    char msg[FB_ERR_MSG_BYTES * FB_ESCAPE_GROWTH];
    char remedy[FB_ERR_REMEDY_BYTES * FB_ESCAPE_GROWTH];
    fb_escape_term(msg, sizeof msg, err->msg, strlen(err->msg));
    const char *hint = err->remedy[0] != '\0' ? err->remedy : fb_err_default_remedy(err->code);
    fb_escape_term(remedy, sizeof remedy, hint, strlen(hint));
    fprintf(out, "error: %s: %s\n  hint: %s\n", fb_err_name(err->code), msg, remedy);
}
