/* The baseline filter, run by a small interpreter of the instructions it is made of: what each call is answered. */
#include "run/seccomp_baseline.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <linux/filter.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#if defined(__x86_64__)
enum { OTHER_ARCH = AUDIT_ARCH_I386 };
static const uint32_t our_arch = AUDIT_ARCH_X86_64;
#else
enum { OTHER_ARCH = AUDIT_ARCH_ARM };
static const uint32_t our_arch = AUDIT_ARCH_AARCH64;
#endif

#define REFUSED(e) (SECCOMP_RET_ERRNO | (uint32_t)(e))

/* The whole 64-bit argument is given; the filter must look at its lower half only. */
static uint32_t ask(uint32_t arch, int nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
    struct seccomp_data data = { .nr = nr, .arch = arch, .args = { a0, a1, a2, a3 } };
    size_t bytes;
    const struct sock_filter *code = run_seccomp_baseline(&bytes);
    const size_t n = bytes / sizeof(*code);
    uint32_t a = 0;

    for (size_t pc = 0; pc < n; pc++) {
        const struct sock_filter *f = &code[pc];
        switch (f->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            assert_true(f->k + 4 <= sizeof(data) && f->k % 4 == 0);
            memcpy(&a, (const char *)&data + f->k, sizeof(a));
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= f->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            pc += a == f->k ? f->jt : f->jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            pc += a > f->k ? f->jt : f->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            pc += a >= f->k ? f->jt : f->jf;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            pc += (a & f->k) != 0 ? f->jt : f->jf;
            break;
        case BPF_RET | BPF_K:
            return f->k;
        default:
            fail_msg("instruction %zu: code %#x", pc, f->code);
        }
    }
    fail_msg("the program ran off its end");
    return 0;
}

static uint32_t call(int nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
    return ask(our_arch, nr, a0, a1, a2, a3);
}

