/* firma audit: check a log, make a key. */
#include "audit/key.h"
#include "audit/verify.h"
#include "base/escape.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/jsonw.h"
#include "cli/args.h"
#include "cli/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILES_MAX = 256, EXIT_ERROR = 2, READ_BYTES = 64 << 10, KEY_MAX_BYTES = 64 << 10, HEAD_MAX_BYTES = 64 << 10 };

#define VERIFY_WHAT                                                                                                \
    "Checks every signature of an audit log, the chain from line to line, and its end against the signed head.\n"  \
    "Prints `OK  <event_id>` or `BAD <event_id>` for each line, then CHAIN and HEAD. Exit status: 0 all good, 1\n" \
    "something is bad, 2 it could not be checked. Files of a rotated log are given oldest first; `-` is standard " \
    "input."
#define VERIFY_EXAMPLES                                         \
    "  firma audit verify audit.jsonl --public-key audit.pub\n" \
    "  firma audit verify audit.jsonl.1 audit.jsonl --public-key audit.pub --json\n"
#define GENERATE_EXAMPLES "  firma audit generate-key -o audit.key\n"

struct output {
    bool json;
    struct fb_buf line;
};

static const char *finding_name(enum fa_finding what)
{
    switch (what) {
    case FA_LINE_OK:
        return "OK ";
    case FA_LINE_BAD:
        return "BAD";
    case FA_CHAIN_BAD:
        return "CHAIN BAD";
    case FA_CHAIN_OK:
        return "CHAIN OK";
    case FA_CHAIN_ABSENT:
        return "CHAIN ABSENT";
    case FA_HEAD_OK:
        return "HEAD OK";
    case FA_HEAD_BAD:
        return "HEAD BAD";
    case FA_HEAD_ABSENT:
        break;
    }
    return "HEAD ABSENT";
}

static void print_json(struct output *o, enum fa_finding what, struct fb_str event_id, struct fb_str text)
{
    struct fb_jsonw w;
    fb_buf_reset(&o->line);
    fb_jsonw_init(&w, &o->line, 0);
    fb_jsonw_object(&w);
    fb_jsonw_key(&w, "result");
    fb_jsonw_str(&w, fb_str_trim(fb_str_of(finding_name(what))));
    fb_jsonw_key(&w, "event_id");
    fb_jsonw_str(&w, event_id);
    fb_jsonw_key(&w, "detail");
    fb_jsonw_str(&w, text);
    fb_jsonw_object_end(&w);
    (void)fb_buf_addc(&o->line, '\n');
    (void)fwrite(fb_buf_str(&o->line).p, 1, o->line.n, stdout);
}

/* The reason stands on a line of its own, so that the first line is exactly the verdict and the id. */
static void print_finding(void *arg, enum fa_finding what, struct fb_str event_id, struct fb_str text)
{
    struct output *o = arg;
    if (o->json) {
        print_json(o, what, event_id, text);
        return;
    }
    fb_buf_reset(&o->line);
    (void)fb_buf_addz(&o->line, finding_name(what));
    if (event_id.n > 0) {
        (void)fb_buf_addc(&o->line, ' ');
        (void)fb_escape_term_buf(&o->line, event_id);
    }
    (void)fb_buf_addc(&o->line, '\n');
    if (text.n > 0) {
        (void)fb_buf_addz(&o->line, "    ");
        (void)fb_escape_term_buf(&o->line, text);
        (void)fb_buf_addc(&o->line, '\n');
    }
    (void)fwrite(fb_buf_str(&o->line).p, 1, o->line.n, stdout);
}

/* Cuts a stream into lines; a line past the limit is handed on cut, one byte too long, and so refused. */
struct lines {
    struct fa_verify *v;
    char *p; /* FA_VERIFY_LINE_MAX_BYTES + 1 */
    size_t n;
};

static void add_piece(struct lines *l, const char *p, size_t n)
{
    size_t room = FA_VERIFY_LINE_MAX_BYTES + 1 - l->n;
    n = n < room ? n : room;
    memcpy(l->p + l->n, p, n);
    l->n += n;
}

