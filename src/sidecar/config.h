/* The Sidecar's part of firma.toml: every key, its default, its range. Checked whole before anything starts.
 * Source: [the Firma specification, sidecar 2-3] and docs/reference/config.md. Layer: sidecar (L3). Thread: read-only
 * once loaded. Unknown keys are refused, recursively, with the nearest known name; keys with two spellings (such as
 * drain_timeout_secs and drain_timeout) are read under either, never both. Relative paths are joined to the directory
 * of the file where a comment says [file]; others are left as written. */
#ifndef SIDECAR_CONFIG_H
#define SIDECAR_CONFIG_H

#include "base/arena.h"
#include "core/config.h"

#include <netinet/in.h>
#include <sys/types.h>

enum {
    SC_CONFIG_LIST_MAX = 1024, /* items of one list, tables of one kind */
    SC_CONFIG_SECONDS_MAX = 315360000, /* of a duration: ten years */
};

struct sc_strings {
    const char **items;
    size_t n;
};

enum sc_config_mode { SC_ENFORCE, SC_MONITOR };
enum sc_interceptor_mode { SC_HTTP_PROXY, SC_UNIX_SOCKET, SC_GRPC };
enum sc_audit_sink { SC_AUDIT_STDOUT, SC_AUDIT_FILE, SC_AUDIT_GRPC, SC_AUDIT_WAL };
enum sc_audit_durability { SC_DURABLE_BATCH, SC_DURABLE_FSYNC };
enum sc_local_exec_action { SC_EXEC_DENY, SC_EXEC_ALLOW, SC_EXEC_PENDING_HITL };

/* [sidecar.interceptor] */
struct sc_config_interceptor {
    enum sc_interceptor_mode mode;
    const char *listen_addr; /* "ip:port" */
    struct sockaddr_storage listen; /* the same; port 0 = any */
    const char *socket_path; /* NULL unless set; always set in unix_socket mode */
    uint64_t drain_timeout_ms;
    uint64_t max_request_body_bytes;
    uint64_t total_body_budget_bytes;
    uint64_t max_decompressed_body_bytes;
    const uid_t *trusted_uids; /* besides our own and root; at most SC_UIDS_MAX */
    size_t n_trusted_uids;
    uint64_t setup_timeout_ms; /* connect_relay */
    uint64_t session_max_ms;
};

/* [sidecar.interceptor.https_mitm] */
struct sc_config_mitm {
    bool enabled;     /* with an empty intercept list it is false */
    const char *ca_cert_path; /* default <ca.dir>/firma-ca.crt */
    const char *ca_key_path;
    struct sc_strings intercept_hosts;
    struct sc_strings bypass_hosts; /* wins */
    struct sc_strings strict_hosts; /* default: intercept_hosts */
    uint64_t cert_ttl_ms;
    uint64_t cert_cache_capacity;
};

/* [sidecar.credentials.<label>] */
struct sc_credential {
    const char *label;
    bool vault; /* mode: vault = a file, else an environment variable */
    const char *target_host;
    const char *header;
    const char *prefix;         /* NULL when absent */
    bool github_pat_basic;      /* transform */
    const char *value_from_env; /* basic */
    const char *secret_path;    /* vault */
};

struct sc_connector_host {
    const char *host;
    uint32_t rps;
    uint32_t burst;
    uint64_t timeout_ms;
};

/* [sidecar.authority] */
struct sc_config_authority {
    const char *url; /* NULL: no Authority */
    const char *agent_id;
    const char *connect_addr; /* "ip:port" */
    uint64_t connect_timeout_ms;
    uint64_t reconnect_min_backoff_ms;
    uint64_t reconnect_max_backoff_ms;
    uint64_t revocation_readiness_grace_ms;
    bool revocation_fail_closed_on_disconnect;
    const char *public_key_path; /* [file] */
    const char *ca_cert_path;    /* [file] */
    bool allow_insecure_remote;
    const char *workspace_id; /* credentials: all NULL when the table is absent */
    const char *sidecar_id;
    const char *pre_shared_key_env;
    const char *pre_shared_key_path; /* [file] */
};

