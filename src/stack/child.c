/* Messages between a launcher and its child. */
#include "stack/child.h"

#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static int get_ready(int fd, struct fb_err *err)
{
    int bytes = ST_CHILD_MSG_MAX_BYTES;
    /* The kernel refuses a message that does not fit the send buffer. */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) != 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot set up a control socket");
    return 0;
}

int st_child_pair(int ret_fds[2], struct fb_err *err)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot make a control socket");
    int r = get_ready(fds[0], err);
    if (r == 0)
        r = get_ready(fds[1], err);
    if (r != 0) {
        fb_fd_close(&fds[0]);
        fb_fd_close(&fds[1]);
        return r;
    }
    ret_fds[0] = fds[0];
    ret_fds[1] = fds[1];
    return 0;
}

static void add_text(struct fb_buf *out, struct fb_str s)
{
    if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
        out->failed = true;
    fb_buf_adds(out, s);
    fb_buf_addc(out, '\0');
}

int st_child_send(int sock, enum st_msg_type type, const struct st_pair *pairs, size_t n_pairs, const int *fds,
                  size_t n_fds, struct fb_err *err)
{
    struct fb_buf fb_auto(fb_buf_done) out;
    fb_buf_init(&out, ST_CHILD_MSG_MAX_BYTES);
    fb_buf_addc(&out, (char)type);
    for (size_t i = 0; i < n_pairs; i++) {
        add_text(&out, pairs[i].key);
        add_text(&out, pairs[i].value);
    }
    if (fb_buf_failed(&out) || n_pairs > ST_CHILD_PAIRS_MAX)
        return fb_err_set(err, FB_E_LIMIT, "a control message is too large or holds a NUL");
    int r = fb_fd_send(sock, out.p, out.n, fds, n_fds);
    if (r == FB_E_LIMIT)
        return fb_err_set(err, FB_E_LIMIT, "a control message is too large");
    if (r != 0 && (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN))
        return fb_err_set(err, FB_E_UNAVAILABLE, "the other side of the control socket is gone");
    if (r != 0)
        return fb_err_sys(err, r, errno, "cannot send a control message");
    return 0;
}

static bool is_known(char c)
{
    return c != '\0' && strchr("SLCXRFDA", c) != NULL;
}

/* The next NUL-terminated text of @rest. */
static bool take_text(struct fb_str *rest, struct fb_str *ret)
{
    size_t at = fb_str_index(*rest, '\0');
    if (at == rest->n)
        return false;
    *ret = fb_str_n(rest->p, at);
    *rest = fb_str_n(rest->p + at + 1, rest->n - at - 1);
    return true;
}

static bool read_pairs(struct st_msg *m, struct fb_str rest)
{
    while (rest.n > 0) {
        struct st_pair pair;
        if (m->n_pairs == ST_CHILD_PAIRS_MAX || !take_text(&rest, &pair.key) || !take_text(&rest, &pair.value))
            return false;
        if (pair.key.n == 0 || st_msg_get(m, pair.key.p).p != NULL)
            return false;
        m->pairs[m->n_pairs++] = pair;
    }
    return true;
}

static int nothing_or_fail(struct fb_err *err)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return 2;
    if (errno == ECONNRESET)
        return 1;
    return fb_err_sys(err, FB_E_IO, errno, "cannot receive a control message");
}

int st_child_recv(int sock, struct st_msg *ret, struct fb_err *err)
{
    *ret = (struct st_msg){ 0 };
    ssize_t length;
    do
        length = recv(sock, NULL, 0, MSG_PEEK | MSG_TRUNC);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return nothing_or_fail(err);
    if (length > ST_CHILD_MSG_MAX_BYTES)
        return fb_err_set(err, FB_E_PARSE, "a control message of %zd bytes is too large", length);
    char *bytes = malloc((size_t)length + 1);
    if (bytes == NULL)
        return fb_err_set(err, FB_E_NOMEM, "no memory for a control message");
    ret->bytes = bytes;
    size_t n = 0;
    int r = fb_fd_recv(sock, bytes, (size_t)length + 1, &n, ret->fds, FB_FD_PASS_MAX, &ret->n_fds);
    if (r == FB_E_IO)
        r = nothing_or_fail(err);
    else if (r < 0)
        r = fb_err_set(err, FB_E_PARSE, "a control message carries too many descriptors");
    else if (r == 0 && (n == 0 || !is_known(bytes[0]) || !read_pairs(ret, fb_str_n(bytes + 1, n - 1))))
        r = fb_err_set(err, FB_E_PARSE, "a control message is malformed");
    else if (r == 0)
        ret->type = (enum st_msg_type)bytes[0];
    if (r != 0)
        st_msg_done(ret);
    return r;
}

void st_msg_done(struct st_msg *m)
{
    for (size_t i = 0; i < m->n_fds; i++)
        fb_fd_close(&m->fds[i]);
    free(m->bytes);
    *m = (struct st_msg){ 0 };
}

struct fb_str st_msg_get(const struct st_msg *m, const char *key)
{
    for (size_t i = 0; i < m->n_pairs; i++)
        if (fb_str_eqz(m->pairs[i].key, key))
            return m->pairs[i].value;
    return fb_str_n(NULL, 0);
}

void st_child_fail(int sock, const struct fb_err *err)
{
    const struct st_pair pairs[] = {
        { FB_STR("name"), fb_str_of(fb_err_name(err->code)) },
        { FB_STR("text"), fb_str_of(err->msg) },
        { FB_STR("remedy"), fb_str_of(err->remedy) },
    };
    /* A launcher that is gone needs no reason. */
    (void)st_child_send(sock, ST_MSG_FAILED, pairs, FB_COUNT(pairs), NULL, 0, NULL);
}

void st_msg_to_err(const struct st_msg *m, int fallback_code, struct fb_err *err)
{
    struct fb_str name = st_msg_get(m, "name");
    int code = fallback_code;
    for (int i = 0; i < FB_IDX_COUNT; i++)
        if (fb_str_eqz(name, fb_err_name(-(i + 1))))
            code = -(i + 1);
    struct fb_str text = st_msg_get(m, "text");
    struct fb_str remedy = st_msg_get(m, "remedy");
    (void)fb_err_set(err, code, "%.*s", FB_STR_ARG(text));
    if (remedy.n > 0)
        fb_err_remedy(err, "%.*s", FB_STR_ARG(remedy));
}
