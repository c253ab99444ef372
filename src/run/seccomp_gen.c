/* Build-time program: data/seccomp/baseline.list and the argument rules below -> one BPF program as a C array.
 * The product starts in milliseconds, so nothing is compiled when it runs; and the bytes that are installed are bytes
 * that can be looked at in the build tree.
 *
 * Layout: architecture, x32, newest number, then one short block a system call. Each block is entered only by its own
 * number, so the kernel finds at installation which calls are always allowed and never runs the program for those.
 *
 * Source: [the Firma design, section 4, "seccomp"]; seccomp(2). Layer: none; libseccomp only for the table of numbers. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { CODE_MAX = 1024, LINE_BYTES = 1024 };

static struct sock_filter code[CODE_MAX];
static unsigned int n_code;
static uint32_t arch_token;
static unsigned long newest;

static _Noreturn void die(const char *what, const char *which)
{
    (void)fprintf(stderr, "seccomp_gen: %s: %s\n", what, which);
    exit(1);
}

static void emit(uint16_t op, uint32_t k, unsigned int jt, unsigned int jf)
{
    if (n_code >= CODE_MAX || jt > 255 || jf > 255)
        die("program too long", "baseline");
    code[n_code++] = (struct sock_filter){ .code = op, .jt = (uint8_t)jt, .jf = (uint8_t)jf, .k = k };
}

static void load(size_t offset)
{
    emit(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Arguments are 64 bits wide, but each of those looked at here is an int, a mode or a request number to the kernel: it
 * drops the upper half, so the filter must not look at it (CVE-2019-10063 compared it and could be talked past). */
static void load_arg(unsigned int i)
{
    load(offsetof(struct seccomp_data, args) + (size_t)i * 8);
}

static void answer(uint32_t action)
{
    emit(BPF_RET | BPF_K, action, 0, 0);
}

static uint32_t refuse(int error)
{
    return SECCOMP_RET_ERRNO | ((uint32_t)error & SECCOMP_RET_DATA);
}

/* Number of @name on the target, -1 when the architecture has no such call. "name=123" is a number of its own. */
static long number_of(char *name)
{
    char *eq = strchr(name, '=');
    if (eq != NULL) {
        char *end;
        unsigned long n = strtoul(eq + 1, &end, 10);
        if (*end != '\0' || n < 424 || n > 10000)
            die("bad number", name);
        return (long)n;
    }
    int n = seccomp_syscall_resolve_name_arch(arch_token, name);
    if (n == __NR_SCMP_ERROR)
        die("no such system call", name);
    return n < 0 ? -1 : n;
}

/* Starts a block for @name; the caller emits the body, which must end in a return, and then calls end_block. */
static unsigned int begin_block(const char *name)
{
    char copy[64];
    if (strlen(name) >= sizeof(copy))
        die("name too long", name);
    (void)snprintf(copy, sizeof(copy), "%s", name);
    long n = number_of(copy);
    if (n < 0)
        return 0;
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)n, 0, 0);
    return n_code;
}

static void end_block(unsigned int start)
{
    unsigned int body = n_code - start;
    if (body > 255)
        die("block too long", "baseline");
    code[start - 1].jf = (uint8_t)body;
}

/* EPERM when any of @bits is set in argument @arg. */
static void refuse_bits(const char *name, unsigned int arg, uint32_t bits)
{
    unsigned int b = begin_block(name);
    if (b == 0)
        return;
    load_arg(arg);
    emit(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    answer(refuse(EPERM));
    answer(SECCOMP_RET_ALLOW);
    end_block(b);
}

/* Set-uid and set-gid bits at creation; without O_CREAT or O_TMPFILE the mode is not looked at, and may be anything. */
static void refuse_open_mode(const char *name, unsigned int flags_arg)
{
    const uint32_t creates = 0100 /* O_CREAT */ | 020000000 /* __O_TMPFILE */;
    unsigned int b = begin_block(name);
    if (b == 0)
        return;
    load_arg(flags_arg);
    emit(BPF_JMP | BPF_JSET | BPF_K, creates, 0, 3);
    load_arg(flags_arg + 1);
    emit(BPF_JMP | BPF_JSET | BPF_K, 06000, 0, 1);
    answer(refuse(EPERM));
    answer(SECCOMP_RET_ALLOW);
    end_block(b);
}

/* Argument 0 or 1 must be one of @values, else @error; or, with @listed_is_refused, must not be. */
static void list_block(const char *name, unsigned int arg, const uint32_t *values, unsigned int n, bool listed_is_refused,
                       int error)
{
    unsigned int b = begin_block(name);
    if (b == 0)
        return;
    load_arg(arg);
    for (unsigned int i = 0; i < n; i++)
        emit(BPF_JMP | BPF_JEQ | BPF_K, values[i], n - i, 0);
    answer(listed_is_refused ? SECCOMP_RET_ALLOW : refuse(error));
    answer(listed_is_refused ? refuse(error) : SECCOMP_RET_ALLOW);
    end_block(b);
}

/* Families: unix and the two internets. For the latter, streams and datagrams of TCP and UDP only: an unknown protocol
 * number makes the kernel load a module. */
static void socket_block(void)
{
    unsigned int b = begin_block("socket");
    if (b == 0)
        return;
    load_arg(0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 3, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 3, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 2, 0);
    answer(refuse(EAFNOSUPPORT));
    answer(SECCOMP_RET_ALLOW); /* a unix "raw" socket is a datagram one */
    load_arg(1);
    emit(BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 2, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 1, 0);
    answer(refuse(EPERM));
    load_arg(2);
    emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, 6 /* TCP */, 2, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, 17 /* UDP */, 1, 0);
    answer(refuse(EPROTONOSUPPORT));
    answer(SECCOMP_RET_ALLOW);
    end_block(b);
}

