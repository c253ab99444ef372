/* firma sidecar: the proxy in the foreground, and the words that manage one in the background. */
#include "base/err.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/verbs.h"
#include "sidecar/sidecar.h"

#include <stdlib.h>
#include <string.h>

#define EXAMPLES                                                                                                        \
    "  firma sidecar -c firma.toml\n"                                                                                   \
    "  firma sidecar start --detach\n"                                                                                  \
    "  firma sidecar status --json\n"

static const struct {
    const char *word;
    int (*run)(int argc, char **argv);
} parts[] = {
    { "start", cli_cmd_start },
    { "stop", cli_cmd_stop },
    { "status", cli_cmd_status },
};

static int set_level(const char *level, struct fb_err *err)
{
    if (level == NULL)
        level = getenv("FIRMA_SIDECAR_LOG_LEVEL");
    if (level == NULL || level[0] == '\0')
        return 0;
    if (fb_log_set_filter(level, NULL) < 0)
        return fb_err_set(err, FB_E_USAGE, "Invalid log level: %s", level);
    return 0;
}

static int run_sidecar(int argc, char **argv)
{
    struct sc_main_options o = { 0 };
    const char *level = NULL;
    const struct cli_opt opts[] = {
        { CLI_OPT_HEAD, NULL, 0, NULL, NULL, "Options" },
        { CLI_OPT_TEXT, "config", 'c', "FILE", &o.config, "firma.toml (FIRMA_SIDECAR_CONFIG_FILE, FIRMA_CONFIG)" },
        { CLI_OPT_TEXT, "health-bind-addr", 0, "IP:PORT", &o.health_addr,
          "where /healthz answers; `off` for nowhere (FIRMA_SIDECAR_HEALTH_BIND_ADDR)" },
        { CLI_OPT_TEXT, "log-level", 'l', "LEVEL", &level, "trace, debug, info, warn, error (FIRMA_SIDECAR_LOG_LEVEL)" },
    };
    struct fb_err err = { 0 };
    int rest = 1;
    int r = cli_args_parse(opts, FB_COUNT(opts), argc, argv, &rest, &err);
    if (r == 1) {
        cli_args_help(stdout, "firma sidecar [OPTIONS] | start | stop | status",
                      "Runs the enforcement proxy in the foreground: classifies each call, checks a capability, asks the\n"
                      "policy, forwards, and records a signed event.",
                      opts, FB_COUNT(opts), EXAMPLES);
        return 0;
    }
    if (r == 0 && rest < argc)
        r = fb_err_set(&err, FB_E_USAGE, "unknown word '%s'", argv[rest]);
    if (r == 0)
        r = set_level(level, &err);
    if (o.health_addr == NULL) {
        const char *env = getenv("FIRMA_SIDECAR_HEALTH_BIND_ADDR");
        o.health_addr = env != NULL && env[0] != '\0' ? env : NULL;
    }
    if (r == 0)
        r = sc_main(&o, &err);
    return r < 0 ? cli_fail(&err) : 0;
}

int cli_cmd_sidecar(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < FB_COUNT(parts); i++)
        if (strcmp(argv[1], parts[i].word) == 0)
            return parts[i].run(argc - 1, argv + 1);
    return run_sidecar(argc, argv);
}
