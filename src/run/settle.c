/* From flags, files and environment to one struct that says it all. */
#include "run/settle.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/toml.h"
#include "base/uuid.h"
#include "run/capability.h"
#include "run/profile_patch.h"
#include "run/workspaces.h"
#include "stack/ids.h"
#include "stack/statedir.h"
#include "token/keyfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --profile, else [run].profile, else the name of the command when a built-in profile is called so, else generic. */
static const char *profile_name(const struct run_settled *s, char *storage, size_t cap)
{
    if (s->options->profile != NULL)
        return s->options->profile;
    const struct fb_toml *node = s->config.doc == NULL ? NULL : fb_toml_path(fb_toml_root(s->config.doc), "run.profile");
    if (node != NULL && node->kind == FB_TOML_STRING && node->s.n > 0 && node->s.n < cap) {
        snprintf(storage, cap, "%.*s", FB_STR_ARG(node->s));
        return storage;
    }
    const char *command = s->options->command[0];
    const char *slash = strrchr(command, '/');
    if (strcmp(slash == NULL ? command : slash + 1, "codex") == 0)
        return "codex";
    return "generic";
}

static int overlay_flags(struct run_settled *s, struct fb_err *err)
{
    const struct run_options *o = s->options;
    struct run_profile *p = &s->profile;
    if (o->backend != NULL)
        (void)run_backend_parse(o->backend, &p->backend);
    if (o->identity_mode != NULL)
        p->identity = strcmp(o->identity_mode, "host-user") == 0 ? RUN_IDENTITY_HOST_USER : RUN_IDENTITY_SANDBOX_USER;
    if (o->preserve_host_user)
        p->identity = RUN_IDENTITY_HOST_USER;
    p->allow_non_structural |= o->allow_non_structural || run_options_env_is_set("FIRMA_RUN_ALLOW_NON_STRUCTURAL");
    s->capability_file = o->capability_file;
    if (s->capability_file == NULL && p->capability_path != NULL && s->config.dir != NULL) {
        char *joined = fb_fs_join(s->config.dir, p->capability_path);
        struct fb_str kept = fb_arena_str(&p->arena, fb_str_of(joined));
        free(joined);
        if (kept.p == NULL)
            return fb_err_set(err, FB_E_NOMEM, "out of memory");
        s->capability_file = kept.p;
    }
    return run_profile_check(p, err);
}

static int read_config(struct run_settled *s, struct fb_err *err)
{
    int r = fc_config_discover(s->options->config, NULL, &s->config, err);
    if (r == 0)
        r = run_workspaces_check(s->workspaces_path, &s->config, err);
    if (r < 0)
        return r;
    if (s->config.doc != NULL)
        FB_LOG(FB_LOG_DEBUG, "config resolved", FB_KZ("path", s->config.path),
               FB_KZ("source", fc_config_source_name(s->config.source)));
    char storage[128];
    r = run_profile_resolve(&s->profile, profile_name(s, storage, sizeof storage), s->config.doc, err);
    return r < 0 ? r : overlay_flags(s, err);
}

/* local, an external one, or what the profile and the environment persist. */
static int choose_sidecar(struct run_settled *s, struct fb_err *err)
{
    const char *text = s->options->sidecar;
    if (text == NULL)
        text = s->profile.sidecar_endpoint;
    if (text == NULL)
        text = getenv("FIRMA_SIDECAR_ENDPOINT");
    s->sidecar_local = text == NULL || text[0] == '\0' || strcmp(text, "local") == 0;
    return s->sidecar_local ? 0 : run_endpoint_parse(text, &s->endpoint, err);
}

/* Public key by which a capability file is judged: the profile's, the Sidecar's, the Authority's own. */
static void find_capability_key(struct run_settled *s)
{
    static const char *const places[] = { "sidecar.authority.public_key_path", "authority.key_file" };
    const char *base = s->config.dir == NULL ? "/" : s->config.dir;
    char *joined = NULL;
    if (s->profile.capability_public_key_path != NULL)
        joined = fb_fs_join(base, s->profile.capability_public_key_path);
    for (size_t i = 0; joined == NULL && s->config.doc != NULL && i < FB_COUNT(places); i++) {
        const struct fb_toml *node = fb_toml_path(fb_toml_root(s->config.doc), places[i]);
        char *text = node == NULL || node->kind != FB_TOML_STRING ? NULL : fb_str_dupz(node->s);
        joined = text == NULL ? NULL : fb_fs_join(base, text);
        if (joined != NULL && i == 1) {
            char *public_path = tk_keyfile_public_path(joined);
            free(joined);
            joined = public_path;
        }
        free(text);
    }
    /* An [authority] table that names no key uses the default one; a key that is not there judges nothing. */
    if (joined == NULL && s->config.doc != NULL && fb_toml_get(fb_toml_root(s->config.doc), "authority") != NULL)
        joined = fb_fs_join(base, "firma-authority.pub");
    if (joined != NULL && access(joined, F_OK) != 0) {
        free(joined);
        joined = NULL;
    }
    snprintf(s->capability_key_path, sizeof s->capability_key_path, "%s", joined == NULL ? "" : joined);
    free(joined);
}

