/* The Sidecar's parts put together by hand. */
#include "serve.h"

#include "audit/log.h"
#include "base/clock.h"
#include "base/enc.h"
#include "enforce/decide.h"
#include "enforce/engine.h"
#include "enforce/mapping.h"
#include "sidecar/listener.h"
#include "token/seed.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

const char serve_audit_key[] = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\nZ7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n-----END PRIVATE KEY-----\n";

const char serve_schema[] =
    "namespace Firma {\n"
    "  type EnforcementContext = {\n"
    "    session_id: String, timestamp_ms: Long, params: String, risk_score: Long,\n"
    "    budget_remaining: Long, session_duration_s: Long, action_count: Long,\n"
    "    raw_transport: String, transfer_amount: Long, daily_cumulative_amount: Long,\n"
    "    transfers_last_10m: Long, same_payee_count_30m: Long, session_transfer_count: Long\n"
    "  };\n"
    "  entity Agent;\n"
    "  entity Resource;\n"
    "  action \"communication.external.send\" appliesTo {\n"
    "    principal: [Agent], resource: [Resource], context: EnforcementContext\n"
    "  };\n"
    "}\n";

static struct fb_loop *the_loop;

static void on_drained(void *arg)
{
    (void)arg;
    fb_loop_stop(the_loop);
}

static void on_term(void *arg, int sig)
{
    (void)sig;
    sc_server_drain(arg, on_drained, arg);
}

static void on_notice(void *arg, bool warn, const char *text)
{
    (void)arg;
    fprintf(stderr, "audit: %s%s\n", warn ? "WARN " : "", text);
}

static int add_rules(struct fe_engine *e, const char *text, struct fb_err *err)
{
    struct fe_mapping *m = NULL;
    const struct fe_mapping_file f = { "rules.toml", fb_str_of(text) };
    int r = fe_mapping_load(&f, 1, &m, err);
    if (r == 0)
        fe_engine_set_mapping(e, m);
    return r;
}

static int add_capability(struct fe_engine *e, const struct serve_options *o, struct fb_err *err)
{
    if (o->seed == NULL) {
        struct fb_str any = FB_STR("*");
        const struct tk_claims made = {
            .token_id = FB_STR("79dd9ffb-ebc8-4883-8f1e-72eb74a26e33"),
            .agent_id = FB_STR("agent_1"),
            .session_id = FB_STR("sess_1"),
            .action_set = &any,
            .n_actions = 1,
            .resource_scope = o->token_scope == NULL ? any : fb_str_of(o->token_scope),
            .context_hash = FB_STR("8d70ac49793bbf079cc469e2c03ef9ce09d90a314d4af39857665a5696dff8b7"),
            .issued_at_ns = fb_clock_wall_ns() - 5000000000,
            .expiry_ns = fb_clock_wall_ns() + 3600000000000,
        };
        const struct tk_claims *list[] = { &made };
        return fe_engine_set_capabilities(e, list, 1, NULL, err);
    }
    struct tk_public_key key;
    struct tk_seed seed = { 0 };
    int r = fb_enc_unhex(key.bytes, sizeof key.bytes, fb_str_of(o->seed_key_hex));
    if (r == 0)
        r = tk_seed_parse(fb_str_of(o->seed), "seed.toml", &key, fb_clock_wall_ns(), 0, &seed, NULL, err);
    const struct tk_claims *list[] = { &seed.claims };
    if (r == 0)
        r = fe_engine_set_capabilities(e, list, 1, NULL, err);
    tk_seed_done(&seed);
    return r;
}

static int build(struct sc_server *s, const struct serve_options *o, struct fb_err *err)
{
    struct sc_limits limits;
    sc_limits_default(&limits);
    int r = fb_loop_new(&the_loop, err);
    if (r == 0)
        r = sc_server_init(s, the_loop, o->limits.head_bytes == 0 ? &limits : &o->limits, err);
    const struct fe_engine_options eo = { .dev_ready = true, .default_unprotected = o->unprotected };
    if (r == 0)
        r = fe_engine_new(&eo, &s->engine, err);
    if (r == 0)
        s->scratch = fe_scratch_new(s->engine);
    if (r == 0)
        r = add_rules(s->engine, o->rules, err);
    if (r == 0)
        r = add_capability(s->engine, o, err);
    if (r == 0 && o->policies != NULL)
        r = fe_engine_set_bundle(s->engine, fb_str_of(o->policies), fb_str_of(o->schema == NULL ? serve_schema : o->schema),
                                 fb_str_of(o->version == NULL ? "v1" : o->version),
                                 o->bundle_ttl_s == 0 ? 86400 : o->bundle_ttl_s, fb_clock_mono_ms(), err);
    if (r == 0)
        r = sc_resolver_new(the_loop, o->hosts, o->n_hosts, o->resolver_servers, &s->resolver, err);
    const struct fa_log_options ao = {
        .sink = FA_LOG_FILE,
        .path = o->audit_path,
        .key_pem = fb_str_of(o->audit_key_pem == NULL ? serve_audit_key : o->audit_key_pem),
        .wake = sc_server_wake_audit,
        .wake_arg = s,
        .notice = on_notice,
    };
    if (r == 0)
        r = fa_log_open(&ao, &s->audit, err);
    if (o->session_id != NULL) {
        s->ident_fixed = true;
        snprintf(s->ident.session_id, sizeof s->ident.session_id, "%s", o->session_id);
    }
    return r;
}

int serve_run(const struct serve_options *o, void (*said)(void *arg, const char *addr), void *arg)
{
    struct fb_err err = { 0 };
    struct sc_listener *l = NULL;
    struct sc_server *s = calloc(1, sizeof *s);
    fb_clock_set_offset_ms(o->clock_offset_ms);
    (void)signal(SIGPIPE, SIG_IGN);
    int r = build(s, o, &err);
    if (r == 0)
        r = o->unix_path != NULL ? sc_listener_unix(s, o->unix_path, &l, &err)
                                 : sc_listener_tcp(s, o->listen == NULL ? "127.0.0.1:0" : o->listen, &l, &err);
    if (r == 0)
        r = fb_loop_on_signal(the_loop, SIGTERM, on_term, s, &err);
    if (r < 0) {
        fb_err_print(stderr, &err);
        return 1;
    }
    said(arg, sc_listener_addr(l));
    fb_loop_run(the_loop);
    sc_server_cut(s);
    r = fa_log_close(s->audit, 5000, &err);
    s->audit = NULL;
    sc_server_done(s);
    sc_resolver_free(s->resolver);
    fe_scratch_free(s->scratch);
    fe_engine_free(s->engine);
    fb_loop_free(the_loop);
    free(s);
    return r < 0 ? 1 : 0;
}

static void tell(void *arg, const char *addr)
{
    int *fd = arg;
    if (write(*fd, addr, strlen(addr)) < 0)
        _exit(2);
    close(*fd);
}

pid_t serve_fork(const struct serve_options *o, char addr[SERVE_ADDR_BYTES])
{
    int p[2];
    if (pipe(p) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        close(p[0]);
        exit(serve_run(o, tell, &p[1]));
    }
    close(p[1]);
    ssize_t n = read(p[0], addr, SERVE_ADDR_BYTES - 1);
    close(p[0]);
    addr[n > 0 ? n : 0] = '\0';
    return n > 0 ? pid : -1;
}

int serve_stop(pid_t pid)
{
    int status = 0;
    kill(pid, SIGTERM);
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
