/* firma sidecar start: Authority and Sidecar as one unit. */
#include "authority/authority.h"
#include "base/err.h"
#include "base/toml.h"
#include "cli/args.h"
#include "cli/verbs.h"
#include "core/config.h"
#include "sidecar/sidecar.h"
#include "stack/statedir.h"
#include "stack/supervise.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXAMPLES                                                                                                        \
    "  firma sidecar start --config .firma/firma.toml            # in the foreground, Ctrl-C ends it\n"                  \
    "  firma sidecar start --detach && firma sidecar status --daemon\n"

enum { EXIT_ERROR = 2, LISTEN_BYTES = 512 };

struct wishes {
    const char *config;
    const char *state_dir;
    bool detach;
};

static int run_authority(void *arg)
{
    struct fb_err err = { 0 };
    return au_main(arg, &err) < 0 ? cli_fail(&err) : 0;
}

static int run_sidecar(void *arg)
{
    struct fb_err err = { 0 };
    const struct sc_main_options o = { .config = arg, .health_addr = getenv("FIRMA_SIDECAR_HEALTH_BIND_ADDR") };
    return sc_main(&o, &err) < 0 ? cli_fail(&err) : 0;
}

static void text_of(const struct fc_config *c, const char *dotted, const char *otherwise, char out[LISTEN_BYTES])
{
    const struct fb_toml *node = fb_toml_path(fb_toml_root(c->doc), dotted);
    if (node != NULL && node->kind == FB_TOML_STRING && node->s.n > 0)
        snprintf(out, LISTEN_BYTES, "%.*s", FB_STR_ARG(node->s));
    else
        snprintf(out, LISTEN_BYTES, "%s", otherwise);
}

/* Where the Sidecar will accept, as its configuration says. */
static int sidecar_listen(const struct fc_config *c, char out[LISTEN_BYTES], struct fb_err *err)
{
    char mode[LISTEN_BYTES];
    text_of(c, "sidecar.interceptor.mode", "http_proxy", mode);
    if (strcmp(mode, "unix_socket") != 0) {
        text_of(c, "sidecar.interceptor.listen_addr", "127.0.0.1:8080", out);
        return 0;
    }
    char named[LISTEN_BYTES];
    text_of(c, "sidecar.interceptor.socket_path", "", named);
    /* The Sidecar takes it as it stands: relative to the working directory. */
    char here[PATH_MAX] = "";
    if (named[0] != '\0' && named[0] != '/' && getcwd(here, sizeof here) == NULL)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "the working directory cannot be named");
    if (snprintf(out, LISTEN_BYTES, "%s%s%s", here, here[0] == '\0' ? "" : "/", named) >= LISTEN_BYTES)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "interceptor.socket_path is too long");
    return named[0] == '\0' ? fb_err_set(err, FB_E_CONFIG_VALIDATION,
                                       "interceptor: interceptor.socket_path is required when mode is unix_socket")
                          : 0;
}

static int refuse_port_0(const char *listen, const char *key, struct fb_err *err)
{
    const char *colon = strrchr(listen, ':');
    if (colon == NULL || strcmp(colon, ":0") != 0)
        return 0;
    return fb_err_set(err, FB_E_CONFIG_VALIDATION, "%s must name a port: the other component has to find it", key);
}

static int start(const struct wishes *w, const char *state_dir, struct fb_err *err)
{
    /* The lock comes before the configuration: "already running" is the first thing to say. */
    int lock = st_supervise_lock(state_dir, err);
    if (lock < 0)
        return lock;
    struct fc_config c = { 0 };
    char authority[LISTEN_BYTES];
    char sidecar[LISTEN_BYTES];
    const struct fb_toml *section = NULL;
    int r = fc_config_discover(w->config, "FIRMA_SIDECAR_CONFIG_FILE", &c, err);
    if (r == 0 && c.doc == NULL) {
        r = fb_err_set(err, FB_E_CONFIG_VALIDATION, "no firma.toml was found");
        fb_err_remedy(err, "name one with --config");
    }
    if (r == 0)
        r = fc_config_section(&c, "sidecar", &section, err);
    if (r == 0)
        r = sidecar_listen(&c, sidecar, err);
    if (r == 0)
        r = refuse_port_0(sidecar, "[sidecar.interceptor].listen_addr", err);
    bool has_authority = r == 0 && fb_toml_get(fb_toml_root(c.doc), "authority") != NULL;
    if (has_authority) {
        text_of(&c, "authority.listen_addr", "[::1]:50051", authority);
        r = refuse_port_0(authority, "[authority].listen_addr", err);
    }
    if (r < 0) {
        close(lock);
        fc_config_done(&c);
        return r;
    }
    const struct st_component both[] = {
        { .name = "authority", .run = run_authority, .arg = c.path, .listen = authority },
        { .name = "sidecar", .run = run_sidecar, .arg = c.path, .listen = sidecar },
    };
    r = st_supervise_run(state_dir, lock, has_authority ? both : both + 1, has_authority ? 2 : 1, w->detach, err);
    if (r == 0 && w->detach)
        printf("started: sidecar at %s%s%s, state in %s\n", sidecar, has_authority ? ", authority at " : "",
               has_authority ? authority : "", state_dir);
    fc_config_done(&c);
    return r;
}

int cli_cmd_start(int argc, char **argv)
{
    struct wishes w = { 0 };
    const struct cli_opt opts[] = {
        { CLI_OPT_HEAD, NULL, 0, NULL, NULL, "Options" },
        { CLI_OPT_TEXT, "config", 'c', "FILE", &w.config, "firma.toml (FIRMA_SIDECAR_CONFIG_FILE, FIRMA_CONFIG)" },
        { CLI_OPT_FLAG, "detach", 'd', NULL, &w.detach, "return when both are ready, leave them running" },
        { CLI_OPT_TEXT, "state-dir", 0, "DIR", &w.state_dir, "where pids and logs go (FIRMA_STATE_DIR)" },
    };
    struct fb_err err = { 0 };
    int rest = 1;
    int r = cli_args_parse(opts, FB_COUNT(opts), argc, argv, &rest, &err);
    if (r == 1) {
        cli_args_help(stdout, "firma sidecar start [OPTIONS]",
                      "Starts the Authority and the Sidecar of one firma.toml as a unit: either both run, or none.\n"
                      "Exit status: 0 started (or a clean end in the foreground), 2 any error.",
                      opts, FB_COUNT(opts), EXAMPLES);
        return 0;
    }
    if (r == 0 && rest < argc)
        r = fb_err_set(&err, FB_E_USAGE, "unknown word '%s'", argv[rest]);
    char *state_dir = st_statedir_resolve(w.state_dir);
    if (r == 0 && state_dir == NULL)
        r = fb_err_set(&err, FB_E_NOMEM, "out of memory");
    if (r == 0)
        r = start(&w, state_dir, &err);
    free(state_dir);
    if (r == 0)
        return 0;
    fb_err_print(stderr, &err);
    return EXIT_ERROR;
}
