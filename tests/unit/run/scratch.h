/* A fresh directory for each test of src/run that looks at files. Include after cmocka's headers. */
#ifndef TESTS_RUN_SCRATCH_H
#define TESTS_RUN_SCRATCH_H

#include "base/err.h"
#include "base/fs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Setup: *@state is the directory's canonical path (heap), which is also the working directory. */
static int scratch_enter(void **state)
{
    char name[] = "/tmp/firma-test-run.XXXXXX";
    if (mkdtemp(name) == NULL || chdir(name) != 0)
        return -1;
    *state = strdup(name);
    return *state == NULL ? -1 : 0;
}

static int scratch_leave(void **state)
{
    char *name = *state;
    struct fb_err err = { 0 };
    int dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = chdir("/") == 0 ? fb_fs_remove_tree_at(dir, name + 5, &err) : -1;
    (void)close(dir);
    free(name);
    return r;
}

static inline void scratch_dir(const char *path)
{
    char at[512];
    (void)snprintf(at, sizeof(at), "%s", path);
    for (char *slash = strchr(at, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(at, 0755);
        *slash = '/';
    }
    (void)mkdir(at, 0755);
}

static inline void scratch_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

#endif
