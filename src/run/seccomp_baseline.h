/* The constant system-call filter that every sandbox has, whatever its profile says.
 * Source: [the Firma design, section 4, "seccomp"]. Layer: run (L3). Thread: any; constant data. */
#ifndef RUN_SECCOMP_BASELINE_H
#define RUN_SECCOMP_BASELINE_H

#include <linux/filter.h>
#include <stddef.h>

/* The program for the architecture this binary is built for; *@ret_bytes is its size. Borrowed, constant. */
const struct sock_filter *run_seccomp_baseline(size_t *ret_bytes);

#endif
