/* firma authority: serve, or one of its tools. */
#include "authority/authority.h"
#include "base/err.h"
#include "cli/args.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <string.h>

/* -c may stand before the tool's name or after it. */
#define CONFIG_OPT(dest)                                                                                     \
    {                                                                                                        \
        CLI_OPT_TEXT, "config", 'c', "FILE", (dest), "firma.toml with an [authority] section (FIRMA_CONFIG)" \
    }
#define OPTIONS_HEAD                                 \
    {                                                \
        CLI_OPT_HEAD, NULL, 0, NULL, NULL, "Options" \
    }
#define HELP_OPT                                                 \
    {                                                            \
        CLI_OPT_FLAG, "help", 'h', NULL, NULL, "print this help" \
    }

static int fail_usage(struct fb_err *err, const char *text, const char *remedy)
{
    fb_err_set(err, FB_E_USAGE, "%s", text);
    fb_err_remedy(err, "%s", remedy);
    return cli_fail(err);
}

/* Parses; 1 when the caller goes on, 0 when help was printed, -1 after an error (*@status is the exit status then). */
static int parse(const struct cli_opt *opts, size_t n, int argc, char **argv, const char *usage, const char *what,
                 const char *examples, int *rest, int *status)
{
    struct fb_err err = { 0 };
    int rc = cli_args_parse(opts, n, argc, argv, rest, &err);

    if (rc == 1) {
        cli_args_help(stdout, usage, what, opts, n, examples);
        *status = 0;
        return 0;
    }
    if (rc == 0)
        return 1;
    *status = cli_fail(&err);
    return -1;
}

static int generate_key(int argc, char **argv)
{
    const char *output = "firma-authority.key";
    struct fb_err err = { 0 };
    char *public_path = NULL;
    int rest = 1;
    int status = 0;
    const struct cli_opt opts[] = {
        OPTIONS_HEAD,
        { CLI_OPT_TEXT, "output", 'o', "FILE", &output, "secret key, made 0600 (default firma-authority.key)" },
        HELP_OPT,
    };

    if (parse(opts, FB_COUNT(opts), argc, argv, "firma authority generate-key [-o FILE]",
              "Makes a new Ed25519 signing key and its public half beside it (.pub). Never overwrites.",
              "  firma authority generate-key -o ~/.local/share/firma/authority.key\n", &rest, &status) != 1)
        return status;
    if (rest < argc)
        return fail_usage(&err, "generate-key takes no argument", "see `firma authority generate-key --help`");
    if (au_generate_key(output, &public_path, &err) != 0)
        return cli_fail(&err);
    printf("generated Ed25519 signing key\n  secret: %s\n  public: %s\n", output, public_path);
    free(public_path);
    return 0;
}

static int issue(int argc, char **argv, const char *config)
{
    static struct cli_list actions; /* large */
    struct au_issue_args args = { 0 };
    struct fb_err err = { 0 };
    uint64_t ttl_s = 3600;
    int rest = 1;
    int status = 0;
    const struct cli_opt opts[] = {
        OPTIONS_HEAD,
        { CLI_OPT_TEXT, "agent-id", 0, "ID", &args.agent_id, "letters, digits, - and _; at most 128 (required)" },
        { CLI_OPT_TEXT, "session-id", 0, "ID", &args.session_id, "the same; a UUID is fine (required)" },
        { CLI_OPT_LIST, "action", 0, "CLASS", &actions, "action class; repeat for more (required)" },
        { CLI_OPT_TEXT, "resource-scope", 0, "PATTERN", &args.resource_scope,
          "what it covers, such as wttr.in* (default *)" },
        { CLI_OPT_U64, "ttl-seconds", 0, "N", &ttl_s, "lifetime, cut to the Authority's maximum (default 3600)" },
        { CLI_OPT_TEXT, "output", 'o', "FILE", &args.output, "capability file, replaced atomically, 0600 (required)" },
        CONFIG_OPT(&config),
        HELP_OPT,
    };

    if (parse(opts, FB_COUNT(opts), argc, argv, "firma authority issue [OPTIONS] --output FILE",
              "Judges a request by the issuance policy and writes a signed capability, without a server.",
              "  firma authority issue --agent-id local-dev --session-id $(uuidgen) \\\n"
              "    --action communication.external.send --output capability.toml\n"
              "  firma run --capability-file capability.toml --profile generic -- CMD\n",
              &rest, &status) != 1)
        return status;
    if (rest < argc || args.agent_id == NULL || args.session_id == NULL || actions.count == 0 || args.output == NULL)
        return fail_usage(&err, "issue needs --agent-id, --session-id, --action and --output, and takes no argument",
                          "see `firma authority issue --help`");
    args.actions = actions.items;
    args.n_actions = actions.count;
    args.ttl_s = ttl_s > INT32_MAX ? INT32_MAX : (int32_t)ttl_s;
    if (au_issue_offline(config, &args, &err) != 0)
        return cli_fail(&err);
    printf("issued capability to %s\n", args.output);
    return 0;
}

