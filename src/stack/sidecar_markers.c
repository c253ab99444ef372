/* The library of include/firma/sidecar_markers.h. */
#include <firma/sidecar_markers.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/fs.h"
#include "stack/ids.h"
#include "stack/live.h"
#include "stack/marker.h"
#include "stack/meta.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { MARKERS_MAX = 100000 };

struct ids {
    char **items;
    size_t count;
    size_t room;
};

static int fail(struct firma_markers_error *error, enum firma_markers_result kind, int os_errno, const char *text)
{
    if (error != NULL) {
        error->kind = kind;
        error->os_errno = os_errno;
        snprintf(error->message, sizeof error->message, "%s%s%s", text, os_errno == 0 ? "" : ": ",
                 os_errno == 0 ? "" : strerror(os_errno));
    }
    return kind;
}

const char *firma_state_name(enum firma_state state)
{
    static const char *const state_names[] = { "running", "unhealthy", "stopped", "unknown" };
    return state <= FIRMA_STATE_UNKNOWN ? state_names[state] : "unknown";
}

void firma_sidecar_entry_done(struct firma_sidecar_entry *e)
{
    free(e->sandbox_id);
    free(e->agent_id);
    free(e->session_id);
    free(e->authority_url);
    free(e->policy_bundle_version);
    free(e->started_at);
    free(e->listen);
    *e = (struct firma_sidecar_entry){ 0 };
}

void firma_sidecar_list_done(struct firma_sidecar_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        firma_sidecar_entry_done(&list->entries[i]);
    free(list->entries);
    *list = (struct firma_sidecar_list){ 0 };
}

static enum firma_state judge(int dir, const struct st_meta *meta, int64_t recorded_s)
{
    if (meta->pid == 0 || meta->pid > INT32_MAX || !st_live_process((pid_t)meta->pid, meta->pid_start_ticks, recorded_s))
        return FIRMA_STATE_STOPPED;
    if (st_live_is_frozen((pid_t)meta->pid))
        return FIRMA_STATE_UNHEALTHY;
    switch (st_live_probe_unix_at(dir, "sidecar.sock")) {
    case ST_PROBE_ACCEPTS:
        return FIRMA_STATE_RUNNING;
    case ST_PROBE_CLOSED:
        return FIRMA_STATE_UNHEALTHY;
    default:
        return FIRMA_STATE_UNKNOWN;
    }
}

/* Fills @ret from the open marker directory @dir, called @path. */
static int probe_at(int dir, const char *path, struct firma_sidecar_entry *ret, struct firma_markers_error *error)
{
    struct fb_err err = { 0 };
    struct st_meta meta;
    if (st_meta_read(dir, &meta, &err) < 0)
        return fail(error, err.code == FB_E_MARKER_PARSE ? FIRMA_MARKERS_PARSE : FIRMA_MARKERS_IO, 0, err.msg);
    struct stat st;
    int64_t now = (int64_t)time(NULL);
    bool timed = fstatat(dir, "sidecar.pid", &st, AT_SYMLINK_NOFOLLOW) == 0;
    *ret = (struct firma_sidecar_entry){
        .sandbox_id = meta.sandbox_id,
        .agent_id = meta.agent_id,
        .session_id = meta.session_id,
        .authority_url = meta.authority_url,
        .policy_bundle_version = meta.policy_bundle_version,
        .pid = meta.pid,
        .started_at = meta.started_at,
        .state = judge(dir, &meta, timed ? (int64_t)st.st_mtim.tv_sec : 0),
        .has_uptime = timed && (int64_t)st.st_mtim.tv_sec <= now,
    };
    if (ret->has_uptime)
        ret->uptime_secs = (uint64_t)(now - (int64_t)st.st_mtim.tv_sec);
    ret->listen = fb_fs_join(path, "sidecar.sock");
    if (ret->listen == NULL) {
        firma_sidecar_entry_done(ret);
        return fail(error, FIRMA_MARKERS_IO, ENOMEM, "out of memory");
    }
    return FIRMA_MARKERS_OK;
}

