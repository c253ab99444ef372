/* What the launcher and firma-init say to each other: fixed-size messages over one SOCK_SEQPACKET pair, and the layout
 * of the anonymous file that comes with GO. Both ends are built together and run on one machine: native byte order.
 * Source: [the Firma design, section 2]. Layer: none (libc types only); included by src/init and src/run. */
#ifndef INIT_WIRE_H
#define INIT_WIRE_H

#include <stdint.h>

/* Descriptors of firma-init at its start; everything else from 3 up is closed by it. */
enum {
    INIT_FD_CONTROL = 3, /* its end of the socket pair */
    INIT_FD_STDERR = 4,  /* the agent's standard error (2 is bubblewrap's diagnostics until firma-init takes over) */
    INIT_FD_FILTERS = 5, /* the system-call filters: a struct init_filters */
    INIT_FD_VIEW = 6,    /* what must be mounted where: a struct init_view */
    INIT_FD_FIRST_FREE = 7,
};

enum {
    INIT_PROXY_PORT = 18080,
    INIT_DNS_PORT = 53,
    INIT_FILTERS_MAX = 2,
    INIT_FILTER_MAX_BYTES = 4096 * 8, /* the kernel's own limit: 4096 instructions */
    INIT_GO_MAX_BYTES = 4 << 20,
    INIT_GO_STRINGS_MAX = 8192,
    INIT_GO_FILES_MAX = 16,
    INIT_VIEW_ENTRIES_MAX = 8192,
    INIT_VIEW_MAX_BYTES = 4 << 20,
};

enum init_msg_type {
    INIT_MSG_NONE = 0,
    /* launcher to firma-init */
    INIT_MSG_GO = 'G',     /* with one descriptor: the file described by struct init_go */
    INIT_MSG_SIGNAL = 'S', /* value: signal number for the agent's process group */
    /* firma-init to launcher */
    INIT_MSG_LISTENERS = 'L',   /* with three descriptors: TCP 18080, UDP 53, TCP 53 */
    INIT_MSG_READY = 'R',       /* all dropped, filters on, waiting for GO */
    INIT_MSG_STARTED = 'T',     /* execve has succeeded */
    INIT_MSG_EXEC_FAILED = 'E', /* value: errno; stage: INIT_STAGE_CHDIR or INIT_STAGE_EXEC */
    INIT_MSG_EXITED = 'X',      /* value: status as of wait(2) */
    INIT_MSG_FAILED = 'F',      /* value: errno; stage: what could not be built. No agent code has run. */
};

enum init_stage {
    INIT_STAGE_NONE = 0,
    INIT_STAGE_DESCRIPTORS,
    INIT_STAGE_SOCKETS,
    INIT_STAGE_VIEW,
    INIT_STAGE_DEVPTS,
    INIT_STAGE_PROC,
    INIT_STAGE_CAPABILITIES,
    INIT_STAGE_FILTERS,
    INIT_STAGE_GO,
    INIT_STAGE_FILES,
    INIT_STAGE_FORK,
    INIT_STAGE_CHDIR,
    INIT_STAGE_EXEC,
};

struct init_msg {
    uint32_t type; /* enum init_msg_type */
    int32_t value;
    int32_t stage; /* enum init_stage */
};

/* Behind INIT_FD_FILTERS: the header, then the programs one after the other. */
struct init_filters {
    uint32_t magic;
    uint32_t n_filters;
    uint32_t n_bytes[INIT_FILTERS_MAX];
};
#define INIT_FILTERS_MAGIC 0x46494c54u

/* Behind INIT_FD_VIEW: the header, then the entries sorted by path, then the paths, each with its NUL. */
enum init_view_flag {
    INIT_VIEW_REQUIRED = 1,  /* must be a mount point; without it the place only may be one */
    INIT_VIEW_SAME = 2,      /* @dev and @ino must be behind it, and no link on the way */
    INIT_VIEW_READ_ONLY = 4, /* and nobody can write there */
    INIT_VIEW_BELOW = 8,     /* mount points below it are nobody's concern */
};
struct init_view {
    uint32_t magic;
    uint32_t total_bytes; /* of the whole file */
    uint32_t n_entries;
    uint32_t reserved;
};
struct init_view_entry {
    uint64_t dev;
    uint64_t ino;
    uint32_t path_offset; /* from the start of the file */
    uint32_t flags;       /* enum init_view_flag */
};
#define INIT_VIEW_MAGIC 0x46564945u

/* Behind the descriptor of GO: the header, then the bytes its offsets point into (from the start of the file).
 * strings: cwd, then argv, then envp, each with its NUL, in this order. */
struct init_go_file {
    uint32_t path_offset; /* NUL-terminated, one name without '/', made below INIT_FILES_DIR */
    uint32_t data_offset;
    uint32_t data_bytes;
    uint32_t mode;
};
struct init_go {
    uint32_t magic;
    uint32_t total_bytes; /* of the whole file */
    uint32_t n_argv;
    uint32_t n_envp;
    uint32_t n_files;
    uint32_t strings_offset;
    uint32_t strings_bytes;
    struct init_go_file files[INIT_GO_FILES_MAX];
};
#define INIT_GO_MAGIC 0x464d474fu
#define INIT_FILES_DIR "/run/firma"

#endif
