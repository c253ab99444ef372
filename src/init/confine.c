/* Giving up power for good: capabilities first, then the system calls themselves. The order matters: emptying the
 * bounding set needs a capability, and the filters forbid what the set-up needed. */
#include "init/init.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

void init_confine_drop(void)
{
    const unsigned long locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                                 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        init_fail(INIT_STAGE_CAPABILITIES, errno);
    /* Uid 0 means nothing in here, now or after any exec. */
    if (prctl(PR_SET_SECUREBITS, locked, 0, 0, 0) != 0)
        init_fail(INIT_STAGE_CAPABILITIES, errno);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        init_fail(INIT_STAGE_CAPABILITIES, errno);
    /* Up to the last one this kernel knows, which may be more than the headers knew. */
    for (unsigned long cap = 0; cap < 64; cap++) {
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
            continue;
        if (errno == EINVAL && cap > CAP_SETPCAP)
            break;
        init_fail(INIT_STAGE_CAPABILITIES, errno);
    }
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
    if (syscall(SYS_capset, &header, none) != 0)
        init_fail(INIT_STAGE_CAPABILITIES, errno);
    /* The agent has our uid: without this it could write our memory and run code that no filter sees. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        init_fail(INIT_STAGE_CAPABILITIES, errno);
}

void init_confine_filter(void)
{
    static struct {
        struct init_filters header;
        struct sock_filter code[INIT_FILTERS_MAX * (INIT_FILTER_MAX_BYTES / sizeof(struct sock_filter))];
    } in;
    const size_t one = sizeof(struct sock_filter);
    size_t at = 0;

    ssize_t n = pread(INIT_FD_FILTERS, &in, sizeof(in), 0);
    if (n < 0)
        init_fail(INIT_STAGE_FILTERS, errno);
    (void)close(INIT_FD_FILTERS);
    if ((size_t)n < sizeof(in.header) || in.header.magic != INIT_FILTERS_MAGIC || in.header.n_filters == 0 ||
        in.header.n_filters > INIT_FILTERS_MAX)
        init_fail(INIT_STAGE_FILTERS, EPROTO);
    /* All sizes are checked before the first program is installed. */
    const size_t have = (size_t)n - sizeof(in.header);
    for (uint32_t i = 0; i < in.header.n_filters; i++) {
        size_t bytes = in.header.n_bytes[i];
        if (bytes == 0 || bytes % one != 0 || bytes > INIT_FILTER_MAX_BYTES || bytes > have - at)
            init_fail(INIT_STAGE_FILTERS, EPROTO);
        at += bytes;
    }
    if (at != have)
        init_fail(INIT_STAGE_FILTERS, EPROTO);
    const struct sock_filter *next = in.code;
    for (uint32_t i = 0; i < in.header.n_filters; i++) {
        const size_t n_code = in.header.n_bytes[i] / one;
        struct sock_fprog program = { .len = (unsigned short)n_code, .filter = (struct sock_filter *)(uintptr_t)next };
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &program) != 0)
            init_fail(INIT_STAGE_FILTERS, errno);
        next += n_code;
    }
}
