/* firma sidecar status: probe, print, then collect. */
#include <firma/sidecar_markers.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/escape.h"
#include "base/fd.h"
#include "base/jsonw.h"
#include "cli/args.h"
#include "cli/verbs.h"
#include "stack/daemon.h"
#include "stack/ids.h"
#include "stack/statedir.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define EXAMPLES                                                                                                        \
    "  firma sidecar status\n"                                                                                          \
    "  firma sidecar status --sandbox-id my-sandbox\n"                                                                  \
    "  firma sidecar status --json | jq -e 'all(.[]; .state == \"running\")'\n"                                         \
    "  firma sidecar status --daemon\n"

enum { STATUS_RUNNING = 0, STATUS_NOT_RUNNING = 1, STATUS_INTERNAL = 2 };
enum { COLUMNS = 6, LISTEN_COLUMN = 4, LISTEN_MAX = 48, OUTPUT_MAX_BYTES = 64 << 20 };

/* Characters, not bytes: continuation bytes of UTF-8 take no column. */
static size_t width(const char *z)
{
    size_t n = 0;
    for (; *z != '\0'; z++)
        n += ((unsigned char)*z & 0xC0) != 0x80;
    return n;
}

struct row {
    char *cells[COLUMNS];
};

/* Text from a marker was written by another program: it reaches the terminal escaped, and never empty. */
static char *cell(const char *text)
{
    struct fb_buf b;
    fb_buf_init(&b, 1 << 20);
    if (text[0] == '\0')
        fb_buf_addc(&b, '-');
    else
        fb_escape_term_buf(&b, fb_str_of(text));
    char *copy = fb_buf_failed(&b) ? strdup("?") : fb_str_dupz(fb_buf_str(&b));
    fb_buf_done(&b);
    return copy;
}

/* Keeps the first @max columns, the last of them an ellipsis, when @text is wider. */
static char *shorten(char *text, size_t max)
{
    if (text == NULL || width(text) <= max)
        return text;
    size_t columns = 0;
    size_t i = 0;
    while (text[i] != '\0' && (columns < max - 1 || ((unsigned char)text[i] & 0xC0) == 0x80)) {
        columns += ((unsigned char)text[i + 1] & 0xC0) != 0x80;
        i++;
    }
    char *cut = NULL;
    if (asprintf(&cut, "%.*s\xE2\x80\xA6", (int)i, text) < 0)
        return text;
    free(text);
    return cut;
}

static void fill(struct row *row, const struct firma_sidecar_entry *e)
{
    char pid[16] = "-";
    char uptime[32] = "-";
    if (e->pid != 0)
        snprintf(pid, sizeof pid, "%" PRIu32, e->pid);
    if (e->has_uptime)
        snprintf(uptime, sizeof uptime, "%02" PRIu64 ":%02u:%02u", e->uptime_secs / 3600,
                 (unsigned)(e->uptime_secs / 60 % 60), (unsigned)(e->uptime_secs % 60));
    bool stopped = e->state == FIRMA_STATE_STOPPED;
    const char *const texts[COLUMNS] = { e->sandbox_id, e->agent_id, pid, firma_state_name(e->state),
                                         stopped ? "-" : e->listen, uptime };
    for (size_t i = 0; i < COLUMNS; i++)
        row->cells[i] = cell(texts[i]);
    row->cells[LISTEN_COLUMN] = shorten(row->cells[LISTEN_COLUMN], LISTEN_MAX);
}

static void print_row(const char *const *cells, const size_t *widths)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        const char *text = cells[i] == NULL ? "?" : cells[i];
        size_t pad = i + 1 == COLUMNS ? 0 : widths[i] - width(text) + 2;
        printf("%s%*s", text, (int)pad, "");
    }
    putchar('\n');
}

static int print_table(const struct firma_sidecar_list *list)
{
    static const char *const head[COLUMNS] = { "SANDBOX_ID", "AGENT", "PID", "STATE", "LISTEN", "UPTIME" };
    size_t widths[COLUMNS];
    struct row *rows = calloc(list->count == 0 ? 1 : list->count, sizeof *rows);
    if (rows == NULL)
        return STATUS_INTERNAL;
    for (size_t c = 0; c < COLUMNS; c++)
        widths[c] = strlen(head[c]);
    for (size_t i = 0; i < list->count; i++) {
        fill(&rows[i], &list->entries[i]);
        for (size_t c = 0; c < COLUMNS; c++) {
            size_t w = rows[i].cells[c] == NULL ? 1 : width(rows[i].cells[c]);
            widths[c] = w > widths[c] ? w : widths[c];
        }
    }
    print_row(head, widths);
    for (size_t i = 0; i < list->count; i++) {
        print_row((const char *const *)rows[i].cells, widths);
        for (size_t c = 0; c < COLUMNS; c++)
            free(rows[i].cells[c]);
    }
    free(rows);
    return STATUS_RUNNING;
}

static void json_entry(struct fb_jsonw *w, const struct firma_sidecar_entry *e)
{
    const struct {
        const char *key;
        const char *value;
    } texts[] = { { "sandbox_id", e->sandbox_id },
                  { "agent_id", e->agent_id },
                  { "session_id", e->session_id },
                  { "authority_url", e->authority_url },
                  { "policy_bundle_version", e->policy_bundle_version } };
    fb_jsonw_object(w);
    for (size_t i = 0; i < FB_COUNT(texts); i++) {
        fb_jsonw_key(w, texts[i].key);
        fb_jsonw_strz(w, texts[i].value);
    }
    fb_jsonw_key(w, "pid");
    if (e->pid != 0)
        fb_jsonw_u64(w, e->pid);
    else
        fb_jsonw_null(w);
    fb_jsonw_key(w, "started_at");
    fb_jsonw_strz(w, e->started_at);
    fb_jsonw_key(w, "state");
    fb_jsonw_strz(w, firma_state_name(e->state));
    fb_jsonw_key(w, "listen");
    fb_jsonw_strz(w, e->listen);
    fb_jsonw_key(w, "uptime_secs");
    if (e->has_uptime)
        fb_jsonw_u64(w, e->uptime_secs);
    else
        fb_jsonw_null(w);
    fb_jsonw_object_end(w);
}

