/* The launcher's side of the conversation with firma-init: messages, and the anonymous files that carry what must not
 * stand in an argument list. Source: init/wire.h. Layer: run (L3). Thread: any; no state. */
#ifndef RUN_HANDOVER_H
#define RUN_HANDOVER_H

#include "base/err.h"
#include "base/macros.h"
#include "init/wire.h"
#include "run/sandbox.h"

#include <linux/filter.h>

/* An anonymous file with @n bytes, read position 0, close-on-exec. Returns the descriptor, or FB_E_IO. */
int run_handover_file(const char *name, const void *p, size_t n, struct fb_err *err) FB_MUST_USE;

/* The file behind INIT_FD_FILTERS: the baseline, and @managed when not NULL. Returns the descriptor; FB_E_LIMIT for a
 * program that is empty, cut or longer than the kernel takes; FB_E_IO. */
int run_handover_filters(const void *managed, size_t managed_bytes, struct fb_err *err) FB_MUST_USE;

/* The file that goes with GO. Returns the descriptor; FB_E_LIMIT, FB_E_CONFIG_VALIDATION for a file name with a
 * directory in it, FB_E_IO, FB_E_NOMEM. */
int run_handover_go(const struct run_sandbox_go *go, struct fb_err *err) FB_MUST_USE;

/* Sends one message with @fd (-1: none). FB_E_UNAVAILABLE when the other end is gone. */
int run_handover_send(int sock, enum init_msg_type type, int value, int fd, struct fb_err *err);

/* Receives one message without blocking; @ret_fds takes up to three descriptors, *@ret_n_fds says how many. Returns
 * 0, 1 when nothing is there, 2 when the other end is gone, FB_E_PARSE for anything out of form (descriptors closed). */
int run_handover_recv(int sock, struct init_msg *ret, int ret_fds[3], size_t *ret_n_fds, struct fb_err *err);

#endif
