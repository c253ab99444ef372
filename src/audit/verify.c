/* Checking a log. */
#include "audit/verify.h"

#include "audit/head.h"

#include <stdio.h>
#include <stdlib.h>

_Static_assert((int)FA_VERIFY_LINE_MAX_BYTES == (int)FA_LINE_MAX_BYTES, "the same line");

enum { TEXT_BYTES = 256 };

struct fa_verify {
    struct fa_key *key;
    fa_verify_fn *fn;
    void *arg;
    struct fb_buf scratch;
    struct fa_chain at; /* after the last line that had a place in the chain */
    bool at_known;      /* at.hash is that of the line read last */
    bool any_chain;
    bool chain_bad;
    bool head_seen;
    bool bad;
    uint64_t lines;
    uint64_t good;
};

int fa_verify_new(struct fb_str public_pem, fa_verify_fn *fn, void *arg, struct fa_verify **ret, struct fb_err *err)
{
    *ret = NULL;
    struct fa_verify *v = calloc(1, sizeof *v);
    if (v == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    int rc = fa_key_from_public_pem(public_pem, &v->key, err);
    if (rc < 0) {
        free(v);
        return rc;
    }
    v->fn = fn;
    v->arg = arg;
    v->at_known = true;
    fb_buf_init(&v->scratch, FA_LINE_MAX_BYTES);
    *ret = v;
    return 0;
}

void fa_verify_free(struct fa_verify *v)
{
    if (v == NULL)
        return;
    fa_key_free(v->key);
    fb_buf_done(&v->scratch);
    free(v);
}

static void report(struct fa_verify *v, enum fa_finding what, struct fb_str event_id, const char *text)
{
    if (what == FA_LINE_BAD || what == FA_CHAIN_BAD || what == FA_HEAD_BAD)
        v->bad = true;
    if (what == FA_CHAIN_BAD)
        v->chain_bad = true;
    v->fn(v->arg, what, event_id, fb_str_of(text));
}

/* What a line that is not in its place tells. */
static void explain_gap(struct fa_verify *v, const struct fa_line *line)
{
    char text[TEXT_BYTES];
    unsigned long long seq = (unsigned long long)line->seq;
    unsigned long long want = (unsigned long long)v->at.seq + 1;
    if (line->seq > v->at.seq + 1)
        (void)snprintf(text, sizeof text, "lines %llu to %llu are missing before this one (line %llu)", want, seq - 1,
                       seq);
    else if (line->seq < v->at.seq + 1)
        (void)snprintf(text, sizeof text, "line %llu stands where line %llu should: repeated or reordered", seq, want);
    else
        (void)snprintf(text, sizeof text,
                       "line %llu does not follow the line before it: one of them was altered or exchanged", seq);
    report(v, FA_CHAIN_BAD, line->ev.event_id, text);
}

static void check_place(struct fa_verify *v, const struct fa_line *line, struct fb_str text)
{
    if (!line->has_chain) {
        if (v->any_chain)
            report(v, FA_CHAIN_BAD, line->ev.event_id, "this line has no place in the chain: it was put in");
        return;
    }
    bool follows = fa_line_follows(line, &v->at);
    /* After a line that could not be read only the number can be compared. */
    if (!v->at_known)
        follows = line->seq == v->at.seq + 1;
    if (!v->any_chain && v->lines > 1)
        report(v, FA_CHAIN_BAD, line->ev.event_id, "the lines before this one have no place in the chain");
    v->any_chain = true;
    if (!follows)
        explain_gap(v, line);
    v->at.seq = line->seq;
    fa_key_hash(v->key, text.p, text.n, v->at.hash);
    v->at_known = true;
}

void fa_verify_line(struct fa_verify *v, struct fb_str text, bool complete)
{
    struct fa_line line;
    const char *why;
    char name[64];
    v->lines++;
    (void)snprintf(name, sizeof name, "line %llu", (unsigned long long)v->lines);
    if (!complete) {
        report(v, FA_LINE_BAD, fb_str_of(name), "cut in the middle");
        return;
    }
    if (fa_line_parse(text, &line, &why) < 0) {
        report(v, FA_LINE_BAD, fb_str_of(name), why);
        v->at.seq++; /* it stands for one line, whatever it was */
        v->at_known = false;
        return;
    }
    struct fb_str id = line.ev.event_id.n > 0 ? line.ev.event_id : fb_str_of(name);
    if (fa_line_verify(&line, v->key, &v->scratch)) {
        v->good++;
        report(v, FA_LINE_OK, id, "");
    } else {
        report(v, FA_LINE_BAD, id, "the signature does not match: the line was altered, or another key signed it");
    }
    check_place(v, &line, text);
    fa_line_done(&line);
}

void fa_verify_head(struct fa_verify *v, struct fb_str head_text)
{
    struct fa_head head;
    char text[TEXT_BYTES];
    v->head_seen = true;
    enum fa_head_state state = fa_head_parse(head_text, v->key, &head);
    unsigned long long count = (unsigned long long)head.at.seq;
    unsigned long long seq = (unsigned long long)v->at.seq;
    if (state != FA_HEAD_VALID) {
        report(v, FA_HEAD_BAD, FB_STR(""),
               state == FA_HEAD_MISSING ? "the head file is empty" : "the head is not signed by this key");
    } else if (v->at.seq < head.at.seq) {
        (void)snprintf(text, sizeof text,
                       "the head counts %llu lines, the log ends at line %llu: lines %llu to %llu were cut off", count,
                       seq, seq + 1, count);
        report(v, FA_HEAD_BAD, FB_STR(""), text);
    } else if (v->at.seq > head.at.seq) {
        (void)snprintf(text, sizeof text,
                       "the head counts %llu lines, the log ends at line %llu: the head is older (writer "
                       "stopped in between, or still at work)",
                       count, seq);
        /* The lines themselves are signed; a head that lags is what kill -9 leaves. It is no cut. */
        report(v, FA_HEAD_OK, FB_STR(""), text);
    } else if (!v->at_known || memcmp(v->at.hash, head.at.hash, sizeof head.at.hash) != 0) {
        (void)snprintf(text, sizeof text, "line %llu is not the one that the head names: it was altered or exchanged",
                       seq);
        report(v, FA_HEAD_BAD, FB_STR(""), text);
    } else {
        (void)snprintf(text, sizeof text, "%llu lines%s", count,
                       head.sealed ? ", sealed" : ", not sealed (the writer runs, or was killed)");
        report(v, FA_HEAD_OK, FB_STR(""), text);
    }
}

int fa_verify_finish(struct fa_verify *v)
{
    char text[TEXT_BYTES];
    bool chained = v->any_chain || v->lines == 0;
    (void)snprintf(text, sizeof text, "%llu lines, %llu with a good signature%s", (unsigned long long)v->lines,
                   (unsigned long long)v->good,
                   chained ? "" : "; no chain in this log: missing lines cannot be noticed");
    if (!v->chain_bad)
        report(v, chained ? FA_CHAIN_OK : FA_CHAIN_ABSENT, FB_STR(""), text);
    if (!v->head_seen)
        report(v, FA_HEAD_ABSENT, FB_STR(""), "no head file given: lines cut from the end cannot be noticed");
    return v->bad ? 1 : 0;
}
