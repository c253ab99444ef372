/* firma sidecar stop: ends what `start` started. */
#include "base/err.h"
#include "cli/args.h"
#include "cli/verbs.h"
#include "stack/statedir.h"
#include "stack/supervise.h"

#include <stdlib.h>

#define EXAMPLES "  firma sidecar stop\n  firma sidecar stop --timeout 10\n"

enum { EXIT_ERROR = 2, TIMEOUT_DEFAULT_S = 2, TIMEOUT_MAX_S = 3600 };

int cli_cmd_stop(int argc, char **argv)
{
    const char *state = NULL;
    const char *ignored = NULL;
    uint64_t timeout_s = TIMEOUT_DEFAULT_S;
    const struct cli_opt opts[] = {
        { CLI_OPT_HEAD, NULL, 0, NULL, NULL, "Options" },
        { CLI_OPT_TEXT, "state-dir", 0, "DIR", &state, "the directory given to `start` (FIRMA_STATE_DIR)" },
        { CLI_OPT_U64, "timeout", 0, "SECS", &timeout_s, "how long to wait before killing (default 2)" },
        { CLI_OPT_TEXT, "config", 'c', "FILE", &ignored, NULL },
    };
    struct fb_err err = { 0 };
    int rest = 1;
    int r = cli_args_parse(opts, FB_COUNT(opts), argc, argv, &rest, &err);
    if (r == 1) {
        cli_args_help(stdout, "firma sidecar stop [OPTIONS]",
                      "Ends the Sidecar, its supervisor and the Authority, in this order. Nothing running is success.\n"
                      "Exit status: 0 stopped, 2 any error.",
                      opts, FB_COUNT(opts), EXAMPLES);
        return 0;
    }
    if (r == 0 && rest < argc)
        r = fb_err_set(&err, FB_E_USAGE, "unknown word '%s'", argv[rest]);
    if (r == 0 && timeout_s > TIMEOUT_MAX_S)
        r = fb_err_set(&err, FB_E_USAGE, "--timeout must be at most %d", TIMEOUT_MAX_S);
    char *state_dir = st_statedir_resolve(state);
    if (r == 0 && state_dir == NULL)
        r = fb_err_set(&err, FB_E_NOMEM, "out of memory");
    if (r == 0)
        r = st_supervise_stop(state_dir, (int64_t)timeout_s * 1000, &err);
    free(state_dir);
    if (r == 0 || r == 1) {
        puts(r == 0 ? "stopped" : "nothing was running");
        return 0;
    }
    fb_err_print(stderr, &err);
    return EXIT_ERROR;
}
