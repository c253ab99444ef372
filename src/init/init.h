/* firma-init: the first program in the sandbox, and its pid 1 for as long as the sandbox lives.
 *
 * It is small on purpose: libc only, no configuration, no parsing of anything the agent can write. It is started by
 * bubblewrap with three capabilities over the sandbox's own namespaces (NET_BIND_SERVICE, SYS_ADMIN, SETPCAP), and:
 *   1. binds the three loopback sockets and hands them out (setup.c);
 *   2. compares every mount with what the launcher planned (view.c), mounts a private devpts and covers the dangerous
 *      parts of /proc (setup.c);
 *   3. gives up every capability for good, closes the host's files (files.c) and filters its own system calls
 *      (confine.c);
 *   4. says READY and waits: GO, and nothing else, starts the agent (main.c, agent.c);
 *   5. reaps, relays signals, reports the status; ends everything when the agent or the launcher ends (main.c).
 *
 * Source: [the Firma design, section 2]. Layer: none (libc only). Thread: one. */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include "init/wire.h"

#include <stddef.h>
#include <sys/types.h>

/* main.c */

/* Tells the launcher which @stage failed with which @error, and ends the sandbox. No agent code has run yet. */
_Noreturn void init_fail(enum init_stage stage, int error);
/* Sends one message with @n_fds descriptors (at most 3). 0, or -1 with errno. */
int init_send(enum init_msg_type type, int value, enum init_stage stage, const int *fds, size_t n_fds);

/* setup.c: each ends the sandbox through init_fail when it cannot do its whole job */

/* Puts the descriptors in order: 2 becomes the agent's, all but the announced ones are closed. */
void init_setup_descriptors(void);
/* Binds and listens; hands the sockets to the launcher and closes its own copies. */
void init_setup_sockets(void);
/* view.c: ends the sandbox unless exactly the planned mounts are there, each with the planned file behind it. */
void init_view_check(void);
/* A devpts of the sandbox's own, so that no terminal of the host is reachable by name. */
void init_setup_devpts(void);
/* Hides other processes where the kernel can, makes /proc/sys and its kind read-only, empties what tells on the host. */
void init_setup_proc(void);

/* confine.c */

/* Bounding, ambient, inheritable, permitted, effective sets empty; no new privileges; not dumpable. */
void init_confine_drop(void);
/* files.c: keeps the agent from opening anything outside the sandbox's root, descriptors 0 to 2 included. */
void init_confine_files(void);
/* Installs the filters from INIT_FD_FILTERS on this process, and so on all it will ever start. */
void init_confine_filter(void);

/* agent.c */

/* The content of GO, checked; pointers lead into a private mapping. */
struct init_agent {
    char *cwd;
    char **argv; /* argv[-1] is a free slot, for a script without an interpreter line */
    char **envp;
    const struct init_go *go;
    char *map;
    size_t map_bytes;
};
/* Maps and checks the file of GO; ends the sandbox when anything in it is out of bounds. Closes @fd. */
void init_agent_load(int fd, struct init_agent *ret);
/* Writes the files that came with GO. */
void init_agent_write_files(const struct init_agent *a);
/* Forks and executes. Returns the pid once execve has succeeded; else -1, having told the launcher why. */
pid_t init_agent_start(const struct init_agent *a);
/* Forgets argv, environment and files. */
void init_agent_forget(struct init_agent *a);

#endif
