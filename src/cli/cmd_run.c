/* firma run: flags into struct run_options, one call, the agent's status. */
#include "authority/authority.h"
#include "base/err.h"
#include "cli/args.h"
#include "cli/verbs.h"
#include "run/options.h"
#include "run/run.h"
#include "sidecar/sidecar.h"

#define EXAMPLES                                                                                                        \
    "  firma run --authority local -- curl http://ftp.debian.org/debian/README\n"                                       \
    "  firma run --profile codex -- codex            # a coding agent in the current directory\n"                       \
    "  firma run --sidecar unix:///run/user/1000/firma/sidecar.sock -- ./agent\n"                                       \
    "  firma run --profile generic --print-effective-config -- echo hi\n"

int cli_cmd_run(int argc, char **argv)
{
    struct run_options o = { 0 };
    const struct cli_opt opts[] = {
        { CLI_OPT_HEAD, NULL, 0, NULL, NULL, "Sandbox" },
        { CLI_OPT_TEXT, "profile", 0, "NAME", &o.profile, "generic (default), codex, or one of the config file" },
        { CLI_OPT_TEXT, "config", 'c', "FILE", &o.config, "firma.toml: profiles, Sidecar, Authority (FIRMA_CONFIG)" },
        { CLI_OPT_TEXT, "backend", 0, "NAME", &o.backend, "bwrap; vz, wsl2 and firecracker are refused here" },
        { CLI_OPT_TEXT, "identity-mode", 0, "MODE", &o.identity_mode, "sandbox-user (default) or host-user" },
        { CLI_OPT_FLAG, "preserve-host-user", 0, NULL, &o.preserve_host_user, "the same as --identity-mode host-user" },
        { CLI_OPT_TEXT, "sandbox-id", 0, "ID", &o.sandbox_id, "name of this run in `sidecar status`; default: a new UUID" },
        { CLI_OPT_FLAG, "allow-non-structural", 0, NULL, &o.allow_non_structural, NULL },
        { CLI_OPT_FLAG, "print-effective-config", 0, NULL, &o.print_effective_config,
          "print what would be done as JSON, start nothing" },
        { CLI_OPT_FLAG, "timings", 0, NULL, &o.timings, "say on stderr where the start-up time went" },
        { CLI_OPT_HEAD, NULL, 0, NULL, NULL, "Sidecar" },
        { CLI_OPT_TEXT, "sidecar", 0, "local|URL", &o.sidecar, "start one for this run, or use unix:///path, tcp://host:port" },
        { CLI_OPT_TEXT, "sidecar-config", 0, "FILE", &o.sidecar_config,
          "template of a started Sidecar (FIRMA_SIDECAR_CONFIG_FILE)" },
        { CLI_OPT_U64, "sidecar-startup-timeout-secs", 0, "N", &o.sidecar_startup_timeout_s, "default 10" },
        { CLI_OPT_FLAG, "no-autostart", 0, NULL, &o.no_autostart, "fail rather than start a missing component" },
        { CLI_OPT_HEAD, NULL, 0, NULL, NULL, "Authority and capability" },
        { CLI_OPT_TEXT, "authority", 0, "local|URL", &o.authority, "start one for this run, or use this one" },
        { CLI_OPT_TEXT, "authority-profile", 0, "NAME", &o.authority_profile, "policies of a started Authority: developer" },
        { CLI_OPT_TEXT, "capability-file", 0, "FILE", &o.capability_file, "a capability issued beforehand" },
    };
    struct fb_err err = { 0 };
    int rest = 1;
    int r = cli_args_parse(opts, FB_COUNT(opts), argc, argv, &rest, &err);
    if (r == 1) {
        cli_args_help(stdout, "firma run [OPTIONS] -- CMD [ARGS...]",
                      "Starts CMD in a sandbox whose only way out is the Sidecar: no network, no host files, no host\n"
                      "environment but what the profile passes. The exit status is CMD's; 128+n when signal n ended it.",
                      opts, FB_COUNT(opts), EXAMPLES);
        return 0;
    }
    if (r < 0)
        return cli_fail(&err);
    o.command = argv + rest;
    o.n_command = argc - rest;
    const struct run_children children = { .authority = au_child, .sidecar = sc_child };
    int status = 1;
    if (run_main(&o, &children, &status, &err) < 0)
        return cli_fail(&err);
    return status;
}
