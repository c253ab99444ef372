/* From the bytes of GO to a running agent. */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* Fills @slots with the next @n NUL-terminated strings at *@at, and a NULL after them. */
static bool take_strings(char **slots, uint32_t n, char **at, const char *end)
{
    for (uint32_t i = 0; i < n; i++) {
        char *nul = memchr(*at, '\0', (size_t)(end - *at));
        if (nul == NULL)
            return false;
        slots[i] = *at;
        *at = nul + 1;
    }
    slots[n] = NULL;
    return true;
}

static bool within(const struct init_go *go, uint32_t offset, uint32_t bytes)
{
    return offset >= sizeof(*go) && offset <= go->total_bytes && bytes <= go->total_bytes - offset;
}

static bool files_are_sound(const struct init_go *go, const char *map)
{
    for (uint32_t i = 0; i < go->n_files; i++) {
        const struct init_go_file *f = &go->files[i];
        if (!within(go, f->data_offset, f->data_bytes) || !within(go, f->path_offset, 1))
            return false;
        const char *name = map + f->path_offset;
        const size_t room = go->total_bytes - f->path_offset;
        if (memchr(name, '\0', room) == NULL || name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
            return false;
    }
    return true;
}

void init_agent_load(int fd, struct init_agent *ret)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || st.st_size < (off_t)sizeof(struct init_go) || st.st_size > INIT_GO_MAX_BYTES)
        init_fail(INIT_STAGE_GO, EPROTO);
    ret->map_bytes = (size_t)st.st_size;
    /* Private: whatever happens to the file from here on, these bytes stay as they were checked. */
    ret->map = mmap(NULL, ret->map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (ret->map == MAP_FAILED)
        init_fail(INIT_STAGE_GO, errno);
    (void)close(fd);

    const struct init_go *go = (const struct init_go *)(void *)ret->map;
    if (go->magic != INIT_GO_MAGIC || go->total_bytes != ret->map_bytes || go->n_argv == 0 ||
        go->n_argv > INIT_GO_STRINGS_MAX || go->n_envp > INIT_GO_STRINGS_MAX - go->n_argv ||
        go->n_files > INIT_GO_FILES_MAX || !within(go, go->strings_offset, go->strings_bytes) ||
        !files_are_sound(go, ret->map))
        init_fail(INIT_STAGE_GO, EPROTO);

    static char *slots[INIT_GO_STRINGS_MAX + 8];
    char *at = ret->map + go->strings_offset;
    const char *end = at + go->strings_bytes;
    ret->go = go;
    ret->argv = slots + 3; /* 0: cwd, 1: its NULL, 2: the free slot */
    ret->envp = ret->argv + go->n_argv + 1;
    if (!take_strings(slots, 1, &at, end) || !take_strings(ret->argv, go->n_argv, &at, end) ||
        !take_strings(ret->envp, go->n_envp, &at, end) || at != end)
        init_fail(INIT_STAGE_GO, EPROTO);
    ret->cwd = slots[0];
}

void init_agent_forget(struct init_agent *a)
{
    explicit_bzero(a->map, a->map_bytes);
    (void)munmap(a->map, a->map_bytes);
    a->map = NULL;
    a->go = NULL;
}

static void write_file(int dir, const char *name, const char *p, size_t n, mode_t mode)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        init_fail(INIT_STAGE_FILES, errno);
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            init_fail(INIT_STAGE_FILES, done < 0 ? errno : EIO);
        p += done;
        n -= (size_t)done;
    }
    if (fchmod(fd, mode & 0555) != 0)
        init_fail(INIT_STAGE_FILES, errno);
    (void)close(fd);
}

