/* What the command line does without a server: keys, offline issuance, the revocation file. */
#include "authority/authority.h"
#include "authority/config.h"
#include "authority/issue.h"
#include "authority/policy.h"
#include "authority/revlog.h"
#include "base/clock.h"
#include "token/keyfile.h"
#include "token/seed.h"

#include <stdlib.h>
#include <string.h>

int au_generate_key(const char *secret_path, char **ret_public_path, struct fb_err *err)
{
    struct tk_public_key public_key;
    char *public_path = tk_keyfile_public_path(secret_path);

    if (public_path == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    int rc = tk_keyfile_generate(secret_path, NULL, &public_key, err);
    if (rc == 0 && ret_public_path != NULL)
        *ret_public_path = public_path;
    else
        free(public_path);
    return rc;
}

static int write_grant(const struct au_issue_args *args, const struct rp_issue_request *q, const struct au_verdict *v,
                       struct fb_err *err)
{
    const struct tk_claims claims = {
        .token_id = fb_str_of(v->token_id),
        .agent_id = q->agent_id,
        .session_id = q->session_id,
        .action_set = (struct fb_str *)(uintptr_t)q->actions,
        .n_actions = q->n_actions,
        .resource_scope = q->resource_scope,
        .context_hash = fb_str_of(v->context_hash),
        .issued_at_ns = v->issued_at_ns,
        .expiry_ns = v->expiry_ns,
    };
    return tk_seed_write(args->output, fb_buf_str(&v->token), &claims, err);
}

static int issue_with(const struct au_config *config, const struct au_issue_args *args, struct fb_str *actions,
                      struct fb_err *err)
{
    struct tk_secret_key key;
    struct au_store store;
    struct au_verdict v;
    const struct rp_issue_request q = {
        .agent_id = fb_str_of(args->agent_id),
        .session_id = fb_str_of(args->session_id),
        .actions = actions,
        .n_actions = args->n_actions,
        .resource_scope = fb_str_of(args->resource_scope == NULL ? "*" : args->resource_scope),
        .ttl_s = args->ttl_s,
    };
    int rc = tk_keyfile_read_secret(config->key_file, &key, err);

    if (rc != 0)
        return err == NULL ? rc : fb_err_wrap(err, "key_file '%s'", config->key_file);
    rc = au_store_open(&store, "issuance policy", config->issuance_policy_dir, config->schema_path, err);
    if (rc == 0) {
        const struct au_issuer issuer = { &key, store.now, config->max_ttl_s };
        rc = au_issue(&issuer, &q, fb_clock_wall_ns(), &v, err);
        if (rc != 0 && err != NULL)
            fb_err_wrap(err, "issuance failed");
        if (rc == 0 && !v.granted)
            rc = fb_err_set(err, FB_E_DENIED, "issuance failed: cedar denied issuance (%s): %s", v.reason, v.message);
        if (rc == 0)
            rc = write_grant(args, &q, &v, err);
        au_verdict_done(&v);
    }
    au_store_done(&store);
    tk_keyfile_wipe(&key);
    return rc;
}

int au_issue_offline(const char *config_path, const struct au_issue_args *args, struct fb_err *err)
{
    struct au_config config;
    int rc = au_config_load(config_path, &config, err);

    if (rc != 0)
        return rc;
    struct fb_str *actions = calloc(args->n_actions + 1, sizeof(*actions));
    if (actions == NULL) {
        rc = fb_err_set(err, FB_E_NOMEM, "out of memory");
    } else {
        for (size_t i = 0; i < args->n_actions; i++)
            actions[i] = fb_str_of(args->actions[i]);
        rc = issue_with(&config, args, actions, err);
    }
    free(actions);
    au_config_done(&config);
    return rc;
}

int au_revoke(const char *config_path, const char *token_id, const char *reason, struct fb_err *err)
{
    struct au_config config;
    int rc = au_config_load(config_path, &config, err);

    if (rc != 0)
        return rc;
    rc = au_revlog_file_add(config.revocation_file, fb_str_of(token_id),
                            fb_str_of(reason == NULL ? "operator-revoked" : reason), fb_clock_wall_ns(), err);
    au_config_done(&config);
    return rc;
}

int au_compact(const char *config_path, char **ret_path, struct fb_err *err)
{
    struct au_config config;
    int rc = au_config_load(config_path, &config, err);

    if (rc != 0)
        return rc;
    rc = au_revlog_file_compact(config.revocation_file, fb_clock_wall_ns(), config.max_ttl_s, err);
    if (rc == 0 && ret_path != NULL) {
        *ret_path = strdup(config.revocation_file);
        rc = *ret_path == NULL ? fb_err_set(err, FB_E_NOMEM, "out of memory") : 0;
    }
    au_config_done(&config);
    return rc;
}