/* [sidecar.audit] */
struct sc_config_audit {
    enum sc_audit_sink sink;
    enum sc_audit_durability durability;
    const char *file_path; /* [file] */
    const char *grpc_url;
    const char *wal_path;
    uint64_t wal_max_bytes;
    const char *signing_key_path; /* [file] */
    const char *signing_key_env;  /* neither set: the Sidecar does not start, see the start-up code */
};

/* [sidecar.resolver]; a name given here also satisfies the address guard. */
struct sc_resolver_host {
    const char *name; /* lower case, no dot at the end */
    const char *addr; /* IP address text */
};

/* [sidecar.limits]: may only be lowered where a parser has a fixed room (head), else moved within a range. */
struct sc_config_limits {
    uint64_t head_bytes;
    uint64_t head_fields;
    uint64_t clients;
    uint64_t clients_per_peer;
    uint64_t head_timeout_ms;
    uint64_t idle_timeout_ms;
    uint64_t body_gap_ms;
    uint64_t response_buffer_bytes;
};

/* [sidecar.local_exec] */
struct sc_config_local_exec {
    bool present;
    const char *socket_path; /* absolute */
    enum sc_local_exec_action default_action;
    uint64_t token_ttl_ms;
    uint64_t retry_after_ms;
};

/* [sidecar.preflight], deprecated */
struct sc_config_preflight {
    bool present;
    const char *agent_id;
    const char *session_id;
    struct sc_strings requested_actions;
    const char *resource_scope;
    uint64_t ttl_s;
    const char *authority_pub_key_path;
};

struct sc_config {
    struct fb_arena arena; /* holds every text and list below */
    const char *path;      /* of the file, as it was named */
    const char *dir;
    enum sc_config_mode mode;
    struct sc_config_interceptor interceptor;
    struct sc_config_mitm mitm;
    const char *policy_dir; /* [file] */
    const char *ca_dir;
    const char *log_level; /* lower case; NULL when absent */
    const struct sc_credential *credentials;
    size_t n_credentials;
    struct sc_strings rules; /* [file] mapping.rules_path, then rules_paths; at least one */
    bool default_protected;
    uint64_t clock_skew_s;
    uint64_t bundle_ttl_s;
    uint64_t enforcement_timeout_ms;
    uint64_t session_state_capacity;
    const char *session_state_path; /* NULL = lru, else the persistent backend */
    uint64_t connector_timeout_ms;
    const struct sc_connector_host *connector_hosts;
    size_t n_connector_hosts;
    struct sc_config_authority authority;
    uint64_t revocation_capacity;
    double revocation_fpr;
    uint64_t revocation_lru_capacity;
    struct sc_config_audit audit;
    struct sc_strings seeds; /* [file] capability_seed.paths */
    bool seeds_hot_reload;
    struct sc_strings resolver_servers; /* "ip" or "ip:port"; empty = the system's */
    const struct sc_resolver_host *resolver_hosts;
    size_t n_resolver_hosts;
    struct sc_config_limits limits;
    struct sc_config_local_exec local_exec;
    struct sc_config_preflight preflight;
    bool secret_gateway; /* [sidecar.secret_gateway] says something */
    bool http_secret_providers; /* there is at least one */
};

/* Reads and checks the section [sidecar] of a loaded file. FB_E_CONFIG_VALIDATION with place, section, key and what is
 * allowed, for the first bad key; FB_E_NOMEM. On failure @ret is empty. @ret does not refer to @file afterwards. */
int sc_config_load(const struct fc_config *file, struct sc_config *ret, struct fb_err *err) FB_MUST_USE;
/* Frees; takes an empty struct. */
void sc_config_done(struct sc_config *c);

#endif
