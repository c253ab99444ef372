/* Removing a directory that mkdtemp made. */
#ifndef TESTS_AUTHORITY_TEMPDIR_H
#define TESTS_AUTHORITY_TEMPDIR_H

#include "base/fs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* @path is absolute and of one's own making. 0, or a negative code. */
static inline int tempdir_remove(const char *path)
{
    char *parent = fb_fs_dirname(path);
    int fd = parent == NULL ? -1 : open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fb_fs_remove_tree_at(fd, strrchr(path, '/') + 1, NULL);

    if (fd >= 0)
        close(fd);
    free(parent);
    return rc;
}

#endif
