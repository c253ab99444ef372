/* The steps of a launch that need more than one component: each is done once, as soon as its inputs are there. */
#include "run/flow.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/toml.h"
#include "net/proxyv2.h"
#include "run/sidecar_config.h"
#include "stack/child.h"

#include <stdlib.h>
#include <string.h>

static struct st_pair pair(const char *key, const char *value)
{
    return (struct st_pair){ fb_str_of(key), fb_str_of(value == NULL ? "" : value) };
}

/* A path of the discovered [authority] table, absolute; "" when the file does not set it. */
static char *authority_path(const struct run_settled *s, const char *key)
{
    const struct fb_toml *table = s->config.doc == NULL ? NULL : fb_toml_get(fb_toml_root(s->config.doc), "authority");
    const struct fb_toml *node = fb_toml_get(table, key);
    if (node == NULL || node->kind != FB_TOML_STRING || node->s.n == 0)
        return strdup("");
    char *text = fb_str_dupz(node->s);
    char *joined = text == NULL ? NULL : fb_fs_join(s->config.dir, text);
    free(text);
    return joined;
}

/* A number of the same table, as text. False when it does not set it. */
static bool authority_number(const struct run_settled *s, const char *key, char out[24])
{
    const struct fb_toml *table = s->config.doc == NULL ? NULL : fb_toml_get(fb_toml_root(s->config.doc), "authority");
    const struct fb_toml *node = fb_toml_get(table, key);
    if (node == NULL || node->kind != FB_TOML_INTEGER)
        return false;
    snprintf(out, 24, "%lld", (long long)node->i);
    return true;
}

int run_flow_tell_authority(struct run_flow *f, struct fb_err *err)
{
    static const char *const keys[] = { "policy_dir", "issuance_policy_dir", "schema_path", "revocation_file",
                                        "key_file" };
    static const char *const numbers[] = { "max_ttl_seconds", "bundle_ttl_seconds" };
    const char *profile = f->s->options->authority_profile;
    struct st_pair pairs[6 + FB_COUNT(keys) + FB_COUNT(numbers)] = { pair("run_dir", "authority"),
                                 pair("profile", profile == NULL ? "developer" : profile),
                                 pair("log", "authority.log"), pair("sandbox_id", f->s->sandbox_id),
                                 pair("agent_id", f->s->agent_id), pair("session_id", f->s->session_id) };
    size_t n = 6;
    char *paths[FB_COUNT(keys)] = { NULL };
    for (size_t i = 0; i < FB_COUNT(keys); i++) {
        paths[i] = authority_path(f->s, keys[i]);
        if (paths[i] != NULL && paths[i][0] != '\0')
            pairs[n++] = pair(keys[i], paths[i]);
    }
    char digits[FB_COUNT(numbers)][24];
    for (size_t i = 0; i < FB_COUNT(numbers); i++)
        if (authority_number(f->s, numbers[i], digits[i]))
            pairs[n++] = pair(numbers[i], digits[i]);
    int r = st_child_send(f->authority_child.sock, ST_MSG_START, pairs, n, NULL, 0, err);
    for (size_t i = 0; i < FB_COUNT(keys); i++)
        free(paths[i]);
    return r;
}

/* Whose connection it is; a TCP peer is told nothing, because it could not check it. */
static int relay_header(const struct run_settled *s, struct fb_buf *out, struct fb_err *err)
{
    const struct fn_proxyv2 ids = { .sandbox = fb_str_of(s->sandbox_id),
                                    .session = fb_str_of(s->session_id),
                                    .agent = fb_str_of(s->agent_id) };
    if (s->endpoint.kind != RUN_ENDPOINT_UNIX || fn_proxyv2_write(out, &ids) == 0)
        return 0;
    return fb_err_set(err, FB_E_INTERNAL, "the ids of this run do not fit a PROXY header");
}

static void on_renew(void *arg);

static int schedule_renewal(struct run_flow *f, struct fb_err *err)
{
    if (f->renewal == NULL) {
        int r = fb_timer_new(f->loop, on_renew, f, &f->renewal, err);
        if (r < 0)
            return r;
    }
    int64_t wait = run_capability_renew_in_ms(&f->capability, f->s->profile.refresh_ratio, f->s->profile.grace_s,
                                              fb_clock_wall_ns());
    fb_timer_start(f->renewal, (uint64_t)wait, 0);
    f->renewal_pause_ms = 1000;
    return 0;
}

static int mint(struct run_flow *f, int64_t timeout_ms, struct fb_err *err)
{
    const struct run_mint m = {
        .authority_url = f->authority_url,
        .public_key_path = f->authority.public_key_path,
        .agent_id = f->s->agent_id,
        .session_id = f->s->session_id,
        .actions = f->s->profile.requested_actions.items,
        .n_actions = f->s->profile.requested_actions.count,
        .timeout_ms = timeout_ms,
    };
    return run_capability_mint(&f->capability, &m, err);
}

/* The old token just expires when the Authority stays away: nothing opens. */
static void on_renew(void *arg)
{
    struct run_flow *f = arg;
    struct fb_err err = { 0 };
    if (mint(f, RUN_CAPABILITY_RENEW_TIMEOUT_MS, &err) == 0) {
        (void)st_child_send(f->sidecar_child.sock, ST_MSG_RELOAD, NULL, 0, NULL, 0, NULL);
        (void)schedule_renewal(f, NULL);
        return;
    }
    fb_log_err(FB_LOG_WARN, "capability could not be renewed, trying again", &err);
    fb_timer_start(f->renewal, (uint64_t)f->renewal_pause_ms, 0);
    f->renewal_pause_ms = f->renewal_pause_ms * 2 > 30000 ? 30000 : f->renewal_pause_ms * 2;
}

