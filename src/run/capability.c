/* Getting a capability and keeping it where the agent never looks. */
#include "run/capability.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "core/action.h"
#include "rpc/client.h"
#include "token/seed.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ACTIONS_MAX = 512 };

static int read_key(const char *public_key_path, struct tk_public_key *ret, struct fb_err *err)
{
    if (public_key_path == NULL || public_key_path[0] == '\0') {
        fb_err_set(err, FB_E_CAPABILITY, "no public key of the Authority is known, so a capability cannot be judged");
        fb_err_remedy(err, "set [sidecar.authority].public_key_path in firma.toml, or use --authority local");
        return FB_E_CAPABILITY;
    }
    if (tk_keyfile_read_public(public_key_path, ret, err) < 0)
        return fb_err_recode(err, FB_E_CAPABILITY);
    return 0;
}

int run_capability_read(const char *path, const char *public_key_path, struct tk_claims *ret, struct fb_err *err)
{
    struct tk_public_key key;
    int r = read_key(public_key_path, &key, err);
    if (r < 0)
        return r;
    struct tk_seed seed = { 0 };
    if (tk_seed_read(path, &key, fb_clock_wall_ns(), 0, &seed, NULL, err) < 0)
        return fb_err_recode(err, FB_E_CAPABILITY);
    *ret = tk_claims_take(&seed.claims);
    tk_seed_done(&seed);
    return 0;
}

int run_capability_open(struct run_capability *c, const char *state_dir, const char *sandbox_id, struct fb_err *err)
{
    fb_auto(fb_fd_close) int state = fb_fs_private_dir(state_dir, err);
    if (state < 0)
        return state;
    fb_auto(fb_fd_close) int dir = fb_fs_private_dir_at(state, "capabilities", err);
    if (dir < 0)
        return dir;
    if (asprintf(&c->path, "%s/capabilities/%s.toml", state_dir, sandbox_id) < 0) {
        c->path = NULL;
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    }
    return 0;
}

int run_capability_copy(struct run_capability *c, const char *from, const struct tk_claims *claims, struct fb_err *err)
{
    struct fb_buf text;
    fb_buf_init_secret(&text, TK_SEED_MAX_BYTES);
    int r = fb_fs_read(from, FB_FS_OWNED, &text, err);
    if (r == 0)
        r = fb_fs_write_atomic(c->path, 0600, text.p, text.n, err);
    fb_buf_done(&text);
    c->issued_at_ns = claims->issued_at_ns;
    c->expiry_ns = claims->expiry_ns;
    return r < 0 ? fb_err_recode(err, FB_E_CAPABILITY) : 0;
}

static int keep(struct run_capability *c, const struct rp_issue_reply *reply, const struct run_mint *m,
                struct fb_err *err)
{
    struct tk_public_key key;
    int r = read_key(m->public_key_path, &key, err);
    if (r < 0)
        return r;
    struct tk_claims claims = { 0 };
    r = tk_token_verify(&key, reply->raw_token, fb_clock_wall_ns(), 0, &claims, NULL, err);
    if (r < 0) {
        fb_err_wrap(err, "the Authority's answer");
        return fb_err_recode(err, FB_E_CAPABILITY);
    }
    if (!fb_str_eqz(claims.session_id, m->session_id) || !fb_str_eqz(claims.agent_id, m->agent_id))
        r = fb_err_set(err, FB_E_CAPABILITY, "the Authority issued a capability for another agent or session");
    else
        r = tk_seed_write(c->path, reply->raw_token, &claims, err);
    c->issued_at_ns = claims.issued_at_ns;
    c->expiry_ns = claims.expiry_ns;
    tk_claims_done(&claims);
    return r;
}

int run_capability_mint(struct run_capability *c, const struct run_mint *m, struct fb_err *err)
{
    struct fb_str actions[ACTIONS_MAX];
    size_t n = 0;
    for (; n < m->n_actions && n < FB_COUNT(actions); n++)
        actions[n] = fb_str_of(m->actions[n]);
    if (m->n_actions == 0)
        for (; n < fc_action_count() && n < ACTIONS_MAX; n++)
            actions[n] = fb_str_of(fc_action_at(n)->name);
    const struct rp_issue_request request = {
        .agent_id = fb_str_of(m->agent_id),
        .session_id = fb_str_of(m->session_id),
        .actions = actions,
        .n_actions = n,
        .resource_scope = FB_STR("*"),
        .ttl_s = RUN_CAPABILITY_TTL_S,
    };
    struct rp_issue_reply reply = { 0 };
    int r = rp_issue_capability(m->authority_url, &request, m->timeout_ms, &reply, err);
    if (r < 0)
        return r;
    if (reply.granted)
        r = keep(c, &reply, m, err);
    else
        r = fb_err_set(err, FB_E_CAPABILITY_DENIED, "the Authority refused agent '%s': %.*s: %.*s", m->agent_id,
                       FB_STR_ARG(reply.deny_reason), FB_STR_ARG(reply.deny_message));
    rp_issue_reply_done(&reply);
    return r;
}

int64_t run_capability_renew_in_ms(const struct run_capability *c, double ratio, int64_t grace_s, int64_t now_ns)
{
    int64_t left_ms = (c->expiry_ns - now_ns) / 1000000;
    int64_t by_ratio = (int64_t)((double)left_ms * ratio);
    int64_t by_grace = left_ms - grace_s * 1000;
    int64_t wait = by_ratio < by_grace ? by_ratio : by_grace;
    return wait < 1000 ? 1000 : wait;
}

void run_capability_done(struct run_capability *c)
{
    if (c->path != NULL)
        (void)unlink(c->path);
    free(c->path);
    *c = (struct run_capability){ 0 };
}
