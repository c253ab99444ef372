/* What the file says against what the head says, after a crash, a rotation, another writer, or a hand that should not
 * have been there. */
#include "audit/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ASIDE_MAX = 1000 };

/* Reads up to @n bytes at @offset; false on an error. */
static bool read_at(int fd, char *p, size_t n, uint64_t offset, size_t *ret_n)
{
    *ret_n = 0;
    while (*ret_n < n) {
        ssize_t got = pread(fd, p + *ret_n, n - *ret_n, (off_t)(offset + *ret_n));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            return true;
        *ret_n += (size_t)got;
    }
    return true;
}

/* Moves file and head out of the way, as evidence. */
static int move_aside(struct fa_file *f, const char *why, struct fb_err *err)
{
    for (unsigned i = 1; i <= ASIDE_MAX; i++) {
        char *to = NULL;
        char *head_to = NULL;
        if (asprintf(&to, "%s.mismatch-%u", f->path, i) < 0 ||
            asprintf(&head_to, "%s.mismatch-%u.head", f->path, i) < 0) {
            free(to);
            return fb_err_set(err, FB_E_NOMEM, "out of memory");
        }
        int failed = renameat2(AT_FDCWD, f->path, AT_FDCWD, to, RENAME_NOREPLACE) == 0 ? 0 : errno;
        if (failed == 0 && rename(f->head_path, head_to) != 0 && errno != ENOENT)
            failed = errno;
        if (failed == 0)
            fa_notes_add(f->notes, true,
                         "audit log '%s' does not match its signed head: %s; it was kept as '%s' and a new log is "
                         "begun; check it with `firma audit verify`",
                         f->path, why, to);
        free(to);
        free(head_to);
        if (failed == 0)
            return FA_FILE_MOVED;
        if (failed != EEXIST)
            return fb_err_sys(err, FB_E_IO, failed,
                              "audit log '%s' does not match its signed head (%s) and cannot be moved aside", f->path,
                              why);
    }
    return fb_err_set(err, FB_E_IO, "too many damaged logs beside '%s'", f->path);
}

/* Finds the last complete line that ends at @end; *ret is a view into @room (FA_LINE_MAX_BYTES + 2). */
static bool last_line(const struct fa_file *f, uint64_t end, char *room, struct fb_str *ret)
{
    size_t want = end > FA_LINE_MAX_BYTES + 2 ? FA_LINE_MAX_BYTES + 2 : (size_t)end;
    size_t n;
    if (want == 0 || !read_at(f->fd, room, want, end - want, &n) || n != want || room[n - 1] != '\n')
        return false;
    const char *before = n == 1 ? NULL : memrchr(room, '\n', n - 1);
    if (before == NULL && want != end)
        return false; /* longer than any line of ours */
    const char *start = before == NULL ? room : before + 1;
    *ret = fb_str_n(start, (size_t)(room + n - 1 - start));
    return true;
}

static bool line_has_hash(const struct fa_file *f, struct fb_str line, const uint8_t hash[FA_HASH_BYTES])
{
    uint8_t got[FA_HASH_BYTES];
    fa_key_hash(f->key, line.p, line.n, got);
    return memcmp(got, hash, sizeof got) == 0;
}

