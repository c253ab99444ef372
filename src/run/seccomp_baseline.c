#include "run/seccomp_baseline.h"

static const struct sock_filter program[] = {
#include "seccomp_baseline.inc"
};

const struct sock_filter *run_seccomp_baseline(size_t *ret_bytes)
{
    *ret_bytes = sizeof(program);
    return program;
}
