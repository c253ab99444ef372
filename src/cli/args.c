/* The option table: one parser and one help page for every verb. */
#include "cli/args.h"

#include "base/nearest.h"
#include "base/num.h"
#include "base/str.h"

#include <string.h>

static const struct cli_opt *find_long(const struct cli_opt *opts, size_t n, struct fb_str name)
{
    for (size_t i = 0; i < n; i++)
        if (opts[i].kind != CLI_OPT_HEAD && fb_str_eqz(name, opts[i].name))
            return &opts[i];
    return NULL;
}

static const struct cli_opt *find_short(const struct cli_opt *opts, size_t n, char letter)
{
    for (size_t i = 0; i < n; i++)
        if (opts[i].kind != CLI_OPT_HEAD && opts[i].letter != '\0' && opts[i].letter == letter)
            return &opts[i];
    return NULL;
}

static int unknown(const struct cli_opt *opts, size_t n, const char *word, struct fb_str name, struct fb_err *err)
{
    fb_err_set(err, FB_E_USAGE, "unknown option '%s'", word);
    const char *names[128];
    size_t count = 0;
    for (size_t i = 0; i < n && count < FB_COUNT(names); i++)
        if (opts[i].kind != CLI_OPT_HEAD && opts[i].help != NULL)
            names[count++] = opts[i].name;
    const char *near = fb_nearest(name, names, count);
    if (near != NULL)
        fb_err_remedy(err, "did you mean --%s? --help lists every option", near);
    return FB_E_USAGE;
}

static int store(const struct cli_opt *o, const char *value, struct fb_err *err)
{
    if (o->kind == CLI_OPT_TEXT) {
        *(const char **)o->dest = value;
        return 0;
    }
    if (o->kind == CLI_OPT_LIST) {
        struct cli_list *list = o->dest;
        if (list->count == CLI_LIST_MAX)
            return fb_err_set(err, FB_E_USAGE, "option '--%s' is given more than %d times", o->name, CLI_LIST_MAX);
        list->items[list->count++] = value;
        return 0;
    }
    if (fb_num_u64(fb_str_of(value), 0, INT64_MAX, o->dest) < 0)
        return fb_err_set(err, FB_E_USAGE, "option '--%s' wants a whole number, not '%s'", o->name, value);
    return 0;
}

/* One option word; *@i moves past a value that stands in the next word. */
static int one(const struct cli_opt *opts, size_t n, int argc, char **argv, int *i, struct fb_err *err)
{
    const char *word = argv[*i];
    const struct cli_opt *o;
    const char *value = NULL;
    if (word[1] == '-') {
        const char *eq = strchr(word + 2, '=');
        struct fb_str name = eq == NULL ? fb_str_of(word + 2) : fb_str_n(word + 2, (size_t)(eq - word) - 2);
        o = find_long(opts, n, name);
        if (o == NULL)
            return unknown(opts, n, word, name, err);
        value = eq == NULL ? NULL : eq + 1;
    } else {
        o = find_short(opts, n, word[1]);
        if (o == NULL)
            return unknown(opts, n, word, fb_str_of(word + 1), err);
        value = word[2] == '\0' ? NULL : word + 2;
    }
    if (o->kind == CLI_OPT_FLAG) {
        if (value != NULL)
            return fb_err_set(err, FB_E_USAGE, "option '--%s' takes no value", o->name);
        *(bool *)o->dest = true;
        return 0;
    }
    if (value == NULL) {
        /* `--` ends the options: as a value it is a forgotten one. */
        if (*i + 1 >= argc || strcmp(argv[*i + 1], "--") == 0)
            return fb_err_set(err, FB_E_USAGE, "option '--%s' wants a value: --%s %s", o->name, o->name, o->meta);
        value = argv[++*i];
    }
    return store(o, value, err);
}

int cli_args_parse(const struct cli_opt *opts, size_t n, int argc, char **argv, int *ret_rest, struct fb_err *err)
{
    int i = 1;
    for (; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--") == 0) {
            i++;
            break;
        }
        if (word[0] != '-' || word[1] == '\0')
            break;
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
            return 1;
        int r = one(opts, n, argc, argv, &i, err);
        if (r < 0)
            return r;
    }
    *ret_rest = i;
    return 0;
}

enum { HELP_COLUMN = 34 };

void cli_args_help(FILE *out, const char *usage, const char *what, const struct cli_opt *opts, size_t n,
                   const char *examples)
{
    fprintf(out, "Usage: %s\n\n%s\n", usage, what);
    for (size_t i = 0; i < n; i++) {
        const struct cli_opt *o = &opts[i];
        if (o->help == NULL)
            continue;
        if (o->kind == CLI_OPT_HEAD) {
            fprintf(out, "\n%s:\n", o->help);
            continue;
        }
        char left[96];
        char letter[8] = "    ";
        if (o->letter != '\0')
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        int used = snprintf(left, sizeof left, "  %s--%s%s%s", letter, o->name, o->meta == NULL ? "" : " ",
                            o->meta == NULL ? "" : o->meta);
        if (used >= HELP_COLUMN)
            fprintf(out, "%s\n%*s%s\n", left, HELP_COLUMN, "", o->help);
        else
            fprintf(out, "%-*s%s\n", HELP_COLUMN, left, o->help);
    }
    if (examples != NULL)
        fprintf(out, "\nExamples:\n%s", examples);
}

int cli_fail(const struct fb_err *err)
{
    fb_err_print(stderr, err);
    return fb_err_status(err->code);
}
