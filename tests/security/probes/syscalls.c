/* Run inside the sandbox: tries each forbidden call in a process of its own and prints one line for each,
 *     NAME ok | NAME E<errno name or number> | NAME signal <n>
 * The call is made with arguments that would work, or do no harm, outside; so "ok" is always a finding. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static long call(long nr, long a, long b, long c, long d, long e)
{
    long r = syscall(nr, a, b, c, d, e);
    return r < 0 ? -errno : r;
}

struct row {
    const char *name;
    long nr, a, b, c, d, e;
};

static char zero[512];
static char path[] = "/tmp/probe-file";
#define Z ((long)(uintptr_t)zero)
#define P ((long)(uintptr_t)path)
#define DIR_ ((long)(uintptr_t) "/tmp")

static const struct row *rows(size_t *n)
{
    static struct row table[200];
    size_t k = 0;
#define R(label, ...) table[k++] = (struct row){ label, __VA_ARGS__ }
    R("unshare-user", SYS_unshare, CLONE_NEWUSER, 0, 0, 0, 0);
    R("unshare-net", SYS_unshare, CLONE_NEWNET, 0, 0, 0, 0);
    R("unshare-all", SYS_unshare, 0x7e020000, 0, 0, 0, 0);
    R("setns", SYS_setns, 0, 0, 0, 0, 0);
    R("clone-newuser", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    R("clone-newuser-disguised", SYS_clone, (long)(0x100000000UL | CLONE_NEWUSER | SIGCHLD), 0, 0, 0, 0);
    R("clone3", SYS_clone3, Z, 88, 0, 0, 0);
    R("openat2", 437, -100, P, Z, 24, 0);
    R("mount", SYS_mount, Z, DIR_, (long)(uintptr_t) "tmpfs", 0, 0);
    R("umount2", SYS_umount2, DIR_, 0, 0, 0, 0);
    R("pivot_root", SYS_pivot_root, DIR_, DIR_, 0, 0, 0);
    R("chroot", SYS_chroot, DIR_, 0, 0, 0, 0);
    R("move_mount", 429, -100, DIR_, -100, DIR_, 0);
    R("open_tree", 428, -100, DIR_, 1, 0, 0);
    R("fsopen", 430, (long)(uintptr_t) "tmpfs", 0, 0, 0, 0);
    R("fsconfig", 431, 0, 0, 0, 0, 0);
    R("fsmount", 432, 0, 0, 0, 0, 0);
    R("fspick", 433, -100, DIR_, 0, 0, 0);
    R("mount_setattr", 442, -100, DIR_, 0, Z, 32);
    R("open_tree_attr", 467, -100, DIR_, 0, Z, 32);
    R("io_uring_setup", 425, 1, Z, 0, 0, 0);
    R("io_uring_enter", 426, 0, 0, 0, 0, 0);
    R("io_uring_register", 427, 0, 0, 0, 0, 0);
    R("ptrace-traceme", SYS_ptrace, PTRACE_TRACEME, 0, 0, 0, 0);
    R("ptrace-attach-1", SYS_ptrace, PTRACE_ATTACH, 1, 0, 0, 0);
    R("process_vm_readv", SYS_process_vm_readv, 1, Z, 0, Z, 0);
    R("process_vm_writev", SYS_process_vm_writev, 1, Z, 0, Z, 0);
    R("kcmp", SYS_kcmp, 1, 1, 0, 0, 0);
    R("pidfd_getfd", 438, 0, 0, 0, 0, 0);
    R("bpf", SYS_bpf, 0, Z, 48, 0, 0);
    R("perf_event_open", SYS_perf_event_open, Z, 0, -1, -1, 0);
    R("userfaultfd", SYS_userfaultfd, 1, 0, 0, 0, 0);
    R("add_key", SYS_add_key, (long)(uintptr_t) "user", P, Z, 1, -3);
    R("request_key", SYS_request_key, (long)(uintptr_t) "user", P, 0, 0, 0);
    R("keyctl", SYS_keyctl, 0, -3, 1, 0, 0);
    R("fanotify_init", SYS_fanotify_init, 0, 0, 0, 0, 0);
    R("name_to_handle_at", SYS_name_to_handle_at, -100, DIR_, Z, Z, 0);
    R("open_by_handle_at", SYS_open_by_handle_at, -100, Z, 0, 0, 0);
    R("kexec_load", SYS_kexec_load, 0, 0, 0, 0, 0);
    R("init_module", SYS_init_module, Z, 0, Z, 0, 0);
    R("finit_module", SYS_finit_module, 0, Z, 0, 0, 0);
    R("delete_module", SYS_delete_module, P, 0, 0, 0, 0);
    R("reboot", SYS_reboot, 0, 0, 0, 0, 0);
    R("swapon", SYS_swapon, P, 0, 0, 0, 0);
    R("acct", SYS_acct, 0, 0, 0, 0, 0);
    R("quotactl", SYS_quotactl, 0, P, 0, Z, 0);
    R("settimeofday", SYS_settimeofday, Z, 0, 0, 0, 0);
    R("clock_settime", SYS_clock_settime, 0, Z, 0, 0, 0);
    R("adjtimex", SYS_adjtimex, Z, 0, 0, 0, 0);
    R("syslog", SYS_syslog, 10, 0, 0, 0, 0);
    R("vhangup", SYS_vhangup, 0, 0, 0, 0, 0);
    R("sethostname", SYS_sethostname, P, 4, 0, 0, 0);
    R("setuid-0", SYS_setuid, 0, 0, 0, 0, 0);
    R("setuid-self", SYS_setuid, (long)getuid(), 0, 0, 0, 0);
    R("setgid", SYS_setgid, 0, 0, 0, 0, 0);
    R("setreuid", SYS_setreuid, 0, 0, 0, 0, 0);
    R("setresuid", SYS_setresuid, 0, 0, 0, 0, 0);
    R("setresgid", SYS_setresgid, 0, 0, 0, 0, 0);
    R("setgroups", SYS_setgroups, 0, Z, 0, 0, 0);
    R("tiocsti", SYS_ioctl, 0, TIOCSTI, Z, 0, 0);
    R("tiocsti-disguised", SYS_ioctl, 0, (long)(0x100000000UL | TIOCSTI), Z, 0, 0);
    R("tioclinux", SYS_ioctl, 0, TIOCLINUX, Z, 0, 0);
    R("tiocsetd", SYS_ioctl, 0, TIOCSETD, Z, 0, 0);
    R("personality-odd", SYS_personality, 0x0400000, 0, 0, 0, 0);
    R("fchmodat-setuid", SYS_fchmodat, -100, P, 04755, 0, 0);
    R("fchmodat-setgid", SYS_fchmodat, -100, P, 02755, 0, 0);
    R("fchmodat2-setuid", 452, -100, P, 04755, 0, 0);
    R("fchmod-setuid", SYS_fchmod, 1, 04755, 0, 0, 0);
    R("openat-setuid", SYS_openat, -100, (long)(uintptr_t) "/tmp/s1", O_CREAT | O_WRONLY, 04755, 0);
    R("openat-tmpfile-setuid", SYS_openat, -100, DIR_, O_TMPFILE | O_WRONLY, 04755, 0);
    R("mknodat-setuid", SYS_mknodat, -100, (long)(uintptr_t) "/tmp/s2", S_IFREG | 04755, 0, 0);
    R("mkdirat-setgid", SYS_mkdirat, -100, (long)(uintptr_t) "/tmp/s3", 02755, 0, 0);
    R("beyond-newest", 470, 0, 0, 0, 0, 0);
    R("far-beyond", 9999, 0, 0, 0, 0, 0);
    R("negative", -1, 0, 0, 0, 0, 0);
    R("socket-netlink", SYS_socket, AF_NETLINK, SOCK_RAW, 0, 0, 0);
    R("socket-packet", SYS_socket, AF_PACKET, SOCK_RAW, 0, 0, 0);
    R("socket-vsock", SYS_socket, 40, SOCK_STREAM, 0, 0, 0);
    R("socket-alg", SYS_socket, 38, SOCK_SEQPACKET, 0, 0, 0);
    R("socket-bluetooth", SYS_socket, 31, SOCK_RAW, 0, 0, 0);
    R("socket-can", SYS_socket, 29, SOCK_RAW, 1, 0, 0);
    R("socket-tipc", SYS_socket, 30, SOCK_STREAM, 0, 0, 0);
    R("socket-xdp", SYS_socket, 44, SOCK_RAW, 0, 0, 0);
    R("socket-family-disguised", SYS_socket, (long)(0x100000000UL | AF_NETLINK), SOCK_RAW, 0, 0, 0);
    R("socket-inet-raw", SYS_socket, AF_INET, SOCK_RAW, 1, 0, 0);
    R("socket-inet6-raw", SYS_socket, AF_INET6, SOCK_RAW, 58, 0, 0);
    R("socket-inet-packet", SYS_socket, AF_INET, 10, 0, 0, 0);
    R("socket-ping", SYS_socket, AF_INET, SOCK_DGRAM, 1, 0, 0);
    R("socket-sctp", SYS_socket, AF_INET, SOCK_STREAM, 132, 0, 0);
    R("socket-dccp", SYS_socket, AF_INET, 6, 33, 0, 0);
    R("socketpair-tipc", SYS_socketpair, 30, SOCK_SEQPACKET, 0, Z, 0);
#ifdef SYS_open
    R("open-setuid", SYS_open, (long)(uintptr_t) "/tmp/s4", O_CREAT | O_WRONLY, 04755, 0, 0);
    R("creat-setuid", SYS_creat, (long)(uintptr_t) "/tmp/s5", 04755, 0, 0, 0);
    R("chmod-setuid", SYS_chmod, P, 06755, 0, 0, 0);
    R("mknod-setuid", SYS_mknod, (long)(uintptr_t) "/tmp/s6", S_IFREG | 04755, 0, 0, 0);
    R("mkdir-setgid", SYS_mkdir, (long)(uintptr_t) "/tmp/s7", 02755, 0, 0, 0);
#endif
#ifdef SYS_iopl
    R("iopl", SYS_iopl, 3, 0, 0, 0, 0);
    R("ioperm", SYS_ioperm, 0, 1, 1, 0, 0);
#endif
#ifdef __x86_64__
    R("x32-getpid", 0x40000000 | SYS_getpid, 0, 0, 0, 0, 0);
    R("x32-mount", 0x40000000 | SYS_mount, 0, 0, 0, 0, 0);
#endif
#undef R
    *n = k;
    return table;
}

static void report(const char *name, pid_t pid, int from)
{
    long r = 0;
    int status;

    ssize_t n = read(from, &r, sizeof(r));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status))
        printf("%s signal %d\n", name, WTERMSIG(status));
    else if (n != (ssize_t)sizeof(r))
        printf("%s lost\n", name);
    else if (r < 0)
        printf("%s %s\n", name, strerrorname_np((int)-r) == NULL ? "E?" : strerrorname_np((int)-r));
    else
        printf("%s ok\n", name);
}

#ifdef __x86_64__
/* The 32-bit door: numbers mean other calls there (20 is getpid, 120 clone). */
static long i386_call(long nr, long b)
{
    long r;
    __asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(b), "c"(0L), "d"(0L), "S"(0L), "D"(0L) : "memory", "r8", "r9", "r10", "r11");
    return (int)r;
}
#endif

static void one(const char *name, long (*f)(const struct row *), const struct row *r)
{
    int p[2];
    if (pipe(p) != 0)
        exit(2);
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        long result = f(r);
        (void)!write(p[1], &result, sizeof(result));
        _exit(0);
    }
    (void)close(p[1]);
    report(name, pid, p[0]);
    (void)close(p[0]);
}

static long by_row(const struct row *r)
{
    return call(r->nr, r->a, r->b, r->c, r->d, r->e);
}
#ifdef __x86_64__
static long i386_getpid(const struct row *r)
{
    (void)r;
    return i386_call(20, 0);
}
static long i386_unshare(const struct row *r)
{
    (void)r;
    return i386_call(310, CLONE_NEWUSER);
}
#endif

int main(void)
{
    size_t n;
    const struct row *table = rows(&n);

    (void)close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    for (size_t i = 0; i < n; i++)
        one(table[i].name, by_row, &table[i]);
#ifdef __x86_64__
    one("i386-getpid", i386_getpid, NULL);
    one("i386-unshare", i386_unshare, NULL);
#endif
    return 0;
}
