/* Files and directories that must be ours: no links followed, owner and type checked, written atomically.
 * Layer: base (L0). Thread: any. Source: [the Firma design, section 7]. */
#ifndef BASE_FS_H
#define BASE_FS_H

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

/* Checks on a file that holds, or decides about, secrets. */
enum fb_fs_trust {
    FB_FS_ANY,     /* a regular file, bounded in size; the last component may be a link */
    FB_FS_OWNED,   /* + not a link, owned by our effective uid or by root, not writable by group or others */
    FB_FS_PRIVATE, /* + no permission at all for group and others */
};

/* Reads a whole regular file into @out (a FIFO or device is refused without blocking). FB_E_IO (os_errno ENOENT when
 * absent), FB_E_INSECURE, FB_E_LIMIT past the buffer's ceiling. */
int fb_fs_read(const char *path, enum fb_fs_trust trust, struct fb_buf *out, struct fb_err *err);
int fb_fs_read_at(int dirfd, const char *name, enum fb_fs_trust trust, struct fb_buf *out, struct fb_err *err);

/* Creates the file for the first time (O_EXCL, no links) with exactly @mode, durably (fsync of file and directory). FB_E_EXISTS
 * when it is there. A file that could not be written whole is removed again. */
int fb_fs_create(const char *path, mode_t mode, const void *p, size_t n, struct fb_err *err);
/* Replaces atomically: temporary file in the same directory, fsync, rename, fsync of the directory. */
int fb_fs_write_atomic(const char *path, mode_t mode, const void *p, size_t n, struct fb_err *err);
int fb_fs_write_atomic_at(int dirfd, const char *name, mode_t mode, const void *p, size_t n, bool durable, struct fb_err *err);

/* Makes the directory (and no parents) 0700 if absent, then opens it and checks: a directory, not a link, our uid, no
 * permission for group and others. Returns the descriptor, or FB_E_IO / FB_E_INSECURE. */
int fb_fs_private_dir(const char *path, struct fb_err *err) FB_MUST_USE;
int fb_fs_private_dir_at(int dirfd, const char *name, struct fb_err *err) FB_MUST_USE;
/* Makes every missing parent 0700; existing ones are left alone. */
int fb_fs_make_parents(const char *path, struct fb_err *err);

enum { FB_FS_TREE_DEPTH_MAX = 64 };
/* Removes @name below @dirfd with everything in it; follows no link, leaves no file system, at most
 * FB_FS_TREE_DEPTH_MAX deep (FB_E_LIMIT). Absent = 0. */
int fb_fs_remove_tree_at(int dirfd, const char *name, struct fb_err *err);

/* @base/@path unless @path is absolute or empty; a heap string, NULL when out of memory. */
char *fb_fs_join(const char *base, const char *path) FB_MUST_USE;
/* The directory part of @path ("." when it has none); heap string. */
char *fb_fs_dirname(const char *path) FB_MUST_USE;

#endif
