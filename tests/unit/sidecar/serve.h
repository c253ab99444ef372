/* A Sidecar without configuration file and Authority, for tests and the benchmark: everything static, own process. */
#ifndef TEST_SIDECAR_SERVE_H
#define TEST_SIDECAR_SERVE_H

#include "sidecar/resolver.h"
#include "sidecar/server.h"

#include <sys/types.h>

enum { SERVE_HOSTS_MAX = 16, SERVE_ADDR_BYTES = 128 };

struct serve_options {
    const char *rules;    /* TOML text */
    const char *policies; /* Cedar text; NULL: no bundle */
    const char *schema;
    const char *version;
    unsigned bundle_ttl_s; /* 0: a day */
    bool unprotected;
    const char *seed;      /* seed file's text; NULL: a made-up capability for session_id "sess_1", any action, scope "*" */
    const char *seed_key_hex; /* public key for it */
    const char *token_scope; /* of the made-up capability */
    const char *audit_path;
    const char *audit_key_pem; /* text */
    const char *listen;    /* "127.0.0.1:0" */
    const char *unix_path; /* or this */
    const char *session_id; /* per-run identity; NULL: none */
    int64_t clock_offset_ms;
    struct sc_host_row hosts[SERVE_HOSTS_MAX];
    size_t n_hosts;
    const char *resolver_servers;
    struct sc_limits limits; /* head_bytes 0: defaults */
};

/* Runs a server until SIGTERM. @said is called with the address once it listens. Returns an exit status. */
int serve_run(const struct serve_options *o, void (*said)(void *arg, const char *addr), void *arg);
/* The same in a forked process; *@ret_addr gets the address. Returns the pid, -1 on failure. */
pid_t serve_fork(const struct serve_options *o, char addr[SERVE_ADDR_BYTES]);
/* SIGTERM, wait; the exit status. */
int serve_stop(pid_t pid);

/* The P-256 key of RFC 6979 A.2.5, as PKCS#8 PEM. */
extern const char serve_audit_key[];
extern const char serve_schema[];

#endif
