/* Command-line options as a table: parsing, refusal with a suggestion, and the help page from the same rows.
 * Layer: cli (L4). Thread: start-up only. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum cli_opt_kind {
    CLI_OPT_FLAG, /* bool *dest becomes true */
    CLI_OPT_TEXT, /* const char **dest; the last one given wins; points into argv */
    CLI_OPT_LIST, /* struct cli_list *dest; may repeat */
    CLI_OPT_U64,  /* uint64_t *dest; decimal */
    CLI_OPT_HEAD, /* no option: @help is a heading of the help page */
};

enum { CLI_LIST_MAX = 256 };
struct cli_list {
    const char *items[CLI_LIST_MAX];
    size_t count;
};

struct cli_opt {
    enum cli_opt_kind kind;
    const char *name; /* without the dashes */
    char letter;      /* 0 = none */
    const char *meta; /* what the value is called in the help, NULL for a flag */
    void *dest;
    const char *help; /* NULL = accepted, not shown */
};

/* Reads options from argv[1] on, up to the first word that is none, or past `--`. *@ret_rest is the index of the first
 * word left. Returns 0; 1 when --help or -h was given (nothing else is then looked at); FB_E_USAGE with the nearest
 * name in the remedy. Option values may stand after `=` or as the next word. */
int cli_args_parse(const struct cli_opt *opts, size_t n, int argc, char **argv, int *ret_rest, struct fb_err *err);

/* Prints usage line, what it does, the options in columns, and examples. */
void cli_args_help(FILE *out, const char *usage, const char *what, const struct cli_opt *opts, size_t n,
                   const char *examples);

/* Prints @err and returns its exit status. */
int cli_fail(const struct fb_err *err);

#endif