static void test_foreign_architectures_are_killed(void **state)
{
    (void)state;
    assert_int_equal(ask((uint32_t)OTHER_ARCH, SYS_getpid, 0, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(ask(0, SYS_getpid, 0, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
#if defined(__x86_64__)
    assert_int_equal(call(0x40000000 | SYS_getpid, 0, 0, 0, 0), SECCOMP_RET_KILL_PROCESS); /* x32 */
#endif
}

static void test_ordinary_calls_pass(void **state)
{
    (void)state;
    static const int fine[] = { SYS_read, SYS_write, SYS_openat, SYS_mmap, SYS_execve, SYS_clone, SYS_futex, SYS_connect,
                                SYS_unlinkat, SYS_renameat2, SYS_getrandom, SYS_seccomp, SYS_prctl, SYS_kill, SYS_ioctl };
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
        assert_int_equal(call(fine[i], 0, 0, 0, 0), SECCOMP_RET_ALLOW);
}

static void test_numbers_beyond_the_newest_do_not_exist(void **state)
{
    (void)state;
    assert_int_equal(call(462, 0, 0, 0, 0), SECCOMP_RET_ALLOW); /* the newest */
    assert_int_equal(call(463, 0, 0, 0, 0), REFUSED(ENOSYS));
    assert_int_equal(call(100000, 0, 0, 0, 0), REFUSED(ENOSYS));
    assert_int_equal(call(435, 0, 0, 0, 0), REFUSED(ENOSYS)); /* clone3 */
    assert_int_equal(call(437, 0, 0, 0, 0), REFUSED(ENOSYS)); /* openat2 */
}

static void test_new_namespaces_are_refused_by_every_bit(void **state)
{
    (void)state;
    static const uint64_t bits[] = { CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWIPC, CLONE_NEWUTS,
                                     CLONE_NEWCGROUP };
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        assert_int_equal(call(SYS_clone, bits[i] | 17, 0, 0, 0), REFUSED(EPERM));
        assert_int_equal(call(SYS_clone, bits[i] | 17 | 1ULL << 40, 0, 0, 0), REFUSED(EPERM));
        assert_int_equal(call(SYS_unshare, bits[i], 0, 0, 0), REFUSED(EPERM));
    }
    const uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS;
    assert_int_equal(call(SYS_clone, thread, 0, 0, 0), SECCOMP_RET_ALLOW);
}

static void test_socket_families_types_and_protocols(void **state)
{
    (void)state;
    const uint64_t high = 1ULL << 32;
    for (uint64_t family = 0; family < 64; family++) {
        const bool open = family == AF_UNIX || family == AF_INET || family == AF_INET6;
        const uint32_t want = open ? SECCOMP_RET_ALLOW : REFUSED(EAFNOSUPPORT);
        assert_int_equal(call(SYS_socket, family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0), want);
        assert_int_equal(call(SYS_socket, family | high, SOCK_STREAM, 0, 0), want);
        assert_int_equal(call(SYS_socketpair, family, SOCK_STREAM, 0, 0),
                         family == AF_UNIX ? SECCOMP_RET_ALLOW : REFUSED(EAFNOSUPPORT));
    }
    static const uint64_t types[] = { 0, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, 6, 10, 15 };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        assert_int_equal(call(SYS_socket, AF_INET, types[i] | SOCK_CLOEXEC, 0, 0), REFUSED(EPERM));
        assert_int_equal(call(SYS_socket, AF_INET6, types[i] | high, 0, 0), REFUSED(EPERM));
    }
    for (uint64_t protocol = 0; protocol < 300; protocol++)
        assert_int_equal(call(SYS_socket, AF_INET, SOCK_STREAM, protocol, 0),
                         protocol == 0 || protocol == 6 || protocol == 17 ? SECCOMP_RET_ALLOW : REFUSED(EPROTONOSUPPORT));
}

static void test_typing_on_the_callers_terminal_is_refused_in_any_disguise(void **state)
{
    (void)state;
    static const uint64_t requests[] = { 0x5412, 0x541c, 0x541d, 0x5423 };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        assert_int_equal(call(SYS_ioctl, 0, requests[i], 0, 0), REFUSED(EPERM));
        assert_int_equal(call(SYS_ioctl, 0, requests[i] | 0xdeadbeef00000000ULL, 0, 0), REFUSED(EPERM));
    }
    assert_int_equal(call(SYS_ioctl, 0, 0x5401 /* TCGETS */, 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(call(SYS_ioctl, 0, 0x5413 /* TIOCGWINSZ */, 0, 0), SECCOMP_RET_ALLOW);
}

static void test_set_id_bits_are_refused_where_they_would_count(void **state)
{
    (void)state;
    static const uint64_t modes[] = { 04755, 02755, 06000, 04000 | 1ULL << 50 };
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        assert_int_equal(call(SYS_fchmod, 3, modes[i], 0, 0), REFUSED(EPERM));
        assert_int_equal(call(SYS_fchmodat, 3, 0, modes[i], 0), REFUSED(EPERM));
        assert_int_equal(call(452, 3, 0, modes[i], 0), REFUSED(EPERM));
        assert_int_equal(call(SYS_mknodat, 3, 0, modes[i], 0), REFUSED(EPERM));
        assert_int_equal(call(SYS_mkdirat, 3, 0, modes[i], 0), REFUSED(EPERM));
        assert_int_equal(call(SYS_openat, 3, 0, O_CREAT, modes[i]), REFUSED(EPERM));
        assert_int_equal(call(SYS_openat, 3, 0, O_TMPFILE, modes[i]), REFUSED(EPERM));
        assert_int_equal(call(SYS_openat, 3, 0, O_RDONLY, modes[i]), SECCOMP_RET_ALLOW); /* not looked at by the kernel */
    }
    assert_int_equal(call(SYS_fchmod, 3, 01777, 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(call(SYS_openat, 3, 0, O_CREAT | O_EXCL, 0644), SECCOMP_RET_ALLOW);
    assert_int_equal(call(SYS_openat, 3, 0, O_DIRECTORY, 04000), SECCOMP_RET_ALLOW);
}

static void test_personalities(void **state)
{
    (void)state;
    assert_int_equal(call(SYS_personality, 0, 0, 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(call(SYS_personality, 0xffffffff, 0, 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(call(SYS_personality, 0x0400000 /* READ_IMPLIES_EXEC */, 0, 0, 0), REFUSED(EPERM));
}

static void test_program_is_one_that_the_kernel_takes(void **state)
{
    (void)state;
    size_t bytes;
    const struct sock_filter *code = run_seccomp_baseline(&bytes);
    const size_t n = bytes / sizeof(*code);
    assert_true(n > 0 && n <= BPF_MAXINSNS);
    for (size_t i = 0; i < n; i++) {
        if (BPF_CLASS(code[i].code) == BPF_JMP)
            assert_true(i + 1 + code[i].jt < n && i + 1 + code[i].jf < n);
    }
    assert_int_equal(BPF_CLASS(code[n - 1].code), BPF_RET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign_architectures_are_killed),
        cmocka_unit_test(test_ordinary_calls_pass),
        cmocka_unit_test(test_numbers_beyond_the_newest_do_not_exist),
        cmocka_unit_test(test_new_namespaces_are_refused_by_every_bit),
        cmocka_unit_test(test_socket_families_types_and_protocols),
        cmocka_unit_test(test_typing_on_the_callers_terminal_is_refused_in_any_disguise),
        cmocka_unit_test(test_set_id_bits_are_refused_where_they_would_count),
        cmocka_unit_test(test_personalities),
        cmocka_unit_test(test_program_is_one_that_the_kernel_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