static void add_bytes(struct lines *l, const char *p, size_t n)
{
    const char *feed;
    while (n > 0 && (feed = memchr(p, '\n', n)) != NULL) {
        size_t used = (size_t)(feed - p);
        add_piece(l, p, used);
        fa_verify_line(l->v, fb_str_n(l->p, l->n), true);
        l->n = 0;
        p += used + 1;
        n -= used + 1;
    }
    if (n > 0)
        add_piece(l, p, n);
}

static int check_stream(struct fa_verify *v, int fd, const char *name, struct fb_err *err)
{
    struct lines l = { v, malloc(FA_VERIFY_LINE_MAX_BYTES + 1), 0 };
    char *chunk = malloc(READ_BYTES);
    size_t n = 0;
    int rc = l.p == NULL || chunk == NULL ? fb_err_set(err, FB_E_NOMEM, "out of memory") : 0;
    while (rc == 0) {
        rc = fb_fd_read_full(fd, chunk, READ_BYTES, &n);
        if (rc < 0)
            rc = fb_err_sys(err, FB_E_IO, errno, "cannot read '%s'", name);
        else if (n == 0)
            break;
        else
            add_bytes(&l, chunk, n);
    }
    if (rc == 0 && l.n > 0)
        fa_verify_line(v, fb_str_n(l.p, l.n), false);
    free(l.p);
    free(chunk);
    return rc;
}

static int check_file(struct fa_verify *v, const char *path, struct fb_err *err)
{
    if (strcmp(path, "-") == 0)
        return check_stream(v, STDIN_FILENO, "standard input", err);
    int fb_auto(fb_fd_close) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot open '%s'", path);
    return check_stream(v, fd, path, err);
}

/* The head named, or the one beside the last file if there is one. */
static int check_head(struct fa_verify *v, const char *named, const char *last_file, struct fb_err *err)
{
    struct fb_buf text;
    char *beside = NULL;
    if (named == NULL && (strcmp(last_file, "-") == 0 || asprintf(&beside, "%s.head", last_file) < 0))
        return 0;
    fb_buf_init(&text, HEAD_MAX_BYTES);
    int rc = fb_fs_read(named != NULL ? named : beside, FB_FS_ANY, &text, err);
    if (rc == 0)
        fa_verify_head(v, fb_buf_str(&text));
    else if (named == NULL && err->os_errno == ENOENT)
        rc = 0;
    fb_buf_done(&text);
    free(beside);
    return rc;
}

struct verify_flags {
    const char *public_key;
    const char *head;
    bool json;
    const char *files[FILES_MAX];
    size_t n_files;
};

/* Options and files in any order. 1 = the help page was asked for. */
static int read_flags(struct verify_flags *f, const struct cli_opt *opts, size_t n, int argc, char **argv,
                      struct fb_err *err)
{
    for (int at = 0; at < argc;) {
        int rest = 1;
        int rc = cli_args_parse(opts, n, argc - at, argv + at, &rest, err);
        if (rc != 0)
            return rc;
        bool only_files = rest > 1 && strcmp(argv[at + rest - 1], "--") == 0;
        at += rest;
        do {
            if (at >= argc)
                break;
            if (f->n_files == FILES_MAX)
                return fb_err_set(err, FB_E_USAGE, "more than %d files", FILES_MAX);
            f->files[f->n_files++] = argv[at];
            at += only_files ? 1 : 0;
        } while (only_files);
    }
    if (f->n_files == 0)
        return fb_err_set(err, FB_E_USAGE, "name the log to check");
    if (f->public_key == NULL)
        return fb_err_set(err, FB_E_USAGE, "name the public key with --public-key FILE");
    return 0;
}

static int verify(const struct verify_flags *f, struct fb_err *err)
{
    struct fb_buf pem;
    struct output out = { .json = f->json };
    struct fa_verify *v = NULL;
    int verdict = 0;
    fb_buf_init(&pem, KEY_MAX_BYTES);
    fb_buf_init(&out.line, 1 << 20);
    int rc = fb_fs_read(f->public_key, FB_FS_ANY, &pem, err);
    if (rc == 0)
        rc = fa_verify_new(fb_buf_str(&pem), print_finding, &out, &v, err);
    for (size_t i = 0; rc == 0 && i < f->n_files; i++)
        rc = check_file(v, f->files[i], err);
    if (rc == 0)
        rc = check_head(v, f->head, f->files[f->n_files - 1], err);
    if (rc == 0)
        verdict = fa_verify_finish(v);
    if (rc == 0 && fflush(stdout) != 0)
        rc = fb_err_sys(err, FB_E_IO, errno, "cannot write the result");
    fa_verify_free(v);
    fb_buf_done(&out.line);
    fb_buf_done(&pem);
    return rc < 0 ? rc : verdict;
}