int firma_sidecar_markers_probe_entry(const char *marker_dir, struct firma_sidecar_entry *ret,
                                      struct firma_markers_error *error)
{
    *ret = (struct firma_sidecar_entry){ 0 };
    fb_auto(fb_fd_close) int dir = open(marker_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return fail(error, FIRMA_MARKERS_IO, errno, "cannot open the marker");
    return probe_at(dir, marker_dir, ret, error);
}

/* Opens run/; -1 with *@ret_none when there is none. */
static int open_run(const char *runtime_dir, bool *ret_none, struct firma_markers_error *error)
{
    *ret_none = false;
    fb_auto(fb_fd_close) int state = open(runtime_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int run = state < 0 ? -1 : openat(state, "run", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (run < 0 && errno == ENOENT)
        *ret_none = true;
    else if (run < 0)
        (void)fail(error, FIRMA_MARKERS_IO, errno, "cannot open the directory of markers");
    return run;
}

int firma_sidecar_markers_get(const char *runtime_dir, const char *sandbox_id, struct firma_sidecar_entry *ret,
                              struct firma_markers_error *error)
{
    *ret = (struct firma_sidecar_entry){ 0 };
    if (!st_ids_sandbox_ok(fb_str_of(sandbox_id)))
        return FIRMA_MARKERS_NONE;
    bool none;
    fb_auto(fb_fd_close) int run = open_run(runtime_dir, &none, error);
    if (run < 0)
        return none ? FIRMA_MARKERS_NONE : FIRMA_MARKERS_IO;
    fb_auto(fb_fd_close) int dir = openat(run, sandbox_id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return errno == ENOENT ? FIRMA_MARKERS_NONE : fail(error, FIRMA_MARKERS_IO, errno, "cannot open the marker");
    char *path = NULL;
    if (asprintf(&path, "%s/run/%s", runtime_dir, sandbox_id) < 0)
        return fail(error, FIRMA_MARKERS_IO, ENOMEM, "out of memory");
    int r = probe_at(dir, path, ret, error);
    free(path);
    return r;
}

static void ids_done(struct ids *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        free(ids->items[i]);
    free(ids->items);
    *ids = (struct ids){ 0 };
}

static int ids_add(struct ids *ids, const char *name)
{
    if (ids->count == ids->room) {
        size_t room = ids->room == 0 ? 32 : ids->room * 2;
        char **items = room > MARKERS_MAX * 2 ? NULL : realloc(ids->items, room * sizeof *items);
        if (items == NULL)
            return -1;
        ids->items = items;
        ids->room = room;
    }
    char *copy = strdup(name);
    if (copy == NULL)
        return -1;
    ids->items[ids->count++] = copy;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names below run/ that can be markers, sorted. */
static int enumerate(int run, struct ids *ret, struct firma_markers_error *error)
{
    int copy = openat(run, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    if (d == NULL) {
        int saved = errno;
        fb_fd_close(&copy);
        return fail(error, FIRMA_MARKERS_IO, saved, "cannot list the directory of markers");
    }
    int r = 0;
    errno = 0;
    for (struct dirent *e = readdir(d); r == 0 && e != NULL; e = readdir(d))
        if (e->d_name[0] != '.' && st_ids_sandbox_ok(fb_str_of(e->d_name)) && ids_add(ret, e->d_name) < 0)
            r = fail(error, FIRMA_MARKERS_IO, ENOMEM, "cannot hold the list of markers");
    closedir(d);
    if (r == 0 && ret->count > 1)
        qsort(ret->items, ret->count, sizeof *ret->items, by_name);
    return r;
}

static int by_sandbox(const void *a, const void *b)
{
    const struct firma_sidecar_entry *left = a;
    const struct firma_sidecar_entry *right = b;
    return strcmp(left->sandbox_id, right->sandbox_id);
}

/* A marker that is corrupt, or that went while we looked, must not break the listing of the others. */
static int probe_all(const char *runtime_dir, const struct ids *ids, struct firma_sidecar_list *ret,
                     struct firma_markers_error *error)
{
    ret->entries = calloc(ids->count == 0 ? 1 : ids->count, sizeof *ret->entries);
    if (ret->entries == NULL)
        return fail(error, FIRMA_MARKERS_IO, ENOMEM, "cannot hold the list of markers");
    for (size_t i = 0; i < ids->count; i++)
        if (firma_sidecar_markers_get(runtime_dir, ids->items[i], &ret->entries[ret->count], NULL) == FIRMA_MARKERS_OK)
            ret->count++;
    qsort(ret->entries, ret->count, sizeof *ret->entries, by_sandbox);
    return FIRMA_MARKERS_OK;
}

int firma_sidecar_markers_survey(const char *runtime_dir, struct firma_sidecar_list *ret,
                                 struct firma_markers_error *error)
{
    *ret = (struct firma_sidecar_list){ 0 };
    bool none;
    fb_auto(fb_fd_close) int run = open_run(runtime_dir, &none, error);
    if (run < 0)
        return none ? FIRMA_MARKERS_OK : FIRMA_MARKERS_IO;
    struct ids ids = { 0 };
    int r = enumerate(run, &ids, error);
    if (r == 0)
        r = probe_all(runtime_dir, &ids, ret, error);
    ids_done(&ids);
    return r;
}

int firma_sidecar_markers_list(const char *runtime_dir, struct firma_sidecar_list *ret, struct firma_markers_error *error)
{
    *ret = (struct firma_sidecar_list){ 0 };
    int r = firma_sidecar_markers_gc_stale(runtime_dir, NULL, NULL, error);
    if (r == 0)
        r = firma_sidecar_markers_survey(runtime_dir, ret, error);
    size_t kept = 0;
    for (size_t i = 0; r == 0 && i < ret->count; i++) {
        if (ret->entries[i].state == FIRMA_STATE_STOPPED)
            firma_sidecar_entry_done(&ret->entries[i]);
        else
            ret->entries[kept++] = ret->entries[i];
    }
    if (r == 0)
        ret->count = kept;
    return r;
}

/* Under the lock of run/: the pid is read again right before, and no run can claim the name in between. */
static bool collect(int run, const char *id)
{
    fb_auto(fb_fd_close) int guard = st_marker_lock(run);
    if (guard < 0 || st_live_marker(run, id) != ST_LIVE_DEAD)
        return false;
    fb_auto(fb_fd_close) int dir = openat(run, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    /* While its launcher lives the sandbox may, and its covers must stay; the launcher removes the marker itself. */
    if (dir < 0 || st_marker_is_held(dir))
        return false;
    st_marker_clear_traces(run, id, id);
    return fb_fs_remove_tree_at(run, id, NULL) == 0;
}

/* One block: the pointers, then the texts. */
static char **pack(const struct ids *ids)
{
    size_t bytes = (ids->count + 1) * sizeof(char *);
    for (size_t i = 0; i < ids->count; i++)
        bytes += strlen(ids->items[i]) + 1;
    char **block = malloc(bytes);
    if (block == NULL)
        return NULL;
    char *text = (char *)(block + ids->count + 1);
    for (size_t i = 0; i < ids->count; i++) {
        size_t n = strlen(ids->items[i]) + 1;
        memcpy(text, ids->items[i], n);
        block[i] = text;
        text += n;
    }
    block[ids->count] = NULL;
    return block;
}

int firma_sidecar_markers_gc_stale(const char *runtime_dir, char ***ret_ids, size_t *ret_count,
                                   struct firma_markers_error *error)
{
    bool none;
    fb_auto(fb_fd_close) int run = open_run(runtime_dir, &none, error);
    if (run < 0 && !none)
        return FIRMA_MARKERS_IO;
    struct ids all = { 0 };
    struct ids gone = { 0 };
    int r = run < 0 ? 0 : enumerate(run, &all, error);
    if (run >= 0 && r == 0)
        st_marker_collect_unfinished(run);
    for (size_t i = 0; r == 0 && i < all.count; i++)
        if (collect(run, all.items[i]) && ids_add(&gone, all.items[i]) < 0)
            r = fail(error, FIRMA_MARKERS_IO, ENOMEM, "cannot hold the list of markers");
    if (r == 0 && ret_ids != NULL) {
        *ret_ids = pack(&gone);
        if (*ret_ids == NULL)
            r = fail(error, FIRMA_MARKERS_IO, ENOMEM, "cannot hold the list of markers");
    }
    if (ret_count != NULL)
        *ret_count = gone.count;
    ids_done(&all);
    ids_done(&gone);
    return r;
}
