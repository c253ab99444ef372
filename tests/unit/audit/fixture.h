/* Keys and lines of the published example (test keys, never for use), and small helpers for the audit tests. */
#ifndef TEST_AUDIT_FIXTURE_H
#define TEST_AUDIT_FIXTURE_H

#include "audit/log.h"
#include "audit/verify.h"
#include "base/fs.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define EXAMPLE_PUBLIC                                                   \
    "-----BEGIN PUBLIC KEY-----\n"                                       \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n" \
    "Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n"     \
    "-----END PUBLIC KEY-----\n"

#define EXAMPLE_LINE_1                                                                                             \
    "{\"event_id\":\"019e3a19-6c03-7001-8000-00000000000a\",\"session_id\":\"sess_1\","                            \
    "\"token_id\":\"79dd9ffb-ebc8-4883-8f1e-72eb74a26e33\",\"agent_id\":\"agent_1\","                              \
    "\"action\":\"communication.external.send\",\"resource\":\"127.0.0.1:9100/allow\",\"decision\":1,"             \
    "\"deny_reason\":\"\",\"enforcement_latency_us\":412,"                                                         \
    "\"context_hash\":\"8d70ac49793bbf079cc469e2c03ef9ce09d90a314d4af39857665a5696dff8b7\","                       \
    "\"bundle_version\":\"9b3f9f382ae984b9f21629b589a4a4a87e84769b5b3cd9021f8027821d741dff\","                     \
    "\"timestamp\":1779091205123456789,\"dispatch_status\":200,\"dispatch_latency_us\":1830,\"response_size\":27," \
    "\"sandbox_id\":\"\",\"provenance\":\"\",\"thread_id\":\"\",\"parent_action_id\":\"\","                        \
    "\"signature\":\"MEYCIQCDeNCd+Af6I0Q3Awc9wrG4LTdVtW6FyXT7F+OLORgT2gIhAJ17DS6RR6goVNc/"                         \
    "Sv32OKn9edg1+xSsRVvkFbDKqnep\"}"

#define EXAMPLE_LINE_2                                                                                               \
    "{\"event_id\":\"019e3a19-9078-7002-8000-00000000000b\",\"session_id\":\"sess_1\","                              \
    "\"token_id\":\"79dd9ffb-ebc8-4883-8f1e-72eb74a26e33\",\"agent_id\":\"agent_1\","                                \
    "\"action\":\"communication.external.send\",\"resource\":\"127.0.0.1:9100/deny\",\"decision\":2,"                \
    "\"deny_reason\":\"policy denied: policy denied action 'communication.external.send' on resource "               \
    "'127.0.0.1:9100/deny'\",\"enforcement_latency_us\":287,"                                                        \
    "\"context_hash\":\"8d70ac49793bbf079cc469e2c03ef9ce09d90a314d4af39857665a5696dff8b7\",\"bundle_version\":\"\"," \
    "\"timestamp\":1779091214456000000,\"dispatch_status\":0,\"dispatch_latency_us\":0,\"response_size\":0,"         \
    "\"sandbox_id\":\"\",\"provenance\":\"\",\"thread_id\":\"\",\"parent_action_id\":\"\","                          \
    "\"signature\":\"MEYCIQDJCYJ1je8XW9jNzaYTnjF7+yk7t+"                                                             \
    "bLnJYH8R8EU9bz6wIhANYdqbhjWxsIfJJIu3nEDuMdvUTrdNjdn1AMUhAT0Pq4\"}"

/* A directory of ours with a fresh key pair in it. */
struct place {
    char dir[64];
    char log[96];
    char head[96];
    char key[96];
    struct fb_buf secret;
    struct fb_buf public_key;
    int pipe[2]; /* wake */
    unsigned warned;
    unsigned told;
    char last_note[512];
};

static inline void read_file(const char *path, struct fb_buf *out)
{
    fb_buf_reset(out);
    assert_int_equal(fb_fs_read(path, FB_FS_ANY, out, NULL), 0);
}

int fa_key_generate(const char *path, struct fb_err *err);

static inline int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    char public_path[96];
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/firma-audit-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->log, sizeof p->log, "%s/audit.jsonl", p->dir);
    (void)snprintf(p->head, sizeof p->head, "%s/audit.jsonl.head", p->dir);
    (void)snprintf(p->key, sizeof p->key, "%s/audit.key", p->dir);
    (void)snprintf(public_path, sizeof public_path, "%s/audit.pub", p->dir);
    assert_int_equal(fa_key_generate(p->key, NULL), 0);
    fb_buf_init(&p->secret, 1 << 16);
    fb_buf_init(&p->public_key, 1 << 16);
    read_file(p->key, &p->secret);
    read_file(public_path, &p->public_key);
    assert_int_equal(pipe2(p->pipe, O_NONBLOCK | O_CLOEXEC), 0);
    *state = p;
    return 0;
}

static inline int drop_place(void **state)
{
    struct place *p = *state;
    struct fb_err err = { 0 };
    const char *name = strrchr(p->dir, '/') + 1;
    int tmp = open("/tmp", O_RDONLY | O_DIRECTORY);
    assert_int_equal(fb_fs_remove_tree_at(tmp, name, &err), 0);
    (void)close(tmp);
    (void)close(p->pipe[0]);
    (void)close(p->pipe[1]);
    fb_buf_done(&p->secret);
    fb_buf_done(&p->public_key);
    free(p);
    return 0;
}

