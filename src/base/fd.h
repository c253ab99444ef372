/* Descriptors: closing, flags, exact reads and writes, passing them over a socket. Layer: base (L0). Thread: any. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* For fb_auto(fb_fd_close): closes when >= 0, sets -1, keeps errno. */
void fb_fd_close(int *fd);
/* Moves ownership out of an fb_auto variable. */
static inline int fb_fd_take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}
int fb_fd_set_nonblock(int fd);
int fb_fd_set_cloexec(int fd, bool on);
/* All bytes or an error; restarts after EINTR. FB_E_IO. */
int fb_fd_write_all(int fd, const void *p, size_t n);
/* Reads up to @n bytes until full or end of file; *@ret_n tells how many. */
int fb_fd_read_full(int fd, void *p, size_t n, size_t *ret_n);

enum { FB_FD_PASS_MAX = 8 };
/* One message with up to FB_FD_PASS_MAX descriptors (SCM_RIGHTS). The descriptors stay the caller's. */
int fb_fd_send(int sock, const void *p, size_t n, const int *fds, size_t n_fds);
/* One message; received descriptors are close-on-exec and the caller's. Positive return: 1 = the peer has closed.
 * A cut message or too many descriptors is FB_E_LIMIT with every received descriptor closed. FB_E_IO leaves errno as the
 * system set it, so that EAGAIN of a non-blocking socket can be told. */
int fb_fd_recv(int sock, void *p, size_t cap, size_t *ret_n, int *fds, size_t cap_fds, size_t *ret_n_fds);

#endif
