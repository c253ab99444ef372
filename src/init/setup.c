/* What must be done while firma-init still holds capabilities over the sandbox's namespaces. */
#include "init/init.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void init_setup_descriptors(void)
{
    static const int ours[] = { INIT_FD_CONTROL, INIT_FD_FILTERS, INIT_FD_VIEW };

    if (dup2(INIT_FD_STDERR, STDERR_FILENO) < 0 || close(INIT_FD_STDERR) != 0)
        init_fail(INIT_STAGE_DESCRIPTORS, errno);
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (fcntl(ours[i], F_SETFD, FD_CLOEXEC) != 0)
            init_fail(INIT_STAGE_DESCRIPTORS, errno);
    if (syscall(SYS_close_range, INIT_FD_FIRST_FREE, ~0U, 0U) != 0)
        init_fail(INIT_STAGE_DESCRIPTORS, errno);
}

static int bind_loopback(int type, uint16_t port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
    int on = 1;

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        init_fail(INIT_STAGE_SOCKETS, errno);
    if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        init_fail(INIT_STAGE_SOCKETS, errno);
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
        init_fail(INIT_STAGE_SOCKETS, errno);
    if (type == SOCK_STREAM && listen(fd, SOMAXCONN) != 0)
        init_fail(INIT_STAGE_SOCKETS, errno);
    return fd;
}

void init_setup_sockets(void)
{
    const int fds[3] = { bind_loopback(SOCK_STREAM, INIT_PROXY_PORT), bind_loopback(SOCK_DGRAM, INIT_DNS_PORT),
                         bind_loopback(SOCK_STREAM, INIT_DNS_PORT) };

    if (init_send(INIT_MSG_LISTENERS, 0, INIT_STAGE_NONE, fds, 3) != 0)
        init_fail(INIT_STAGE_SOCKETS, errno);
    for (size_t i = 0; i < 3; i++)
        (void)close(fds[i]);
}

void init_setup_devpts(void)
{
    if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620") != 0)
        init_fail(INIT_STAGE_DEVPTS, errno);
}

/* Lets nobody write below @path; an entry this kernel does not have is fine. */
static void make_read_only(const char *path)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

    if (access(path, F_OK) != 0 && errno == ENOENT)
        return;
    if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) != 0 ||
        mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) != 0)
        init_fail(INIT_STAGE_PROC, errno);
}

/* Puts emptiness over @path: the null device over a file, a read-only empty directory over a directory. */
static void hide(const char *path)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        if (errno == ENOENT || errno == EACCES)
            return; /* not on this kernel, or not for us: nor for the agent, which has less */
        init_fail(INIT_STAGE_PROC, errno);
    }
    if (S_ISDIR(st.st_mode)) {
        if (mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0,mode=0555") != 0)
            init_fail(INIT_STAGE_PROC, errno);
    } else if (mount("/dev/null", path, NULL, MS_BIND, NULL) != 0) {
        init_fail(INIT_STAGE_PROC, errno);
    }
}

void init_setup_proc(void)
{
    static const char *const read_only[] = { "/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs",
                                             "/proc/mtrr" };
    /* Only what an ordinary user of the host may read or list: the rest of /proc is closed to us already, because the
     * host's root owns it and no id in here is his. */
    static const char *const hidden[] = {
        "/proc/acpi",          "/proc/asound",    "/proc/driver",  "/proc/iomem",       "/proc/ioports",    "/proc/kallsyms",
        "/proc/kcore",         "/proc/key-users", "/proc/keys",    "/proc/modules",     "/proc/sched_debug",
        "/proc/latency_stats", "/proc/scsi",      "/proc/timer_list", "/proc/timer_stats",
    };

    /* Before 5.8 the option belongs to the pid namespace and needs more than we have: then pid 1 stays visible, still
     * out of reach because it is not dumpable. */
    (void)mount(NULL, "/proc", NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2");
    for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++)
        make_read_only(read_only[i]);
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        hide(hidden[i]);
}