static void argument_rules(void)
{
    static const uint32_t terminal_requests[] = {
        0x5412 /* TIOCSTI: types on the caller's keyboard */,
        0x541c /* TIOCLINUX: pastes into a console */,
        0x541d /* TIOCCONS: takes the console over */,
        0x5423 /* TIOCSETD: loads line disciplines */,
    };
    static const uint32_t personalities[] = { 0, 0x0008, 0x20000, 0x20008, 0xffffffff };
    static const uint32_t families[] = { AF_UNIX };
    const uint32_t set_id = 06000;
    const uint32_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                CLONE_NEWNET;

    /* The frequent ones first. */
    refuse_open_mode("openat", 2);
    list_block("ioctl", 1, terminal_requests, sizeof(terminal_requests) / sizeof(terminal_requests[0]), true, EPERM);
    refuse_bits("clone", 0, namespaces);
    socket_block();
    list_block("socketpair", 0, families, 1, false, EAFNOSUPPORT);
    refuse_open_mode("open", 1);
    refuse_bits("creat", 1, set_id);
    refuse_bits("chmod", 1, set_id);
    refuse_bits("fchmod", 1, set_id);
    refuse_bits("fchmodat", 2, set_id);
    refuse_bits("fchmodat2=452", 2, set_id);
    refuse_bits("mknod", 1, set_id);
    refuse_bits("mknodat", 2, set_id);
    refuse_bits("mkdir", 1, set_id);
    refuse_bits("mkdirat", 2, set_id);
    list_block("personality", 0, personalities, sizeof(personalities) / sizeof(personalities[0]), false, EPERM);
}

static void list_rule(char *words, int error)
{
    for (char *w = strtok_r(words, " \t\n", &words); w != NULL; w = strtok_r(NULL, " \t\n", &words)) {
        unsigned int b = begin_block(w);
        if (b == 0)
            continue;
        answer(refuse(error));
        end_block(b);
    }
}

static void read_list(FILE *f, bool only_newest)
{
    char line[LINE_BYTES];
    while (fgets(line, sizeof(line), f) != NULL) {
        char *rest = line;
        char *verb = strtok_r(rest, " \t\n", &rest);
        if (verb == NULL || verb[0] == '#')
            continue;
        if (strcmp(verb, "newest") == 0)
            newest = strtoul(rest, NULL, 10);
        else if (only_newest)
            continue;
        else if (strcmp(verb, "eperm") == 0)
            list_rule(rest, EPERM);
        else if (strcmp(verb, "enosys") == 0)
            list_rule(rest, ENOSYS);
        else
            die("unknown rule", verb);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die("usage", "seccomp_gen ARCH LIST OUTPUT");
    const bool x86 = strcmp(argv[1], "x86_64") == 0;
    if (!x86 && strcmp(argv[1], "aarch64") != 0)
        die("no filter for this architecture", argv[1]);
    arch_token = x86 ? SCMP_ARCH_X86_64 : SCMP_ARCH_AARCH64;
    FILE *list = fopen(argv[2], "re");
    if (list == NULL)
        die("cannot open", argv[2]);
    read_list(list, true);
    if (newest < 424 || newest > 10000)
        die("missing or bad line", "newest");

    load(offsetof(struct seccomp_data, arch));
    emit(BPF_JMP | BPF_JEQ | BPF_K, x86 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64, 1, 0);
    answer(SECCOMP_RET_KILL_PROCESS);
    load(offsetof(struct seccomp_data, nr));
    if (x86) { /* the x32 way in has this bit in every number */
        emit(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1);
        answer(SECCOMP_RET_KILL_PROCESS);
    }
    emit(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)newest, 0, 1);
    answer(refuse(ENOSYS));
    argument_rules();
    rewind(list);
    read_list(list, false);
    answer(SECCOMP_RET_ALLOW);
    (void)fclose(list);

    FILE *out = fopen(argv[3], "we");
    if (out == NULL)
        die("cannot write", argv[3]);
    (void)fprintf(out, "/* Made by seccomp_gen from data/seccomp/baseline.list. */\n");
    for (unsigned int i = 0; i < n_code; i++)
        (void)fprintf(out, "{ 0x%02x, %u, %u, 0x%08xu },\n", code[i].code, code[i].jt, code[i].jf, code[i].k);
    return fclose(out) == 0 ? 0 : 1;
}
