#include "run/handover.h"

#include "base/buf.h"
#include "base/fd.h"
#include "run/seccomp_baseline.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int run_handover_file(const char *name, const void *p, size_t n, struct fb_err *err)
{
    int fd fb_auto(fb_fd_close) = memfd_create(name, MFD_CLOEXEC);

    if (fd < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot make an anonymous file");
    if (fb_fd_write_all(fd, p, n) != 0 || lseek(fd, 0, SEEK_SET) != 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot fill an anonymous file");
    return fb_fd_take(&fd);
}

int run_handover_filters(const void *managed, size_t managed_bytes, struct fb_err *err)
{
    struct init_filters header = { .magic = INIT_FILTERS_MAGIC, .n_filters = 1 };
    struct fb_buf out fb_auto(fb_buf_done);
    size_t baseline_bytes;
    const struct sock_filter *baseline = run_seccomp_baseline(&baseline_bytes);

    fb_buf_init(&out, sizeof(header) + (size_t)INIT_FILTERS_MAX * INIT_FILTER_MAX_BYTES);
    header.n_bytes[0] = (uint32_t)baseline_bytes;
    if (managed != NULL) {
        if (managed_bytes == 0 || managed_bytes % sizeof(struct sock_filter) != 0 ||
            managed_bytes > INIT_FILTER_MAX_BYTES)
            return fb_err_set(err, FB_E_LIMIT, "the managed filter has %zu bytes, which no filter can have", managed_bytes);
        header.n_bytes[header.n_filters++] = (uint32_t)managed_bytes;
    }
    (void)fb_buf_add(&out, &header, sizeof(header));
    (void)fb_buf_add(&out, baseline, baseline_bytes);
    if (managed != NULL)
        (void)fb_buf_add(&out, managed, managed_bytes);
    if (fb_buf_failed(&out))
        return fb_err_set(err, FB_E_NOMEM, "no memory for the filters");
    return run_handover_file("firma-filters", out.p, out.n, err);
}

/* Appends the string with its NUL. */
static void add_string(struct fb_buf *b, const char *z)
{
    (void)fb_buf_add(b, z, strlen(z) + 1);
}

static int count_strings(const char *const *list, uint32_t *ret)
{
    uint32_t n = 0;
    while (list[n] != NULL)
        if (++n > INIT_GO_STRINGS_MAX)
            return -1;
    *ret = n;
    return 0;
}

static int add_files(struct fb_buf *b, struct init_go *header, const struct run_sandbox_go *go, struct fb_err *err)
{
    for (size_t i = 0; i < go->n_files; i++) {
        const struct run_file *f = &go->files[i];
        const size_t prefix = sizeof(INIT_FILES_DIR "/") - 1;
        if (strncmp(f->target, INIT_FILES_DIR "/", prefix) != 0 || f->target[prefix] == '\0' ||
            f->target[prefix] == '.' || strchr(f->target + prefix, '/') != NULL)
            return fb_err_set(err, FB_E_CONFIG_VALIDATION, "file '%s' does not lie directly below " INIT_FILES_DIR,
                              f->target);
        struct init_go_file *to = &header->files[i];
        to->path_offset = (uint32_t)b->n;
        add_string(b, f->target + prefix);
        to->data_offset = (uint32_t)b->n;
        to->data_bytes = (uint32_t)f->n_bytes;
        to->mode = (uint32_t)f->mode;
        (void)fb_buf_add(b, f->p, f->n_bytes);
    }
    return 0;
}

int run_handover_go(const struct run_sandbox_go *go, struct fb_err *err)
{
    struct init_go header = { .magic = INIT_GO_MAGIC, .n_files = (uint32_t)go->n_files };
    struct fb_buf out fb_auto(fb_buf_done);

    /* The environment may hold what only the agent should read. */
    fb_buf_init_secret(&out, INIT_GO_MAX_BYTES);
    if (go->n_files > INIT_GO_FILES_MAX)
        return fb_err_set(err, FB_E_LIMIT, "more than %d files for the sandbox", INIT_GO_FILES_MAX);
    if (count_strings(go->argv, &header.n_argv) != 0 || count_strings(go->envp, &header.n_envp) != 0 ||
        header.n_argv + header.n_envp > INIT_GO_STRINGS_MAX)
        return fb_err_set(err, FB_E_LIMIT, "more than %d arguments and environment variables", INIT_GO_STRINGS_MAX);
    if (header.n_argv == 0)
        return fb_err_set(err, FB_E_MISSING_COMMAND, "no command to run");

    (void)fb_buf_add(&out, &header, sizeof(header));
    header.strings_offset = (uint32_t)out.n;
    add_string(&out, go->cwd == NULL ? "/" : go->cwd);
    for (uint32_t i = 0; i < header.n_argv; i++)
        add_string(&out, go->argv[i]);
    for (uint32_t i = 0; i < header.n_envp; i++)
        add_string(&out, go->envp[i]);
    header.strings_bytes = (uint32_t)(out.n - header.strings_offset);
    int r = add_files(&out, &header, go, err);
    if (r < 0)
        return r;
    if (fb_buf_failed(&out))
        return fb_err_set(err, FB_E_LIMIT, "command, environment and files have more than %d bytes together",
                          INIT_GO_MAX_BYTES);
    header.total_bytes = (uint32_t)out.n;
    memcpy(out.p, &header, sizeof(header));
    return run_handover_file("firma-go", out.p, out.n, err);
}

int run_handover_send(int sock, enum init_msg_type type, int value, int fd, struct fb_err *err)
{
    const struct init_msg msg = { .type = (uint32_t)type, .value = value };

    if (fb_fd_send(sock, &msg, sizeof(msg), &fd, fd >= 0 ? 1 : 0) != 0)
        return fb_err_sys(err, FB_E_UNAVAILABLE, errno, "the sandbox does not answer any more");
    return 0;
}

int run_handover_recv(int sock, struct init_msg *ret, int ret_fds[3], size_t *ret_n_fds, struct fb_err *err)
{
    struct iovec iov = { .iov_base = ret, .iov_len = sizeof(*ret) };
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(3 * sizeof(int))];
    } control;
    struct msghdr hdr = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control.bytes,
                          .msg_controllen = sizeof(control.bytes) };
    ssize_t n;

    *ret_n_fds = 0;
    do {
        n = recvmsg(sock, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n == 0 || (n < 0 && errno == ECONNRESET))
        return 2;
    if (n < 0) {
        if (errno == EAGAIN)
            return 1;
        return fb_err_sys(err, FB_E_IO, errno, "cannot read from the sandbox");
    }
    const struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        *ret_n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(ret_fds, CMSG_DATA(c), *ret_n_fds * sizeof(int));
    }
    const size_t want_fds = ret->type == INIT_MSG_LISTENERS ? 3 : 0;
    if (n == (ssize_t)sizeof(*ret) && (hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 && *ret_n_fds == want_fds)
        return 0;
    for (size_t i = 0; i < *ret_n_fds; i++)
        (void)close(ret_fds[i]);
    *ret_n_fds = 0;
    return fb_err_set(err, FB_E_PARSE, "the sandbox sent a message out of form");
}
