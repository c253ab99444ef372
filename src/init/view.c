/* The last word on what was built: bubblewrap looks names up one after the other, while other programs may be at work in
 * the same directories. Here the result is compared with what the launcher planned and saw: no mount point more, none
 * less, each reached without a link and with the same file behind it. */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOUNTS_MAX_BYTES = 8 << 20 };

struct plan {
    const char *map;
    const struct init_view_entry *entries;
    uint32_t n;
};

static const char *path_of(const struct plan *p, uint32_t i)
{
    return p->map + p->entries[i].path_offset;
}

static void load(struct plan *ret, size_t *ret_bytes)
{
    struct stat st;

    if (fstat(INIT_FD_VIEW, &st) != 0 || st.st_size <= (off_t)sizeof(struct init_view) || st.st_size > INIT_VIEW_MAX_BYTES)
        init_fail(INIT_STAGE_VIEW, EPROTO);
    const size_t bytes = (size_t)st.st_size;
    char *map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, INIT_FD_VIEW, 0);
    if (map == MAP_FAILED)
        init_fail(INIT_STAGE_VIEW, errno);
    (void)close(INIT_FD_VIEW);
    const struct init_view *header = (const struct init_view *)(void *)map;
    if (header->magic != INIT_VIEW_MAGIC || header->total_bytes != bytes || header->n_entries > INIT_VIEW_ENTRIES_MAX ||
        header->n_entries > (bytes - sizeof(*header)) / sizeof(struct init_view_entry) || map[bytes - 1] != '\0')
        init_fail(INIT_STAGE_VIEW, EPROTO);
    *ret = (struct plan){ map, (const struct init_view_entry *)(void *)(map + sizeof(*header)), header->n_entries };
    *ret_bytes = bytes;
    for (uint32_t i = 0; i < ret->n; i++)
        if (ret->entries[i].path_offset >= bytes || map[ret->entries[i].path_offset] != '/')
            init_fail(INIT_STAGE_VIEW, EPROTO);
}

/* The entries are sorted by path. -1 when @path is none of them. */
static long find(const struct plan *p, const char *path)
{
    uint32_t low = 0;
    uint32_t high = p->n;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int c = strcmp(path, path_of(p, middle));
        if (c == 0)
            return (long)middle;
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

/* Below an entry that takes whatever lies there: proc's own covers. */
static bool is_free(const struct plan *p, const char *path)
{
    for (uint32_t i = 0; i < p->n; i++) {
        const size_t n = strlen(path_of(p, i));
        if ((p->entries[i].flags & INIT_VIEW_BELOW) != 0 && strncmp(path, path_of(p, i), n) == 0 && path[n] == '/')
            return true;
    }
    return false;
}

/* Undoes the octal escapes of mountinfo up to the next blank, in place. */
static void unescape(char *at)
{
    char *to = at;
    while (*at != '\0' && *at != ' ') {
        if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7' && at[3] >= '0' && at[3] <= '7') {
            *to++ = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
            at += 4;
        } else {
            *to++ = *at++;
        }
    }
    *to = '\0';
}

/* The mount point is the fifth field. */
static void check_line(const struct plan *p, char *line, bool *found)
{
    for (int i = 0; i < 4; i++) {
        line = strchr(line, ' ');
        if (line == NULL)
            init_fail(INIT_STAGE_VIEW, EPROTO);
        line++;
    }
    unescape(line);
    const long i = find(p, line);
    if (i >= 0)
        found[i] = true;
    else if (!is_free(p, line))
        init_fail(INIT_STAGE_VIEW, EEXIST);
}

static void check_mounts(const struct plan *p)
{
    static bool found[INIT_VIEW_ENTRIES_MAX];
    size_t have = 0;
    char *text = mmap(NULL, MOUNTS_MAX_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (text == MAP_FAILED || fd < 0)
        init_fail(INIT_STAGE_VIEW, errno);
    for (;;) {
        ssize_t n = read(fd, text + have, MOUNTS_MAX_BYTES - 1 - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || have + (size_t)n >= MOUNTS_MAX_BYTES - 1)
            init_fail(INIT_STAGE_VIEW, n < 0 ? errno : EFBIG);
        if (n == 0)
            break;
        have += (size_t)n;
    }
    (void)close(fd);
    for (char *line = text; *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end == NULL)
            init_fail(INIT_STAGE_VIEW, EPROTO);
        *end = '\0';
        check_line(p, line, found);
        line = end + 1;
    }
    (void)munmap(text, MOUNTS_MAX_BYTES);
    for (uint32_t i = 0; i < p->n; i++)
        if ((p->entries[i].flags & INIT_VIEW_REQUIRED) != 0 && !found[i])
            init_fail(INIT_STAGE_VIEW, ESTALE);
}

static void check_place(const char *path, const struct init_view_entry *e)
{
    const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    struct stat st;
    struct statvfs fs;
    int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

    if (fd < 0 || fstat(fd, &st) != 0 || fstatvfs(fd, &fs) != 0)
        init_fail(INIT_STAGE_VIEW, errno);
    if ((e->flags & INIT_VIEW_SAME) != 0 && ((uint64_t)st.st_dev != e->dev || (uint64_t)st.st_ino != e->ino))
        init_fail(INIT_STAGE_VIEW, ESTALE);
    if ((e->flags & INIT_VIEW_READ_ONLY) != 0 && (fs.f_flag & ST_RDONLY) == 0)
        init_fail(INIT_STAGE_VIEW, ESTALE);
    (void)close(fd);
}

void init_view_check(void)
{
    struct plan plan;
    size_t bytes;

    load(&plan, &bytes);
    check_mounts(&plan);
    for (uint32_t i = 0; i < plan.n; i++)
        if ((plan.entries[i].flags & (INIT_VIEW_SAME | INIT_VIEW_READ_ONLY)) != 0)
            check_place(path_of(&plan, i), &plan.entries[i]);
    (void)munmap((void *)(uintptr_t)plan.map, bytes);
}