void init_agent_write_files(const struct init_agent *a)
{
    if (a->go->n_files == 0)
        return;
    int dir = open(INIT_FILES_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        init_fail(INIT_STAGE_FILES, errno);
    for (uint32_t i = 0; i < a->go->n_files; i++) {
        const struct init_go_file *f = &a->go->files[i];
        write_file(dir, a->map + f->path_offset, a->map + f->data_offset, f->data_bytes, (mode_t)f->mode);
    }
    (void)close(dir);
}

/* One attempt; a file the kernel cannot read as a program is given to the shell, as execvp(3) does. */
static void try_exec(const char *path, char **argv, char **envp)
{
    (void)execve(path, argv, envp);
    if (errno != ENOEXEC)
        return;
    char name[] = "/bin/sh";
    char *first = argv[0];
    static char script[PATH_BYTES];
    (void)strncpy(script, path, sizeof(script) - 1);
    argv[-1] = name;
    argv[0] = script;
    (void)execve(name, argv - 1, envp);
    argv[0] = first;
    errno = ENOEXEC;
}

static const char *path_of(char **envp)
{
    for (; *envp != NULL; envp++)
        if (strncmp(*envp, "PATH=", 5) == 0)
            return *envp + 5;
    return "/usr/local/bin:/usr/bin:/bin";
}

/* Returns only on failure, with the errno that tells the person most: EACCES from one directory beats ENOENT. */
static int exec_agent(const struct init_agent *a)
{
    const char *name = a->argv[0];
    bool denied = false;

    if (strchr(name, '/') != NULL) {
        try_exec(name, a->argv, a->envp);
        return errno;
    }
    for (const char *at = path_of(a->envp); *at != '\0';) {
        static char path[PATH_BYTES];
        const size_t dir = strcspn(at, ":");
        /* An empty or relative entry would mean the current directory, which the agent's input may control: skipped. */
        if (at[0] == '/' && dir + 1 + strlen(name) < sizeof(path) && name[0] != '\0') {
            memcpy(path, at, dir);
            path[dir] = '/';
            memcpy(path + dir + 1, name, strlen(name) + 1);
            try_exec(path, a->argv, a->envp);
            if (errno == EACCES)
                denied = true;
            else if (errno != ENOENT && errno != ENOTDIR)
                return errno;
        }
        at += dir + (at[dir] == ':');
    }
    return denied ? EACCES : ENOENT;
}

/* The child, between fork and exec. Writes errno and stage to @report on failure. */
static _Noreturn void become_agent(const struct init_agent *a, int report)
{
    const struct rlimit no_core = { 0, 0 };
    int failure[2] = { 0, INIT_STAGE_EXEC };
    sigset_t none;

    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_DFL); /* SIGKILL and SIGSTOP refuse, and may */
    sigemptyset(&none);
    if (setsid() < 0 || setrlimit(RLIMIT_CORE, &no_core) != 0 ||
        syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) != 0 ||
        sigprocmask(SIG_SETMASK, &none, NULL) != 0) {
        failure[0] = errno;
    } else if (chdir(a->cwd) != 0) {
        failure[0] = errno;
        failure[1] = INIT_STAGE_CHDIR;
    } else {
        failure[0] = exec_agent(a);
    }
    (void)!write(report, failure, sizeof(failure));
    _exit(127);
}

pid_t init_agent_start(const struct init_agent *a)
{
    int report[2];
    int failure[2];
    ssize_t n;

    /* Closed by a successful exec: end of file is the good news. */
    if (pipe2(report, O_CLOEXEC) != 0)
        init_fail(INIT_STAGE_FORK, errno);
    pid_t pid = fork();
    if (pid < 0)
        init_fail(INIT_STAGE_FORK, errno);
    if (pid == 0)
        become_agent(a, report[1]);
    (void)close(report[1]);
    do {
        n = read(report[0], failure, sizeof(failure));
    } while (n < 0 && errno == EINTR);
    (void)close(report[0]);
    if (n == 0)
        return pid;
    if (n != (ssize_t)sizeof(failure)) {
        failure[0] = EIO;
        failure[1] = INIT_STAGE_EXEC;
    }
    (void)init_send(INIT_MSG_EXEC_FAILED, failure[0], (enum init_stage)failure[1], NULL, 0);
    return -1;
}
