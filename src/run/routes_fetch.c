/* One small request, or the mapping files. */
#include "run/routes_fetch.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/toml.h"
#include "run/settle.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads to the end of the stream before the deadline. */
static int read_reply(int fd, struct fb_buf *reply, int64_t deadline_ms)
{
    for (;;) {
        int64_t left = deadline_ms - fb_clock_mono_ms();
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (left <= 0 || poll(&p, 1, (int)left) <= 0)
            return -ETIMEDOUT;
        if (fb_buf_reserve(reply, 16384) < 0)
            return -EMSGSIZE;
        ssize_t n = read(fd, reply->p + reply->n, 16384);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            reply->n += (size_t)n;
    }
}

static int ask_socket(const struct run_settled *s, struct run_routes *ret, struct fb_err *err)
{
    static const char request[] = "GET /routes HTTP/1.1\r\nHost: firma\r\nConnection: close\r\n\r\n";
    fb_auto(fb_fd_close) int fd = run_endpoint_connect(&s->endpoint, RUN_ENDPOINT_PROBE_MS, err);
    if (fd < 0)
        return fd;
    struct fb_buf reply;
    fb_buf_init(&reply, RUN_ROUTES_FETCH_MAX_BYTES);
    int r = fb_fd_write_all(fd, request, sizeof request - 1) < 0
                ? -EPIPE
                : read_reply(fd, &reply, fb_clock_mono_ms() + RUN_ROUTES_FETCH_MS);
    struct fb_str text = fb_buf_str(&reply);
    const char *body = text.n == 0 ? NULL : memmem(text.p, text.n, "\r\n\r\n", 4);
    if (r < 0)
        r = fb_err_sys(err, FB_E_SIDECAR_UNREACHABLE, -r, "%s does not say which names it routes", s->endpoint.text);
    else if (body == NULL || !fb_str_starts(text, FB_STR("HTTP/1.1 200 ")))
        r = fb_err_set(err, FB_E_SIDECAR_UNREACHABLE, "%s does not answer like a Sidecar that trusts you", s->endpoint.text);
    else
        r = run_routes_set(ret, fb_str_n(body + 4, text.n - (size_t)(body + 4 - text.p)), err);
    fb_buf_done(&reply);
    return r;
}

/* Host patterns of one mapping file, ports cut off. */
static int add_file(const char *path, struct fb_buf *lines, struct fb_err *err)
{
    struct fb_buf text;
    fb_buf_init(&text, FB_TOML_INPUT_MAX_BYTES);
    struct fb_toml_doc *doc = NULL;
    int r = fb_fs_read(path, FB_FS_OWNED, &text, err);
    if (r == 0)
        r = fb_toml_parse(fb_buf_str(&text), path, &doc, err);
    const struct fb_toml *rules = r < 0 ? NULL : fb_toml_get(fb_toml_root(doc), "rules");
    for (const struct fb_toml *rule = rules == NULL ? NULL : rules->first; rule != NULL; rule = rule->next) {
        const struct fb_toml *host = fb_toml_get(rule, "host");
        if (host == NULL || host->kind != FB_TOML_STRING)
            continue;
        for (size_t i = 0; i < host->s.n && host->s.p[i] != ':'; i++) {
            char c = host->s.p[i];
            fb_buf_addc(lines, c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c);
        }
        fb_buf_addc(lines, '\n');
    }
    fb_toml_free(doc);
    fb_buf_done(&text);
    return r < 0 ? fb_err_recode(err, FB_E_CONFIG_PARSE) : 0;
}

static int add_path(const struct run_settled *s, struct fb_str path, struct fb_buf *lines, struct fb_err *err)
{
    char *text = fb_str_dupz(path);
    char *joined = text == NULL ? NULL : fb_fs_join(s->config.dir, text);
    int r = joined == NULL ? fb_err_set(err, FB_E_NOMEM, "out of memory") : add_file(joined, lines, err);
    free(text);
    free(joined);
    return r;
}

static int read_mapping(const struct run_settled *s, struct run_routes *ret, struct fb_err *err)
{
    const struct fb_toml *root = s->config.doc == NULL ? NULL : fb_toml_root(s->config.doc);
    const struct fb_toml *mapping = root == NULL ? NULL : fb_toml_path(root, "sidecar.mapping");
    const struct fb_toml *one = fb_toml_get(mapping, "rules_path");
    const struct fb_toml *many = fb_toml_get(mapping, "rules_paths");
    struct fb_buf lines;
    fb_buf_init(&lines, RUN_ROUTES_FETCH_MAX_BYTES);
    int r = one == NULL || one->kind != FB_TOML_STRING ? 0 : add_path(s, one->s, &lines, err);
    for (const struct fb_toml *i = many == NULL ? NULL : many->first; r == 0 && i != NULL; i = i->next)
        if (i->kind == FB_TOML_STRING)
            r = add_path(s, i->s, &lines, err);
    if (r == 0)
        r = run_routes_set(ret, fb_buf_str(&lines), err);
    fb_buf_done(&lines);
    return r;
}

int run_routes_fetch(const struct run_settled *s, struct run_routes *ret, struct fb_err *err)
{
    return s->endpoint.kind == RUN_ENDPOINT_UNIX ? ask_socket(s, ret, err) : read_mapping(s, ret, err);
}