static int revocations_add(int argc, char **argv, const char *config)
{
    const char *reason = "operator-revoked";
    struct fb_err err = { 0 };
    int rest = 1;
    int status = 0;
    const struct cli_opt opts[] = {
        OPTIONS_HEAD,
        { CLI_OPT_TEXT, "reason", 'r', "TEXT", &reason, "kept with the entry (default operator-revoked)" },
        CONFIG_OPT(&config),
        HELP_OPT,
    };

    if (parse(opts, FB_COUNT(opts), argc, argv, "firma authority revocations add [OPTIONS] TOKEN_ID",
              "Takes a capability back. A running Authority sees the change and tells every Sidecar.",
              "  firma authority revocations add -r \"laptop lost\" 79dd9ffb-ebc8-4883-8f1e-72eb74a26e33\n", &rest,
              &status) != 1)
        return status;
    if (rest + 1 != argc)
        return fail_usage(&err, "revocations add needs one TOKEN_ID", "see `firma authority revocations add --help`");
    int rc = au_revoke(config, argv[rest], reason, &err);
    if (rc < 0)
        return cli_fail(&err);
    printf("revoked token: %s\n", argv[rest]);
    return 0;
}

static int revocations_compact(int argc, char **argv, const char *config)
{
    struct fb_err err = { 0 };
    char *path = NULL;
    int rest = 1;
    int status = 0;
    const struct cli_opt opts[] = { OPTIONS_HEAD, CONFIG_OPT(&config), HELP_OPT };

    if (parse(opts, FB_COUNT(opts), argc, argv, "firma authority revocations compact [-c FILE]",
              "Rewrites the revocation file without entries whose capability has expired anyway.",
              "  firma authority -c firma.toml revocations compact\n", &rest, &status) != 1)
        return status;
    if (rest < argc)
        return fail_usage(&err, "revocations compact takes no argument", "see `firma authority revocations --help`");
    if (au_compact(config, &path, &err) != 0)
        return cli_fail(&err);
    printf("compacted: %s\n", path);
    free(path);
    return 0;
}

static int revocations(int argc, char **argv, const char *config)
{
    struct fb_err err = { 0 };
    int rest = 1;
    int status = 0;
    const struct cli_opt opts[] = { OPTIONS_HEAD, CONFIG_OPT(&config), HELP_OPT };

    if (parse(opts, FB_COUNT(opts), argc, argv, "firma authority revocations [-c FILE] add TOKEN_ID | compact",
              "Manages the file of capabilities that were taken back. No server is needed.",
              "  firma authority revocations add 79dd9ffb-ebc8-4883-8f1e-72eb74a26e33\n"
              "  firma authority revocations compact\n",
              &rest, &status) != 1)
        return status;
    if (rest < argc && strcmp(argv[rest], "add") == 0)
        return revocations_add(argc - rest, argv + rest, config);
    if (rest < argc && strcmp(argv[rest], "compact") == 0)
        return revocations_compact(argc - rest, argv + rest, config);
    return fail_usage(&err, "revocations needs `add TOKEN_ID` or `compact`",
                      "see `firma authority revocations --help`");
}

static int serve(const char *config)
{
    struct fb_err err = { 0 };

    return au_main(config, &err) == 0 ? 0 : cli_fail(&err);
}

int cli_cmd_authority(int argc, char **argv)
{
    const char *config = NULL;
    struct fb_err err = { 0 };
    int rest = 1;
    int status = 0;
    const struct cli_opt opts[] = { OPTIONS_HEAD, CONFIG_OPT(&config), HELP_OPT };

    if (parse(
            opts, FB_COUNT(opts), argc, argv, "firma authority [-c FILE] [COMMAND]",
            "Issues capabilities and streams policies and revocations to Sidecars. Without a command it serves until\n"
            "SIGINT or SIGTERM.\n\n"
            "Commands:\n"
            "  generate-key          make a signing key pair\n"
            "  issue                 write a capability file without a server\n"
            "  revocations           add TOKEN_ID | compact",
            "  firma authority generate-key -o firma-authority.key\n"
            "  firma authority -c firma.toml\n"
            "  firma authority issue --agent-id local-dev --session-id s1 --action code.read -o capability.toml\n",
            &rest, &status) != 1)
        return status;
    if (rest >= argc)
        return serve(config);
    const char *word = argv[rest];
    if (strcmp(word, "generate-key") == 0)
        return generate_key(argc - rest, argv + rest);
    if (strcmp(word, "issue") == 0)
        return issue(argc - rest, argv + rest, config);
    if (strcmp(word, "revocations") == 0 || strcmp(word, "revoke") == 0 || strcmp(word, "rev") == 0)
        return revocations(argc - rest, argv + rest, config);
    if (strcmp(word, "init-tls") == 0 || strcmp(word, "generate-client-ca") == 0 ||
        strcmp(word, "issue-client-cert") == 0)
        return fail_usage(&err, "this version does not speak TLS, so there is nothing to make certificates for",
                          "keep listen_addr on loopback");
    fb_err_set(&err, FB_E_USAGE, "unknown command 'authority %s'", word);
    return cli_fail(&err);
}