/* Cuts an unfinished last line off: its call was never completed. *size moves back. */
static int cut_torn_line(struct fa_file *f, uint64_t *size, char *room, struct fb_err *err)
{
    char last = '\n';
    size_t n;
    if (*size == 0 || (read_at(f->fd, &last, 1, *size - 1, &n) && n == 1 && last == '\n'))
        return 0;
    size_t want = *size > FA_LINE_MAX_BYTES ? FA_LINE_MAX_BYTES : (size_t)*size;
    if (!read_at(f->fd, room, want, *size - want, &n) || n != want)
        return fb_err_sys(err, FB_E_IO, errno, "cannot read '%s'", f->path);
    const char *feed = memrchr(room, '\n', want);
    if (feed == NULL && want != *size)
        return move_aside(f, "its end is no line", err);
    uint64_t keep = *size - want + (feed == NULL ? 0 : (uint64_t)(feed - room) + 1);
    if (ftruncate(f->fd, (off_t)keep) != 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot cut the torn last line of '%s'", f->path);
    fa_notes_add(f->notes, true,
                 "audit log '%s': a torn last line of %llu bytes was removed (the writer died; its call was not "
                 "completed)",
                 f->path, (unsigned long long)(*size - keep));
    *size = keep;
    return 0;
}

/* Takes over the complete lines behind f->bytes, each only with a good signature and in its place. */
static int adopt(struct fa_file *f, uint64_t size, char *room, struct fb_buf *scratch, struct fb_err *err)
{
    while (f->bytes < size) {
        size_t n;
        size_t want = size - f->bytes > FA_LINE_MAX_BYTES ? FA_LINE_MAX_BYTES : (size_t)(size - f->bytes);
        if (!read_at(f->fd, room, want, f->bytes, &n) || n != want)
            return fb_err_sys(err, FB_E_IO, errno, "cannot read '%s'", f->path);
        const char *feed = memchr(room, '\n', want);
        struct fb_str text = fb_str_n(room, feed == NULL ? 0 : (size_t)(feed - room));
        struct fa_line line;
        const char *why;
        if (feed == NULL || fa_line_parse(text, &line, &why) < 0)
            return move_aside(f, "lines behind the head are not ours", err);
        bool good = fa_line_follows(&line, &f->at) && fa_line_verify(&line, f->key, scratch);
        fa_line_done(&line);
        if (!good)
            return move_aside(f, "lines behind the head do not belong there", err);
        f->at.seq++;
        fa_key_hash(f->key, text.p, text.n, f->at.hash);
        f->bytes += text.n + 1;
    }
    return 0;
}

/* No head at all: the last line alone says where the chain stands. */
static int without_head(struct fa_file *f, uint64_t size, char *room, struct fb_buf *scratch, struct fb_err *err)
{
    struct fb_str text;
    struct fa_line line;
    const char *why;
    f->at = (struct fa_chain){ 0 };
    f->bytes = 0;
    f->generation = 0;
    if (size == 0)
        return 0;
    if (!last_line(f, size, room, &text) || fa_line_parse(text, &line, &why) < 0)
        return move_aside(f, "the head is missing and the last line is not ours", err);
    bool good = line.has_chain && fa_line_verify(&line, f->key, scratch);
    f->at.seq = line.seq;
    fa_line_done(&line);
    if (!good)
        return move_aside(f, "the head is missing and the last line is not signed by this key", err);
    fa_key_hash(f->key, text.p, text.n, f->at.hash);
    f->bytes = size;
    fa_notes_add(f->notes, true, "audit log '%s' has no head file: lines cut from its end before now cannot be noticed",
                 f->path);
    return 0;
}

static int with_head(struct fa_file *f, const struct fa_head *head, uint64_t size, bool at_open, char *room,
                     struct fb_buf *scratch, struct fb_err *err)
{
    struct fb_str text;
    if (head->generation < f->generation)
        return move_aside(f, "the head was set back", err);
    f->at = head->at;
    f->generation = head->generation;
    f->bytes = head->bytes;
    if (size == 0 && head->bytes > 0) {
        /* Rotated, or taken away: the numbers go on, so the gap shows either way. */
        if (at_open)
            fa_notes_add(f->notes, true,
                         "audit log '%s' is empty although its head counts %llu lines: it was rotated or removed; "
                         "the chain goes on after them",
                         f->path, (unsigned long long)head->at.seq);
        f->bytes = 0;
        return 0;
    }
    if (size < head->bytes)
        return move_aside(f, "it is shorter than the head says (cut, or a power loss)", err);
    bool check_end = head->bytes > 0 && (at_open || size != head->bytes);
    if (check_end && (!last_line(f, head->bytes, room, &text) || !line_has_hash(f, text, head->at.hash)))
        return move_aside(f, "the last line that the head names is another one", err);
    return adopt(f, size, room, scratch, err);
}

int fa_file_reconcile(struct fa_file *f, bool at_open, struct fb_err *err)
{
    struct stat st;
    char seen[FA_HEAD_FILE_BYTES];
    size_t seen_n;
    if (fstat(f->fd, &st) != 0 || !read_at(f->head_fd, seen, sizeof seen, 0, &seen_n))
        return fb_err_sys(err, FB_E_IO, errno, "cannot examine '%s'", f->path);
    uint64_t size = (uint64_t)st.st_size;
    bool head_unchanged = seen_n == f->head_seen_n && memcmp(seen, f->head_seen, seen_n) == 0;
    if (!at_open && head_unchanged && size == f->bytes)
        return 0; /* nobody else was here */
    struct fa_head head;
    struct fb_buf scratch;
    char *room = malloc(FA_LINE_MAX_BYTES + 2);
    if (room == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    fb_buf_init(&scratch, FA_LINE_MAX_BYTES);
    int rc = 0;
    enum fa_head_state state = fa_head_parse(fb_str_n(seen, seen_n), f->key, &head);
    /* Behind the head, half a line is a writer that died; before it, half a line is evidence. */
    if (state == FA_HEAD_MISSING || (state == FA_HEAD_VALID && size > head.bytes))
        rc = cut_torn_line(f, &size, room, err);
    if (rc == 0 && state == FA_HEAD_INVALID)
        rc = move_aside(f, "the head is not signed by this key", err);
    else if (rc == 0 && state == FA_HEAD_MISSING)
        rc = without_head(f, size, room, &scratch, err);
    else if (rc == 0)
        rc = with_head(f, &head, size, at_open, room, &scratch, err);
    memcpy(f->head_seen, seen, seen_n);
    f->head_seen_n = seen_n;
    if (rc == FA_FILE_MOVED)
        f->generation = 0;
    fb_buf_done(&scratch);
    free(room);
    return rc;
}
