/* The effective configuration as JSON. */
#include "run/effective.h"

#include "base/fs.h"
#include "base/jsonw.h"
#include "run/settle.h"

#include <string.h>

enum { OUTPUT_MAX_BYTES = 16 << 20 };

static void names(struct fb_jsonw *w, const char *key, const struct run_names *list)
{
    fb_jsonw_key(w, key);
    fb_jsonw_array(w);
    for (size_t i = 0; i < list->count; i++)
        fb_jsonw_strz(w, list->items[i]);
    fb_jsonw_array_end(w);
}

static void key_str(struct fb_jsonw *w, const char *key, const char *value)
{
    fb_jsonw_key(w, key);
    fb_jsonw_strz(w, value);
}

static void key_bool(struct fb_jsonw *w, const char *key, bool value)
{
    fb_jsonw_key(w, key);
    fb_jsonw_bool(w, value);
}

static void id_pair(struct fb_jsonw *w, const char *key, unsigned uid, unsigned gid)
{
    fb_jsonw_key(w, key);
    fb_jsonw_object(w);
    fb_jsonw_key(w, "uid");
    fb_jsonw_u64(w, uid);
    fb_jsonw_key(w, "gid");
    fb_jsonw_u64(w, gid);
    fb_jsonw_object_end(w);
}

static void identity(struct fb_jsonw *w, const struct run_settled *s)
{
    fb_jsonw_key(w, "identity");
    fb_jsonw_object(w);
    key_str(w, "agent_id", s->agent_id);
    key_str(w, "session_id", s->session_id[0] != '\0' ? s->session_id : NULL);
    key_str(w, "sandbox_id", s->options->sandbox_id);
    key_str(w, "user", s->identity.name);
    fb_jsonw_key(w, "remap");
    fb_jsonw_object(w);
    id_pair(w, "inside", s->identity.uid_inside, s->identity.gid_inside);
    id_pair(w, "outside", s->identity.uid_outside, s->identity.gid_outside);
    fb_jsonw_object_end(w);
    fb_jsonw_object_end(w);
}

static void endpoint(struct fb_jsonw *w, const struct run_settled *s)
{
    fb_jsonw_key(w, "sidecar_endpoint");
    if (s->sidecar_local) {
        fb_jsonw_null(w);
        return;
    }
    bool is_unix = s->endpoint.kind == RUN_ENDPOINT_UNIX;
    fb_jsonw_object(w);
    key_str(w, "kind", is_unix ? "unix" : "tcp");
    key_str(w, is_unix ? "path" : "addr", is_unix ? s->endpoint.path : s->endpoint.text + strlen("tcp://"));
    fb_jsonw_object_end(w);
}

static void profile_mounts(struct fb_jsonw *w, const struct run_settled *s)
{
    fb_jsonw_key(w, "mounts");
    fb_jsonw_array(w);
    for (size_t i = 0; i < s->n_mounts; i++) {
        fb_jsonw_object(w);
        key_str(w, "source", s->mounts[i].source);
        key_str(w, "target", s->mounts[i].target);
        key_bool(w, "read_only", s->mounts[i].read_only);
        fb_jsonw_object_end(w);
    }
    fb_jsonw_array_end(w);
}

static void capability(struct fb_jsonw *w, const struct run_settled *s)
{
    const struct run_profile *p = &s->profile;
    fb_jsonw_key(w, "capability");
    fb_jsonw_object(w);
    fb_jsonw_key(w, "source");
    fb_jsonw_object(w);
    key_str(w, "kind", s->capability_file == NULL ? "disabled" : "file");
    if (s->capability_file != NULL)
        key_str(w, "path", s->capability_file);
    fb_jsonw_object_end(w);
    key_str(w, "public_key_path", s->capability_key_path[0] != '\0' ? s->capability_key_path : NULL);
    fb_jsonw_key(w, "refresh_ratio");
    fb_jsonw_f64(w, p->refresh_ratio);
    fb_jsonw_key(w, "grace_seconds");
    fb_jsonw_i64(w, p->grace_s);
    names(w, "requested_actions", &p->requested_actions);
    fb_jsonw_object_end(w);
}

