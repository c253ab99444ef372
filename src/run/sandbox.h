/* One sandbox: bubblewrap builds it, firma-init lives in it as pid 1, the launcher holds the other end of a socket.
 *
 *     prepare -> start -> [LISTENERS] -> [READY] -> go -> [EXITED] -> done
 *
 * Nothing blocks: start returns while bubblewrap still works, and run_sandbox_fd() is for the launcher's poll. GO is
 * the gate: until it is sent no agent code has run, and the end of the socket instead of it ends the sandbox.
 * Source: [the Firma design, sections 2 and 4]; [the Firma specification, run 6, 10.3].
 * Layer: run (L3). Thread: one owner; run_sandbox_start before any other thread exists. */
#ifndef RUN_SANDBOX_H
#define RUN_SANDBOX_H

#include "base/err.h"
#include "base/macros.h"
#include "base/proc.h"
#include "run/identity.h"
#include "run/mounts.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    RUN_SANDBOX_PROXY_PORT = 18080,
    RUN_SANDBOX_DNS_PORT = 53,
    RUN_SANDBOX_GO_MAX_BYTES = 4 << 20, /* argv, environment and files together */
    RUN_SANDBOX_GO_STRINGS_MAX = 8192,  /* argv and environment together */
    RUN_SANDBOX_GO_FILES_MAX = 16,
};

struct run_sandbox_plan {
    const char *sandbox_id;
    struct run_mounts_spec view; /* identity, mounts, home, hostname, state directory */
    const char *init_path;       /* NULL: beside the running binary, ../libexec/firma, or the build tree */
    const char *bwrap_path;      /* NULL: /usr/bin/bwrap, /bin/bwrap, /usr/local/bin/bwrap */
    const void *managed_filter;  /* verified BPF of the managed policy (sock_filter array); NULL when disabled */
    size_t managed_filter_bytes;
};

/* Cheap checks, no process started, no file written: user namespaces, bwrap, firma-init, AppArmor, WSL1.
 * @host_root is "" on a real host; tests put a directory that holds proc/sys/... there.
 * 0, or FB_E_UNSUPPORTED_BACKEND / FB_E_BACKEND with a remedy that names the exact command. */
int run_sandbox_preflight(const struct run_sandbox_plan *plan, const char *host_root, struct fb_err *err) FB_MUST_USE;

struct run_sandbox {
    struct run_mounts mounts; /* after prepare: the whole ordered plan, for printing, and the placeholders to record */
    struct run_identity identity;
    struct fb_proc bwrap; /* pid on the host and pidfd */
    int control;      /* the launcher's end, SOCK_SEQPACKET, non-blocking, close-on-exec */
    int diagnostics;  /* memfd: what bubblewrap said on its standard error */
    bool placeholders_made;
    bool ready;
    bool go_sent;
    bool exited;      /* EXITED or EXEC_FAILED was read */
    char *cwd; /* the plan's working directory, for GO */
    char *init_path;
    char *bwrap_path;
    const struct run_sandbox_plan *plan; /* borrowed from prepare to start */
};

/* Computes the whole view and finds the programs; touches nothing on disk. *@ret is run_sandbox_done-able afterwards in
 * every case. @plan is borrowed until run_sandbox_start returns. Errors of run_mounts_plan, FB_E_BACKEND. */
int run_sandbox_prepare(const struct run_sandbox_plan *plan, struct run_sandbox *ret, struct fb_err *err) FB_MUST_USE;

/* Makes the placeholders, forks and executes bubblewrap, returns at once. Standard input, output and error of the
 * calling process become the agent's; a closed one becomes /dev/null, a directory is refused (FB_E_SPAWN).
 * 0; FB_E_BACKEND, FB_E_SPAWN, FB_E_IO. */
int run_sandbox_start(struct run_sandbox *sb, struct fb_err *err) FB_MUST_USE;

enum run_sandbox_event_type {
    RUN_SANDBOX_NOTHING = 0, /* nothing to read yet: poll again */
    RUN_SANDBOX_LISTENERS,   /* three sockets; the caller owns them */
    RUN_SANDBOX_READY,       /* everything is dropped and the filters are on; waiting for GO */
    RUN_SANDBOX_STARTED,     /* execve succeeded: the agent's own code runs */
    RUN_SANDBOX_EXEC_FAILED, /* os_errno says why: ENOENT is 127, EACCES 126, else Spawn; @chdir_failed: the cwd, not CMD */
    RUN_SANDBOX_EXITED,      /* wait_status as of wait(2); every process of the sandbox is gone or going */
};

struct run_sandbox_event {
    enum run_sandbox_event_type type;
    int proxy_fd;   /* LISTENERS: TCP 127.0.0.1:18080, listening */
    int dns_udp_fd; /* LISTENERS: UDP 127.0.0.1:53, bound */
    int dns_tcp_fd; /* LISTENERS: TCP 127.0.0.1:53, listening */
    int os_errno;
    bool chdir_failed;
    int wait_status;
};

/* The descriptor to poll for reading; -1 before start. */
int run_sandbox_fd(const struct run_sandbox *sb);
/* Reads one event, never blocks; call again until NOTHING. 0; FB_E_BACKEND (or FB_E_UNSUPPORTED_BACKEND) with a remedy
 * when bubblewrap or firma-init failed while building, FB_E_WAIT when the sandbox ended without a wait status. */
int run_sandbox_read(struct run_sandbox *sb, struct run_sandbox_event *ret, struct fb_err *err) FB_MUST_USE;

struct run_sandbox_go {
    const char *const *argv; /* NULL-terminated, at least one; a name without '/' is searched in PATH of @envp */
    const char *const *envp; /* NULL-terminated; the whole environment of the agent */
    const char *cwd;         /* inside; NULL: the plan's */
    const struct run_file *files; /* written below /run/firma before the agent starts (the CA bundle) */
    size_t n_files;
};
/* Opens the gate; only after READY, only once. Values travel in an anonymous file, never in an argv.
 * 0; FB_E_LIMIT, FB_E_UNAVAILABLE when the sandbox is gone already, FB_E_INTERNAL when called out of order. */
int run_sandbox_go(struct run_sandbox *sb, const struct run_sandbox_go *go, struct fb_err *err) FB_MUST_USE;

/* Asks firma-init to signal the agent's process group. A sandbox that is gone is no error. */
int run_sandbox_signal(struct run_sandbox *sb, int sig);
/* Ends every process of the sandbox at once, by its pid 1 where that lives, else by SIGKILL to bubblewrap. Afterwards
 * run_sandbox_read says FB_E_WAIT; run_sandbox_done sees it through. */
void run_sandbox_kill(struct run_sandbox *sb);
/* Waits up to @timeout_ms for bubblewrap to be gone and reaps it: 0 gone, 1 still there, FB_E_WAIT. */
int run_sandbox_wait(struct run_sandbox *sb, int timeout_ms, struct fb_err *err);
/* Kills what is left, reaps, removes the placeholders, closes and frees. Safe after any failure, and twice. */
void run_sandbox_done(struct run_sandbox *sb);

#endif
