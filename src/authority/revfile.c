/* The revocation file as the command line writes it: one lock, one write, one rename. */
#include "authority/revlog.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "token/claims.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_TRIES = 64 };

static bool is_same_file(int fd, const char *path)
{
    struct stat a;
    struct stat b;

    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Opens and locks the file that stands at @path now: a compaction may have put a new one there while we waited. */
static int open_locked(const char *path, struct fb_err *err)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
        if (fd < 0)
            return fb_err_sys(err, FB_E_IO, errno, "cannot open revocation file '%s'", path);
        if (flock(fd, LOCK_EX) != 0) {
            int e = errno;
            fb_fd_close(&fd);
            return fb_err_sys(err, FB_E_IO, e, "cannot lock revocation file '%s'", path);
        }
        if (is_same_file(fd, path))
            return fd;
        fb_fd_close(&fd);
    }
    return fb_err_set(err, FB_E_IO, "revocation file '%s' keeps being replaced", path);
}

static int read_file(const char *path, struct fb_buf *text, struct fb_err *err)
{
    fb_buf_init(text, AU_REVOCATION_FILE_MAX_BYTES);
    return fb_fs_read(path, FB_FS_OWNED, text, err);
}

static int append_line(struct fb_buf *out, struct fb_str id, struct fb_str reason, int64_t at_ns)
{
    char at[FB_CLOCK_TEXT_BYTES];

    fb_clock_format_min(at, at_ns);
    return fb_buf_addf(out, "%.*s\t%s\t%.*s\n", FB_STR_ARG(id), at, FB_STR_ARG(reason));
}

static int check_entry(struct fb_str id, struct fb_str reason, struct fb_err *err)
{
    if (tk_claims_check_token_id(id, err) != 0)
        return err == NULL ? FB_E_CONFIG_VALIDATION : fb_err_recode(err, FB_E_CONFIG_VALIDATION);
    if (reason.n > AU_REVOCATION_REASON_MAX_BYTES)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "the reason is longer than %d bytes",
                          AU_REVOCATION_REASON_MAX_BYTES);
    for (size_t i = 0; i < reason.n; i++)
        if ((unsigned char)reason.p[i] < 0x20 || reason.p[i] == 0x7f)
            return fb_err_set(err, FB_E_CONFIG_VALIDATION, "the reason must not hold control characters");
    return 0;
}

/* What the server could not read any more must not be reported as revoked. */
static int check_room(const struct au_revlog *seen, size_t file_n, size_t line_n, const char *path, struct fb_err *err)
{
    if (seen->n < AU_REVOCATIONS_MAX && file_n + line_n <= AU_REVOCATION_FILE_MAX_BYTES)
        return 0;
    fb_err_set(err, FB_E_LIMIT, "revocation file '%s' is full (%d entries, %d bytes)", path, AU_REVOCATIONS_MAX,
               AU_REVOCATION_FILE_MAX_BYTES);
    fb_err_remedy(err, "drop expired entries: firma authority revocations compact");
    return FB_E_LIMIT;
}

static int write_line(int fd, const char *path, const struct fb_buf *line, struct fb_err *err)
{
    /* One write on an appending descriptor: a reader sees the line whole or not at all. */
    if (write(fd, line->p, line->n) != (ssize_t)line->n || fsync(fd) != 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot write revocation file '%s'", path);
    return 0;
}

int au_revlog_file_add(const char *path, struct fb_str token_id, struct fb_str reason, int64_t now_ns,
                       struct fb_err *err)
{
    struct fb_buf text;
    struct fb_buf line;
    struct au_revlog seen;
    int rc = check_entry(token_id, reason, err);

    if (rc != 0)
        return rc;
    int fd = open_locked(path, err);
    if (fd < 0)
        return fd;
    fb_buf_init(&line, 4096);
    au_revlog_init(&seen);
    rc = read_file(path, &text, err);
    if (rc == 0) /* an expired entry counts as present: its token is dead anyway */
        rc = au_revlog_merge(&seen, fb_buf_str(&text), path, now_ns, INT32_MAX, err);
    if (rc >= 0 && au_revlog_has(&seen, token_id)) {
        rc = 1;
    } else if (rc >= 0) {
        rc = text.n > 0 && text.p[text.n - 1] != '\n' ? fb_buf_addc(&line, '\n') : 0;
        if (rc == 0)
            rc = append_line(&line, token_id, reason, now_ns);
        if (rc == 0)
            rc = check_room(&seen, text.n, line.n, path, err);
        if (rc == 0)
            rc = write_line(fd, path, &line, err);
    }
    au_revlog_done(&seen);
    fb_buf_done(&line);
    fb_buf_done(&text);
    fb_fd_close(&fd);
    return rc;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct au_revocation *)a)->token_id, ((const struct au_revocation *)b)->token_id);
}

int au_revlog_file_compact(const char *path, int64_t now_ns, int64_t max_ttl_s, struct fb_err *err)
{
    struct fb_buf text;
    struct fb_buf out;
    struct au_revlog live;
    int fd = open_locked(path, err);

    if (fd < 0)
        return fd;
    au_revlog_init(&live);
    fb_buf_init(&out, AU_REVOCATION_FILE_MAX_BYTES);
    int rc = read_file(path, &text, err);
    if (rc == 0)
        rc = au_revlog_merge(&live, fb_buf_str(&text), path, now_ns, max_ttl_s, err);
    if (rc >= 0) {
        rc = 0;
        if (live.n > 0)
            qsort(live.items, live.n, sizeof(live.items[0]), by_id); /* the index is not used after this */
        for (size_t i = 0; rc == 0 && i < live.n; i++)
            rc = append_line(&out, fb_str_of(live.items[i].token_id), fb_str_of(live.items[i].reason),
                             live.items[i].at_ns);
        if (rc == 0)
            rc = fb_fs_write_atomic(path, 0600, out.p == NULL ? "" : out.p, out.n, err);
        else
            fb_err_set(err, rc, "revocation file '%s' is too large", path);
    }
    au_revlog_done(&live);
    fb_buf_done(&out);
    fb_buf_done(&text);
    fb_fd_close(&fd);
    return rc;
}