static int get_capability(struct run_flow *f, struct fb_err *err)
{
    int r = run_capability_open(&f->capability, f->s->state_dir, f->s->sandbox_id, err);
    if (r < 0)
        return r;
    if (f->s->capability_file != NULL)
        return run_capability_copy(&f->capability, f->s->capability_file, &f->s->capability, err);
    /* The whole launch has one limit; a silent Authority must not stretch it. */
    uint64_t limit_s = f->s->options->sidecar_startup_timeout_s == 0 ? RUN_READY_DEFAULT_S
                                                                     : f->s->options->sidecar_startup_timeout_s;
    bool short_limit = limit_s < RUN_CAPABILITY_MINT_TIMEOUT_MS / 1000;
    r = mint(f, short_limit ? (int64_t)limit_s * 1000 : RUN_CAPABILITY_MINT_TIMEOUT_MS, err);
    return r < 0 ? r : schedule_renewal(f, err);
}

int run_flow_tell_sidecar(struct run_flow *f, struct fb_err *err)
{
    int r = get_capability(f, err);
    if (r < 0)
        return r;
    run_timings_mark(&f->timings, "capability minted");
    char *config = fb_fs_join(f->marker.grow_path, "sidecar.toml");
    char *log = fb_fs_join(f->marker.grow_path, "sidecar.log");
    char *sock = fb_fs_join(f->marker.grow_path, "sidecar.sock");
    char *announced = fb_fs_join(f->marker.path, "sidecar.sock");
    const struct run_sidecar_config in = {
        .settled = f->s,
        .marker_dir = f->marker.grow_path,
        .marker_path = f->marker.path,
        .authority_url = f->authority_url,
        .public_key_path = f->authority.public_key_path,
        .seed_path = f->capability.path,
    };
    if (config == NULL || log == NULL || sock == NULL || announced == NULL)
        r = fb_err_set(err, FB_E_NOMEM, "out of memory");
    if (r == 0)
        r = run_sidecar_config_write(&in, f->marker.dir_fd, err);
    if (r == 0) {
        const struct st_pair pairs[] = {
            pair("config", config),           pair("log", log),
            pair("sandbox_id", f->s->sandbox_id), pair("session_id", f->s->session_id),
            pair("agent_id", f->s->agent_id), pair("socket_path", sock),
            pair("announce_path", announced), pair("capability", f->capability.path),
            pair("health", "off"),            pair("seed_changes", "told"),
        };
        r = st_child_send(f->sidecar_child.sock, ST_MSG_START, pairs, FB_COUNT(pairs), NULL, 0, err);
    }
    free(config);
    free(log);
    free(sock);
    free(announced);
    return r;
}

int run_flow_hand_over(struct run_flow *f, struct fb_err *err)
{
    f->hand_over_sent = true;
    if (!f->s->sidecar_local) {
        int fd = fb_fd_take(&f->proxy_fd);
        struct fb_buf header;
        fb_buf_init(&header, 1024);
        int r = relay_header(f->s, &header, err);
        if (r == 0)
            r = run_relay_new(f->loop, fd, &f->s->endpoint, fb_buf_str(&header), &f->relay, err);
        else
            fb_fd_close(&fd);
        fb_buf_done(&header);
        f->handed_over = r == 0;
        return r;
    }
    int r = st_child_send(f->sidecar_child.sock, ST_MSG_LISTENER, NULL, 0, &f->proxy_fd, 1, err);
    /* Our copy must not keep the port open once the Sidecar is gone. */
    fb_fd_close(&f->proxy_fd);
    return r;
}

/* The marker has its final name now: what is read again later, to renew the capability, must be found there. */
static void rebase(struct run_flow *f)
{
    size_t n = strlen(f->marker.grow_path);
    char *key = f->authority.public_key_path;
    if (strncmp(key, f->marker.grow_path, n) != 0 || key[n] != '/')
        return;
    char moved[RUN_AUTHORITY_PATH_BYTES];
    if (snprintf(moved, sizeof moved, "%s%s", f->marker.path, key + n) < (int)sizeof moved)
        memcpy(key, moved, sizeof moved);
}

int run_flow_open_gate(struct run_flow *f, struct fb_err *err)
{
    int r = run_dnsstub_new(f->loop, f->dns_udp_fd, f->dns_tcp_fd, &f->routes, &f->dns, err);
    f->dns_udp_fd = -1;
    f->dns_tcp_fd = -1;
    if (r < 0)
        return r;
    if (f->s->sidecar_local) {
        const struct st_marker_meta meta = {
            .sandbox_id = fb_str_of(f->s->sandbox_id),
            .agent_id = fb_str_of(f->s->agent_id),
            .session_id = fb_str_of(f->s->session_id),
            .authority_url = fb_str_of(f->authority_url),
            .policy_bundle_version = fb_str_of(f->policy_version),
            .pid = f->sidecar_child.proc.pid,
            .started_at_ns = fb_clock_wall_ns(),
        };
        r = st_marker_publish(&f->marker, &meta, err);
        if (r < 0)
            return r;
        rebase(f);
        run_timings_mark(&f->timings, "marker published");
    }
    const struct run_sandbox_go go = {
        .argv = (const char *const *)f->s->options->command,
        .envp = run_environ_list(&f->s->env),
        .cwd = f->s->cwd,
    };
    r = run_sandbox_go(&f->sandbox, &go, err);
    f->go_sent = r == 0;
    fb_timer_stop(f->deadline);
    return r;
}
