/* Drives the head parser with every way of cutting the input in two and byte by byte, over a buffer that moves. Test
 * code. */
#ifndef TESTS_UNIT_NET_H1_TEST_H
#define TESTS_UNIT_NET_H1_TEST_H

#include "net_test.h"

#include "net/h1.h"

struct h1_run {
    struct fn_h1 h;
    struct fn_h1_field fields[FN_H1_FIELDS_MAX];
    const struct fn_h1_head *head;
    int rc;
    char *buf; /* exact size: the address sanitizer sees a read past the end */
};

static inline void h1_run_done(struct h1_run *r)
{
    free(r->buf);
    r->buf = NULL;
}

/* Feeds @text in pieces of @step bytes (0: whole), in a fresh buffer each time. */
static inline void h1_feed(struct h1_run *r, enum fn_h1_kind kind, struct fb_str text, size_t step)
{
    fn_h1_init(&r->h, kind, r->fields, FN_H1_FIELDS_MAX, 0);
    r->rc = FN_H1_MORE;
    r->head = NULL;
    r->buf = NULL;
    size_t n = 0;
    while (r->rc == FN_H1_MORE && n < text.n) {
        n = step == 0 || text.n - n < step ? text.n : n + step;
        char *moved = malloc(n);
        memcpy(moved, text.p, n);
        char *old = r->buf;
        r->buf = moved;
        r->rc = fn_h1_parse(&r->h, fb_str_n(moved, n), &r->head);
        free(old);
    }
}

/* Parses whole and in all small steps; the answers must be the same. The last run stays in *@r. */
static inline void h1_all_ways(struct h1_run *r, enum fn_h1_kind kind, struct fb_str text)
{
    h1_feed(r, kind, text, 0);
    int rc = r->rc;
    enum fn_h1_refusal why = r->h.refusal;
    for (size_t step = 1; step < 8; step++) {
        h1_run_done(r);
        h1_feed(r, kind, text, step);
        if (r->rc != rc || r->h.refusal != why)
            fail_msg("step %zu: %d %s, whole: %d %s", step, r->rc, fn_h1_refusal_name(r->h.refusal), rc,
                     fn_h1_refusal_name(why));
    }
}

static inline void h1_refused_n(enum fn_h1_kind kind, struct fb_str text, enum fn_h1_refusal want)
{
    struct h1_run r;
    h1_all_ways(&r, kind, text);
    if (r.rc >= 0 || r.h.refusal != want)
        fail_msg("'%.*s': %d %s, want %s", FB_STR_ARG(text), r.rc, fn_h1_refusal_name(r.h.refusal),
                 fn_h1_refusal_name(want));
    h1_run_done(&r);
}

static inline void h1_refused(const char *text, enum fn_h1_refusal want)
{
    h1_refused_n(FN_H1_REQUEST, fb_str_of(text), want);
}

static inline void h1_response_refused(const char *text, enum fn_h1_refusal want)
{
    h1_refused_n(FN_H1_RESPONSE, fb_str_of(text), want);
}

static inline void h1_ok(struct h1_run *r, enum fn_h1_kind kind, const char *text)
{
    h1_all_ways(r, kind, fb_str_of(text));
    if (r->rc != 0)
        fail_msg("'%s': %d %s", text, r->rc, fn_h1_refusal_name(r->h.refusal));
}

#endif
