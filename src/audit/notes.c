/* Notes from the log's thread to the owner. */
#include "audit/file.h"

#include <stdio.h>

void fa_notes_init(struct fa_notes *n)
{
    memset(n, 0, sizeof *n);
    (void)pthread_mutex_init(&n->lock, NULL);
}

void fa_notes_done(struct fa_notes *n)
{
    (void)pthread_mutex_destroy(&n->lock);
}

void fa_notes_add(struct fa_notes *n, bool warn, const char *fmt, ...)
{
    va_list ap;
    (void)pthread_mutex_lock(&n->lock);
    if (n->n == FA_NOTES_MAX) {
        n->dropped++;
    } else {
        va_start(ap, fmt);
        n->warn[n->n] = warn;
        (void)vsnprintf(n->text[n->n], FA_NOTE_BYTES, fmt, ap);
        va_end(ap);
        n->n++;
    }
    (void)pthread_mutex_unlock(&n->lock);
}

bool fa_notes_any(struct fa_notes *n)
{
    (void)pthread_mutex_lock(&n->lock);
    bool any = n->n > 0;
    (void)pthread_mutex_unlock(&n->lock);
    return any;
}

bool fa_notes_take(struct fa_notes *n, bool *ret_warn, char text[FA_NOTE_BYTES])
{
    (void)pthread_mutex_lock(&n->lock);
    bool some = n->n > 0 || n->dropped > 0;
    if (n->n > 0) {
        *ret_warn = n->warn[0];
        memcpy(text, n->text[0], FA_NOTE_BYTES);
        n->n--;
        memmove(n->warn, n->warn + 1, n->n * sizeof n->warn[0]);
        memmove(n->text, n->text + 1, n->n * sizeof n->text[0]);
    } else if (n->dropped > 0) {
        *ret_warn = true;
        (void)snprintf(text, FA_NOTE_BYTES, "%u more messages about the audit log were dropped", n->dropped);
        n->dropped = 0;
    }
    (void)pthread_mutex_unlock(&n->lock);
    return some;
}