static inline void wake(void *arg)
{
    struct place *p = arg;
    (void)!write(p->pipe[1], "", 1);
}

static inline void notice(void *arg, bool warn, const char *text)
{
    struct place *p = arg;
    if (warn)
        p->warned++;
    else
        p->told++;
    (void)snprintf(p->last_note, sizeof p->last_note, "%s", text);
    if (getenv("FIRMA_TEST_SHOW") != NULL)
        fprintf(stderr, "%s: %s\n", warn ? "WARN" : "note", text);
}

static inline struct fa_log_options options_of(struct place *p)
{
    return (struct fa_log_options){ .sink = FA_LOG_FILE,
                                    .path = p->log,
                                    .key_pem = fb_buf_str(&p->secret),
                                    .wake = wake,
                                    .wake_arg = p,
                                    .notice = notice,
                                    .notice_arg = p,
                                    .slots = 256 };
}

static inline struct fa_log *open_log(struct place *p)
{
    struct fa_log_options o = options_of(p);
    struct fa_log *log = NULL;
    struct fb_err err = { 0 };
    if (fa_log_open(&o, &log, &err) < 0)
        fail_msg("open: %s", err.msg);
    return log;
}

/* Waits for the next completions; false after ten seconds without any. */
static inline bool await(struct place *p, struct fa_log *log, size_t n)
{
    size_t got = fa_log_take_completions(log);
    while (got < n) {
        struct pollfd wait = { p->pipe[0], POLLIN, 0 };
        if (poll(&wait, 1, 10000) <= 0)
            return false;
        char drain[64];
        while (read(p->pipe[0], drain, sizeof drain) > 0)
            ;
        got += fa_log_take_completions(log);
    }
    return true;
}

static inline void count_done(void *arg, int code)
{
    int *counts = arg; /* [0] written, [1] failed */
    counts[code == 0 ? 0 : 1]++;
}

static inline struct fa_event some_event(const char *resource)
{
    return (struct fa_event){ .session_id = FB_STR("sess_1"),
                              .action = FB_STR("raw.http.GET"),
                              .resource = fb_str_of(resource),
                              .decision = FA_DENY,
                              .deny_reason = FB_STR("unclassified intent: x"),
                              .enforcement_latency_us = 42 };
}

/* Commits @n events and waits until they are done. */
static inline void write_events(struct place *p, struct fa_log *log, int n)
{
    int counts[2] = { 0, 0 };
    for (int i = 0; i < n; i++) {
        struct fa_slot *slot;
        struct fa_event ev = some_event("example.com/");
        assert_int_equal(fa_log_reserve(log, &slot), 0);
        fa_log_commit(log, slot, &ev, count_done, counts);
    }
    assert_true(await(p, log, (size_t)n));
    assert_int_equal(counts[0], n);
    assert_int_equal(counts[1], 0);
}

struct verdict {
    unsigned ok;
    unsigned bad;
    unsigned chain_bad;
    unsigned head_ok;
    unsigned head_bad;
    char text[1024]; /* bad findings, one a line */
    int code;
};

static inline void note_finding(void *arg, enum fa_finding what, struct fb_str id, struct fb_str text)
{
    struct verdict *v = arg;
    v->ok += what == FA_LINE_OK;
    v->bad += what == FA_LINE_BAD;
    v->chain_bad += what == FA_CHAIN_BAD;
    v->head_ok += what == FA_HEAD_OK;
    v->head_bad += what == FA_HEAD_BAD;
    if (what == FA_LINE_BAD || what == FA_CHAIN_BAD || what == FA_HEAD_BAD) {
        size_t used = strlen(v->text);
        (void)snprintf(v->text + used, sizeof v->text - used, "%.*s %.*s\n", FB_STR_ARG(id), FB_STR_ARG(text));
    }
}

static inline struct verdict verify_text(struct fb_str public_pem, struct fb_str text, struct fb_str head)
{
    struct verdict out = { 0 };
    struct fa_verify *v = NULL;
    assert_int_equal(fa_verify_new(public_pem, note_finding, &out, &v, NULL), 0);
    while (text.n > 0) {
        size_t n = fb_str_index(text, '\n');
        bool complete = n < text.n;
        fa_verify_line(v, fb_str_n(text.p, n), complete);
        n += complete ? 1 : 0;
        text = fb_str_n(text.p + n, text.n - n);
    }
    if (head.n > 0)
        fa_verify_head(v, head);
    out.code = fa_verify_finish(v);
    fa_verify_free(v);
    return out;
}

static inline struct verdict verify_place(struct place *p)
{
    struct fb_buf text;
    struct fb_buf head;
    fb_buf_init(&text, 64 << 20);
    fb_buf_init(&head, 1 << 16);
    read_file(p->log, &text);
    read_file(p->head, &head);
    struct verdict v = verify_text(fb_buf_str(&p->public_key), fb_buf_str(&text), fb_buf_str(&head));
    fb_buf_done(&text);
    fb_buf_done(&head);
    return v;
}

#endif
