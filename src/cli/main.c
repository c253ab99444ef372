/* firma: global options, then one verb of the table. No work is done here. */
#include "base/err.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef FIRMA_VERSION
#define FIRMA_VERSION "0.0.0"
#endif

struct verb {
    const char *word;
    int (*run)(int argc, char **argv);
    const char *help;
};

static const struct verb verbs[] = {
    { "run", cli_cmd_run, "start a program in a sandbox whose only way out is the Sidecar" },
    { "sidecar", cli_cmd_sidecar, "run the enforcement proxy; `start`, `stop` and `status` manage it" },
    { "authority", cli_cmd_authority, "issue capabilities, stream policies and revocations" },
    { "audit", cli_cmd_audit, "verify a signed audit log" },
};

static void print_help(FILE *out, const struct cli_opt *opts, size_t n)
{
    cli_args_help(out, "firma [OPTIONS] COMMAND [ARGS...]",
                  "Run software agents that you do not trust: sandboxed, every outbound call decided, signed and shown.",
                  opts, n, NULL);
    fputs("\nCommands:\n", out);
    for (size_t i = 0; i < FB_COUNT(verbs); i++)
        fprintf(out, "  %-12s%s\n", verbs[i].word, verbs[i].help);
    fputs("\nExamples:\n"
          "  firma run --authority local -- curl http://ftp.debian.org/debian/README\n"
          "  firma run --profile codex -- codex\n"
          "  firma sidecar status --json\n"
          "\n`firma COMMAND --help` tells the rest.\n",
          out);
}

static int set_up_log(const char *filter, const char *file, struct fb_err *err)
{
    if (filter == NULL)
        filter = getenv("FIRMA_LOG_FILTER");
    if (filter == NULL)
        filter = getenv("RUST_LOG"); /* what the guides of the project show */
    if (filter != NULL && filter[0] != '\0') {
        int r = fb_log_set_filter(filter, err);
        if (r < 0)
            return r;
    }
    if (file == NULL)
        file = getenv("FIRMA_LOG_FILE");
    if (file == NULL || file[0] == '\0')
        return 0;
    int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot open log file '%s'", file);
    fb_log_set_fd(fd);
    return 0;
}

/* A closed standard descriptor would be handed to the next open() and then written to as if it were stderr. */
static void fill_standard_fds(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

int main(int argc, char **argv)
{
    fill_standard_fds();
    const char *filter = NULL;
    const char *file = NULL;
    bool version = false;
    const struct cli_opt opts[] = {
        { CLI_OPT_HEAD, NULL, 0, NULL, NULL, "Options" },
        { CLI_OPT_TEXT, "log-filter", 0, "LEVEL", &filter, "off, error, warn, info, debug or trace (FIRMA_LOG_FILTER)" },
        { CLI_OPT_TEXT, "log-file", 0, "PATH", &file, "append log lines to this file (FIRMA_LOG_FILE)" },
        { CLI_OPT_FLAG, "version", 'V', NULL, &version, "print the version" },
        { CLI_OPT_FLAG, "help", 'h', NULL, NULL, "print this help" },
    };
    struct fb_err err = { 0 };
    int rest = 1;
    int r = cli_args_parse(opts, FB_COUNT(opts), argc, argv, &rest, &err);
    if (r == 1) {
        print_help(stdout, opts, FB_COUNT(opts));
        return 0;
    }
    if (r < 0)
        return cli_fail(&err);
    if (version) {
        puts("firma " FIRMA_VERSION);
        return 0;
    }
    if (rest >= argc) {
        print_help(stderr, opts, FB_COUNT(opts));
        return 2;
    }
    if (set_up_log(filter, file, &err) < 0) {
        fb_err_print(stderr, &err);
        return 1;
    }
    for (size_t i = 0; i < FB_COUNT(verbs); i++)
        if (strcmp(argv[rest], verbs[i].word) == 0)
            return verbs[i].run(argc - rest, argv + rest);
    if (strcmp(argv[rest], "help") == 0) {
        print_help(stdout, opts, FB_COUNT(opts));
        return 0;
    }
    fb_err_set(&err, FB_E_USAGE, "unknown command '%s'", argv[rest]);
    return cli_fail(&err);
}