static int read_capability(struct run_settled *s, struct fb_err *err)
{
    find_capability_key(s);
    if (s->capability_file == NULL || s->options->print_effective_config)
        return 0;
    if (!s->sidecar_local) {
        fb_err_set(err, FB_E_CAPABILITY, "--capability-file cannot reach the external Sidecar %s", s->endpoint.text);
        fb_err_remedy(err, "list the file in that Sidecar's [sidecar.capability_seed].paths, or drop --sidecar");
        return FB_E_CAPABILITY;
    }
    return run_capability_read(s->capability_file, s->capability_key_path, &s->capability, err);
}

static int differs(struct fb_err *err, const char *what, const char *here, struct fb_str token)
{
    return fb_err_set(err, FB_E_CAPABILITY, "the capability is for %s '%.*s', this run is for '%s'", what,
                      FB_STR_ARG(token), here);
}

static int name_session(struct run_settled *s, struct fb_err *err)
{
    const char *env = getenv("FIRMA_RUN_SESSION_ID");
    struct fb_str wanted = fb_str_trim(fb_str_of(env));
    if (wanted.n == 0 && run_options_env_is_set("FIRMA_RUN_REQUIRE_SESSION_ID"))
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "FIRMA_RUN_REQUIRE_SESSION_ID is set, FIRMA_RUN_SESSION_ID is not");
    if (wanted.n > 0 && !st_ids_name_ok(wanted))
        return fb_err_set(err, FB_E_CONFIG_VALIDATION,
                          "FIRMA_RUN_SESSION_ID must be 1 to 128 letters, digits, underscores or hyphens");
    if (s->capability.session_id.n > 0 && wanted.n > 0 && !fb_str_eq(wanted, s->capability.session_id)) {
        snprintf(s->session_id, sizeof s->session_id, "%.*s", FB_STR_ARG(wanted));
        return differs(err, "session", s->session_id, s->capability.session_id);
    }
    if (s->capability.session_id.n > 0)
        wanted = s->capability.session_id;
    if (wanted.n > 0)
        snprintf(s->session_id, sizeof s->session_id, "%.*s", FB_STR_ARG(wanted));
    else if (!s->options->print_effective_config)
        fb_uuid_v7(s->session_id);
    return 0;
}

/* Configured, else the capability's, else the profile's name. */
static int name_agent(struct run_settled *s, struct fb_err *err)
{
    const struct fb_toml *node =
        s->config.doc == NULL ? NULL : fb_toml_path(fb_toml_root(s->config.doc), "sidecar.authority.agent_id");
    struct fb_str configured = node != NULL && node->kind == FB_TOML_STRING ? node->s : fb_str_n(NULL, 0);
    struct fb_str claimed = s->capability.agent_id;
    struct fb_str name = configured.n > 0 ? configured : claimed.n > 0 ? claimed : fb_str_of(s->profile.id);
    if (!st_ids_name_ok(name))
        return fb_err_set(err, FB_E_CONFIG_VALIDATION,
                          "the agent id '%.*s' must be 1 to 128 letters, digits, underscores or hyphens", FB_STR_ARG(name));
    snprintf(s->agent_id, sizeof s->agent_id, "%.*s", FB_STR_ARG(name));
    if (configured.n > 0 && claimed.n > 0 && !fb_str_eq(configured, claimed))
        return differs(err, "agent", s->agent_id, claimed);
    return 0;
}

static int name_things(struct run_settled *s, struct fb_err *err)
{
    int r = name_session(s, err);
    if (r == 0)
        r = name_agent(s, err);
    if (s->options->sandbox_id != NULL)
        snprintf(s->sandbox_id, sizeof s->sandbox_id, "%s", s->options->sandbox_id);
    else if (!s->options->print_effective_config)
        fb_uuid_v7(s->sandbox_id);
    return r;
}

static int find_places(struct run_settled *s, struct fb_err *err)
{
    if (getcwd(s->cwd, sizeof s->cwd) == NULL)
        return fb_err_sys(err, FB_E_CONFIG_VALIDATION, errno, "the working directory cannot be named");
    const char *home = getenv("HOME");
    bool usable = home != NULL && home[0] == '/' && home[1] != '\0' && strlen(home) < sizeof s->home;
    snprintf(s->home, sizeof s->home, "%s", usable ? home : "/home/firma-user");
    s->state_dir = st_statedir_resolve(NULL);
    return s->state_dir == NULL ? fb_err_set(err, FB_E_NOMEM, "out of memory") : 0;
}

