/* A fresh private directory for each test of src/stack that looks at files. Include after cmocka's headers. */
#ifndef TESTS_STACK_SCRATCH_H
#define TESTS_STACK_SCRATCH_H

#include "base/fs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
    char path[64]; /* canonical, 0700 */
    int fd;
};

static int scratch_enter(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);
    if (s == NULL)
        return -1;
    (void)snprintf(s->path, sizeof s->path, "/tmp/firma-test-stack.XXXXXX");
    s->fd = mkdtemp(s->path) == NULL ? -1 : open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = s;
    return s->fd < 0 ? -1 : 0;
}

static int scratch_leave(void **state)
{
    struct scratch *s = *state;
    int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)close(s->fd);
    int r = fb_fs_remove_tree_at(tmp, s->path + 5, NULL);
    (void)close(tmp);
    free(s);
    return r;
}

static inline void scratch_file(const struct scratch *s, const char *name, const void *p, size_t n)
{
    int fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), (ssize_t)n);
    (void)close(fd);
}

static inline bool scratch_has(const struct scratch *s, const char *name)
{
    return faccessat(s->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The path of @name below it, in a static buffer. */
static inline const char *scratch_at(const struct scratch *s, const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", s->path, name);
    return path;
}

#endif