static int cmd_verify(int argc, char **argv)
{
    struct verify_flags f = { 0 };
    struct fb_err err = { 0 };
    const struct cli_opt opts[] = {
        { CLI_OPT_HEAD, NULL, 0, NULL, NULL, "Options" },
        { CLI_OPT_TEXT, "public-key", 'k', "FILE", &f.public_key, "public half of the audit key, PEM" },
        { CLI_OPT_TEXT, "head", 0, "FILE", &f.head, "signed head (default: FILE.head beside the last log, if there)" },
        { CLI_OPT_FLAG, "json", 0, NULL, &f.json, "one JSON object a line" },
        { CLI_OPT_TEXT, "key", 0, "FILE", &f.public_key, NULL },
    };
    int rc = read_flags(&f, opts, FB_COUNT(opts), argc, argv, &err);
    if (rc == 1) {
        cli_args_help(stdout, "firma audit verify FILE... --public-key PEM [OPTIONS]", VERIFY_WHAT, opts,
                      FB_COUNT(opts), VERIFY_EXAMPLES);
        return 0;
    }
    if (rc == 0)
        rc = verify(&f, &err);
    if (rc >= 0)
        return rc;
    (void)cli_fail(&err);
    return EXIT_ERROR; /* whatever went wrong: 1 would say that the log is bad */
}

static int cmd_generate_key(int argc, char **argv)
{
    const char *path = "audit.key";
    struct fb_err err = { 0 };
    const struct cli_opt opts[] = {
        { CLI_OPT_HEAD, NULL, 0, NULL, NULL, "Options" },
        { CLI_OPT_TEXT, "output", 'o', "FILE", &path,
          "where the secret key goes (default audit.key); FILE.pub's name follows" },
    };
    int rest = 1;
    int rc = cli_args_parse(opts, FB_COUNT(opts), argc, argv, &rest, &err);
    if (rc == 1) {
        cli_args_help(
            stdout, "firma audit generate-key [-o FILE]",
            "Makes an ECDSA P-256 key pair for the audit log: the secret as PKCS#8 PEM (0600), the public half as PEM\n"
            "beside it, the last extension replaced by .pub. An existing file is left as it is.",
            opts, FB_COUNT(opts), GENERATE_EXAMPLES);
        return 0;
    }
    if (rc == 0 && rest < argc)
        rc = fb_err_set(&err, FB_E_USAGE, "unknown word '%s'", argv[rest]);
    if (rc == 0)
        rc = fa_key_generate(path, &err);
    if (rc < 0)
        return cli_fail(&err);
    printf("audit key written to %s\n", path);
    return 0;
}

int cli_cmd_audit(int argc, char **argv)
{
    struct fb_err err = { 0 };
    if (argc > 1 && strcmp(argv[1], "verify") == 0)
        return cmd_verify(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "generate-key") == 0)
        return cmd_generate_key(argc - 1, argv + 1);
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        printf("Usage: firma audit COMMAND [ARGS...]\n\n"
               "Checks a signed audit log, or makes the key that signs one.\n\n"
               "Commands:\n"
               "  verify FILE...  check every signature, the chain and the signed head\n"
               "  generate-key    make a signing key pair\n\n"
               "Examples:\n" VERIFY_EXAMPLES GENERATE_EXAMPLES "\n`firma audit COMMAND --help` tells the rest.\n");
        return 0;
    }
    if (argc > 1)
        (void)fb_err_set(&err, FB_E_USAGE, "unknown word '%s'; expected verify or generate-key", argv[1]);
    else
        (void)fb_err_set(&err, FB_E_USAGE, "say what to do: verify or generate-key");
    return cli_fail(&err);
}