/* The profile's mounts, and the workspace: the working directory at its own path. */
static void list_mounts(struct run_settled *s)
{
    for (size_t i = 0; i < s->profile.n_mounts; i++)
        s->mounts[s->n_mounts++] = (struct run_mount){ s->profile.mounts[i].source, s->profile.mounts[i].target,
                                                       s->profile.mounts[i].read_only };
    bool covered = false;
    for (size_t i = 0; i < s->n_mounts; i++)
        covered |= strcmp(s->mounts[i].target, s->cwd) == 0;
    if (s->profile.workspace && !covered)
        s->mounts[s->n_mounts++] = (struct run_mount){ s->cwd, s->cwd, false };
}

/* Without a mount that shows it, the working directory does not exist inside: the agent starts at home. */
static bool cwd_is_visible(const struct run_settled *s)
{
    for (size_t i = 0; i < s->n_mounts; i++) {
        size_t n = strlen(s->mounts[i].target);
        if (strncmp(s->cwd, s->mounts[i].target, n) == 0 && (s->cwd[n] == '\0' || s->cwd[n] == '/'))
            return true;
    }
    return false;
}

/* By the directory: the list itself is replaced with every new line. */
static int hide_workspaces(struct run_settled *s, struct fb_err *err)
{
    struct stat st;
    char *dir = s->workspaces_path == NULL ? NULL : fb_fs_dirname(s->workspaces_path);
    int r = dir == NULL || stat(dir, &st) != 0 ? 0 : run_hidden_add(&s->hidden, NULL, dir, err);
    free(dir);
    return r;
}

/* Whatever steers this run; a template of the Sidecar that cannot be read is reported when it is used. */
static int hide_control_plane(struct run_settled *s, struct fb_err *err)
{
    const char *template = s->options->sidecar_config;
    if (template == NULL)
        template = getenv("FIRMA_SIDECAR_CONFIG_FILE");
    int r = run_hidden_add_config(&s->hidden, &s->config, err);
    if (r == 0)
        r = hide_workspaces(s, err);
    if (r == 0)
        r = run_hidden_add(&s->hidden, NULL, s->capability_file, err);
    if (r == 0)
        r = run_hidden_add(&s->hidden, NULL, s->capability_key_path, err);
    if (r < 0 || template == NULL || template[0] == '\0' || !s->sidecar_local)
        return r;
    struct fc_config c = { 0 };
    if (fc_config_load(template, &c, NULL) == 0)
        r = run_hidden_add_config(&s->hidden, &c, err);
    fc_config_done(&c);
    return r;
}

static int plan_sandbox(struct run_settled *s, struct fb_err *err)
{
    list_mounts(s);
    const char *workspace = s->profile.workspace ? s->cwd : NULL;
    for (size_t i = 0; workspace == NULL && i < s->n_mounts; i++)
        if (!s->mounts[i].read_only)
            workspace = s->mounts[i].source;
    if (!cwd_is_visible(s))
        snprintf(s->cwd, sizeof s->cwd, "%s", s->home);
    int r = hide_control_plane(s, err);
    if (r == 0)
        r = run_identity_resolve(s->profile.identity, workspace, &s->identity, err);
    if (r < 0)
        return r;
    s->plan = (struct run_sandbox_plan){
        .sandbox_id = s->sandbox_id,
        .view = {
            .identity = s->identity,
            .hostname = "firma",
            .home = s->home,
            .cwd = s->cwd,
            .mounts = s->mounts,
            .n_mounts = s->n_mounts,
            .state_dir = s->state_dir,
            .config_path = s->config.path,
            .hidden = (const char *const *)s->hidden.paths,
            .n_hidden = s->hidden.count,
            .hidden_replaced = s->hidden.replaced,
        },
    };
    const struct run_environ_ids ids = {
        .sandbox_id = s->sandbox_id,
        .session_id = s->session_id,
        .agent_id = s->agent_id,
        .home = s->home,
        .user_name = s->identity.name,
    };
    return run_environ_build(&s->env, &s->profile, &ids, err);
}

int run_settle(struct run_settled *s, const struct run_options *o, struct fb_err *err)
{
    memset(s, 0, sizeof *s);
    s->options = o;
    s->workspaces_path = run_workspaces_path();
    if (!o->print_effective_config)
        run_workspaces_prepare(s->workspaces_path);
    int r = read_config(s, err);
    if (r == 0)
        r = choose_sidecar(s, err);
    if (r == 0)
        r = find_places(s, err);
    if (r == 0)
        r = read_capability(s, err);
    if (r == 0)
        r = name_things(s, err);
    return r < 0 ? r : plan_sandbox(s, err);
}

void run_settle_done(struct run_settled *s)
{
    run_environ_done(&s->env);
    run_hidden_done(&s->hidden);
    tk_claims_done(&s->capability);
    run_profile_done(&s->profile);
    fc_config_done(&s->config);
    free(s->workspaces_path);
    s->workspaces_path = NULL;
    free(s->state_dir);
    s->state_dir = NULL;
}