static void profile(struct fb_jsonw *w, const struct run_settled *s)
{
    const struct run_profile *p = &s->profile;
    fb_jsonw_key(w, "profile");
    fb_jsonw_object(w);
    key_str(w, "id", p->id);
    key_str(w, "backend", run_backend_name(p->backend));
    endpoint(w, s);
    names(w, "env_passthrough", &p->env_passthrough);
    fb_jsonw_key(w, "env_set");
    fb_jsonw_object(w);
    for (size_t i = 0; i < p->n_env_set; i++)
        key_str(w, p->env_set[i].name, p->env_set[i].value);
    fb_jsonw_object_end(w);
    profile_mounts(w, s);
    fb_jsonw_key(w, "seccomp_policy");
    fb_jsonw_null(w);
    names(w, "allowed_domains", &p->allowed_domains);
    fb_jsonw_key(w, "network");
    fb_jsonw_object(w);
    key_bool(w, "enforce_network_namespace", p->enforce_network_namespace);
    key_bool(w, "fail_closed", p->fail_closed);
    fb_jsonw_object_end(w);
    key_str(w, "identity_mode", p->identity == RUN_IDENTITY_HOST_USER ? "host_user" : "sandbox_user");
    capability(w, s);
    fb_jsonw_key(w, "sidecar_local_exec");
    fb_jsonw_null(w);
    fb_jsonw_key(w, "executable_policies");
    fb_jsonw_object(w);
    fb_jsonw_object_end(w);
    key_bool(w, "use_http_proxy_sidecar", p->use_http_proxy_sidecar);
    key_bool(w, "allow_non_structural", p->allow_non_structural);
    fb_jsonw_object_end(w);
}

static void environment(struct fb_jsonw *w, const struct run_settled *s)
{
    fb_jsonw_key(w, "env");
    fb_jsonw_object(w);
    for (size_t i = 0; i < s->env.count; i++) {
        const char *eq = strchr(s->env.list[i], '=');
        struct fb_str name = fb_str_n(s->env.list[i], (size_t)(eq - s->env.list[i]));
        fb_jsonw_keys(w, name);
        bool at_launch = fb_str_eqz(name, "FIRMA_RUN_SANDBOX_ID") || fb_str_eqz(name, "FIRMA_RUN_SESSION_ID");
        if (s->env.from_host[i])
            fb_jsonw_strz(w, "<from host>");
        else
            fb_jsonw_strz(w, at_launch && eq[1] == '\0' ? NULL : eq + 1);
    }
    fb_jsonw_object_end(w);
}

static const char *step_name(enum run_step_kind kind)
{
    static const char *const step_names[] = {
        [RUN_STEP_BIND] = "bind",       [RUN_STEP_BIND_RO] = "bind-ro", [RUN_STEP_DEV] = "device",
        [RUN_STEP_TMPFS] = "tmpfs",     [RUN_STEP_COVER] = "cover",     [RUN_STEP_DIR] = "dir",
        [RUN_STEP_SYMLINK] = "symlink", [RUN_STEP_FILE] = "file",       [RUN_STEP_DATA_RO] = "file-ro",
        [RUN_STEP_PROC] = "proc",
    };
    return step_names[kind];
}

static int sandbox_mounts(struct fb_jsonw *w, struct run_settled *s, struct fb_err *err)
{
    struct run_mounts plan = { 0 };
    int r = run_mounts_plan(&s->plan.view, &plan, err);
    if (r < 0)
        return r;
    fb_jsonw_key(w, "sandbox_mounts");
    fb_jsonw_array(w);
    for (size_t i = 0; i < plan.n_steps; i++) {
        fb_jsonw_object(w);
        key_str(w, "kind", step_name(plan.steps[i].kind));
        if (plan.steps[i].source != NULL)
            key_str(w, "source", plan.steps[i].source);
        key_str(w, "target", plan.steps[i].target);
        fb_jsonw_object_end(w);
    }
    fb_jsonw_array_end(w);
    run_mounts_done(&plan);
    return 0;
}

int run_effective_print(struct run_settled *s, FILE *out, struct fb_err *err)
{
    struct fb_buf text;
    struct fb_jsonw w;
    fb_buf_init(&text, OUTPUT_MAX_BYTES);
    fb_jsonw_init(&w, &text, 2);
    fb_jsonw_object(&w);
    identity(&w, s);
    profile(&w, s);
    fb_jsonw_key(&w, "sidecar_selection");
    if (s->sidecar_local) {
        fb_jsonw_strz(&w, "local");
    } else {
        fb_jsonw_object(&w);
        key_str(&w, "remote", s->endpoint.text);
        fb_jsonw_object_end(&w);
    }
    environment(&w, s);
    int r = sandbox_mounts(&w, s, err);
    key_str(&w, "state_dir", s->state_dir);
    key_str(&w, "config", s->config.path);
    key_str(&w, "working_dir", s->cwd);
    fb_jsonw_object_end(&w);
    fb_buf_addc(&text, '\n');
    if (r == 0 && fb_buf_failed(&text))
        r = fb_err_set(err, FB_E_LIMIT, "the configuration is too large to print");
    if (r == 0 && (fwrite(text.p, 1, text.n, out) != text.n || fflush(out) != 0))
        r = fb_err_set(err, FB_E_IO, "cannot write the configuration");
    fb_buf_done(&text);
    return r;
}