static int print_json(const struct firma_sidecar_list *list)
{
    if (list->count == 0) {
        puts("[]");
        return STATUS_RUNNING;
    }
    struct fb_buf text;
    struct fb_jsonw w;
    fb_buf_init(&text, OUTPUT_MAX_BYTES);
    fb_jsonw_init(&w, &text, 2);
    fb_jsonw_array(&w);
    for (size_t i = 0; i < list->count; i++)
        json_entry(&w, &list->entries[i]);
    fb_jsonw_array_end(&w);
    fb_buf_addc(&text, '\n');
    bool good = !fb_buf_failed(&text) && fwrite(text.p, 1, text.n, stdout) == text.n;
    fb_buf_done(&text);
    return good ? STATUS_RUNNING : STATUS_INTERNAL;
}

static int internal(const struct firma_markers_error *error)
{
    struct fb_err err = { 0 };
    fb_err_set(&err, error->kind == FIRMA_MARKERS_PARSE ? FB_E_MARKER_PARSE : FB_E_IO, "%s", error->message);
    fb_err_print(stderr, &err);
    return STATUS_INTERNAL;
}

/* One entry by id, as a list of none or one. */
static int look_up(const char *state_dir, const char *id, struct firma_sidecar_list *list,
                   struct firma_markers_error *error)
{
    list->entries = calloc(1, sizeof *list->entries);
    if (list->entries == NULL) {
        error->kind = FIRMA_MARKERS_IO;
        return FIRMA_MARKERS_IO;
    }
    int r = firma_sidecar_markers_get(state_dir, id, list->entries, error);
    list->count = r == FIRMA_MARKERS_OK;
    return r == FIRMA_MARKERS_NONE ? FIRMA_MARKERS_OK : r;
}

struct wishes {
    const char *sandbox_id;
    bool json;
    bool daemon;
};

static int show(const struct wishes *w, const char *state_dir)
{
    struct firma_sidecar_list list = { 0 };
    struct firma_markers_error error = { 0 };
    int r;
    if (w->daemon)
        r = st_daemon_survey(state_dir, &list, &error);
    else if (w->sandbox_id != NULL)
        r = look_up(state_dir, w->sandbox_id, &list, &error);
    else
        r = firma_sidecar_markers_survey(state_dir, &list, &error);
    int status = r < 0 ? internal(&error) : w->json ? print_json(&list) : print_table(&list);
    for (size_t i = 0; status == STATUS_RUNNING && i < list.count; i++)
        if (list.entries[i].state != FIRMA_STATE_RUNNING)
            status = STATUS_NOT_RUNNING;
    firma_sidecar_list_done(&list);
    if (fflush(stdout) != 0)
        status = STATUS_INTERNAL;
    /* After the print, so that a dead marker is seen once. */
    if (r >= 0 && firma_sidecar_markers_gc_stale(state_dir, NULL, NULL, &error) < 0)
        status = internal(&error);
    return status;
}

int cli_cmd_status(int argc, char **argv)
{
    struct wishes w = { 0 };
    const char *ignored = NULL;
    const struct cli_opt opts[] = {
        { CLI_OPT_HEAD, NULL, 0, NULL, NULL, "Options" },
        { CLI_OPT_TEXT, "sandbox-id", 0, "ID", &w.sandbox_id, "this run only" },
        { CLI_OPT_FLAG, "json", 0, NULL, &w.json, "one JSON array" },
        { CLI_OPT_FLAG, "daemon", 0, NULL, &w.daemon, "the Sidecar of `firma sidecar start`" },
        { CLI_OPT_TEXT, "config", 'c', "FILE", &ignored, NULL },
    };
    struct fb_err err = { 0 };
    int rest = 1;
    int r = cli_args_parse(opts, FB_COUNT(opts), argc, argv, &rest, &err);
    if (r == 1) {
        cli_args_help(stdout, "firma sidecar status [OPTIONS]",
                      "Lists the Sidecars of running sandboxes, probes each, and then removes what dead runs left.\n"
                      "Exit status: 0 all are running (or there is none), 1 one is not, 2 internal error.",
                      opts, FB_COUNT(opts), EXAMPLES);
        return 0;
    }
    if (r == 0 && rest < argc)
        r = fb_err_set(&err, FB_E_USAGE, "unknown word '%s'", argv[rest]);
    if (r == 0 && w.sandbox_id != NULL && !st_ids_sandbox_ok(fb_str_of(w.sandbox_id)))
        r = fb_err_set(&err, FB_E_USAGE, "'%s' can be no sandbox id", w.sandbox_id);
    if (r < 0) {
        fb_err_print(stderr, &err);
        return STATUS_INTERNAL;
    }
    char *state_dir = st_statedir_resolve(NULL);
    if (state_dir == NULL)
        return STATUS_INTERNAL;
    int status = STATUS_INTERNAL;
    int fd = st_statedir_open_existing(state_dir, &err);
    if (fd < 0 && err.code != 0)
        fb_err_print(stderr, &err);
    else
        status = show(&w, state_dir);
    fb_fd_close(&fd);
    free(state_dir);
    return status;
}
