/* Pid and address files of the daemon pair. */
#include "stack/daemon.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/num.h"
#include "stack/live.h"
#include "stack/statedir.h"

#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 4096 };

static void file_name(char out[64], const char *name, const char *suffix)
{
    snprintf(out, 64, "%s.%s", name, suffix);
}

/* First line of a small file as heap text, NULL when there is none. */
static char *read_line(int state_fd, const char *name, const char *suffix)
{
    char file[64];
    file_name(file, name, suffix);
    struct fb_buf text;
    fb_buf_init(&text, FILE_MAX_BYTES);
    char *line = NULL;
    if (fb_fs_read_at(state_fd, file, FB_FS_ANY, &text, NULL) == 0) {
        struct fb_str s = fb_buf_str(&text);
        line = fb_str_dupz(fb_str_n(s.p, fb_str_index(s, '\n')));
    }
    fb_buf_done(&text);
    return line;
}

static int64_t recorded_time(int state_fd, const char *name)
{
    char file[64];
    struct stat st;
    file_name(file, name, "pid");
    return fstatat(state_fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (int64_t)st.st_mtim.tv_sec : 0;
}

/* The number in the file, whether alive or not; 0 when there is none. */
static pid_t recorded_pid(int state_fd, const char *name)
{
    char *line = read_line(state_fd, name, "pid");
    uint64_t pid = 0;
    if (line != NULL && fb_num_u64(fb_str_of(line), 1, INT32_MAX, &pid) < 0)
        pid = 0;
    free(line);
    return (pid_t)pid;
}

pid_t st_daemon_pid(int state_fd, const char *name)
{
    pid_t pid = recorded_pid(state_fd, name);
    return pid > 0 && st_live_process(pid, 0, recorded_time(state_fd, name)) ? pid : 0;
}

int st_daemon_record(int state_fd, const char *name, pid_t pid, const char *listen, struct fb_err *err)
{
    char file[64];
    char text[FILE_MAX_BYTES];
    file_name(file, name, "pid");
    int n = snprintf(text, sizeof text, "%d\n", (int)pid);
    int r = fb_fs_write_atomic_at(state_fd, file, 0600, text, (size_t)n, false, err);
    if (r < 0 || listen == NULL)
        return r;
    file_name(file, name, "listen");
    n = snprintf(text, sizeof text, "%s\n", listen);
    if (n >= (int)sizeof text)
        return fb_err_set(err, FB_E_LIMIT, "the listen address is too long to record");
    return fb_fs_write_atomic_at(state_fd, file, 0600, text, (size_t)n, false, err);
}

void st_daemon_forget(int state_fd, const char *name)
{
    char file[64];
    file_name(file, name, "pid");
    (void)unlinkat(state_fd, file, 0);
    file_name(file, name, "listen");
    (void)unlinkat(state_fd, file, 0);
}

static enum st_probe probe_tcp(const char *listen)
{
    char host[256];
    const char *colon = strrchr(listen, ':');
    if (colon == NULL || (size_t)(colon - listen) >= sizeof host)
        return ST_PROBE_UNSURE;
    struct fb_str name = fb_str_n(listen, (size_t)(colon - listen));
    if (name.n >= 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        name = fb_str_n(name.p + 1, name.n - 2);
    snprintf(host, sizeof host, "%.*s", FB_STR_ARG(name));
    /* A wildcard is where it listens, loopback is where it can be reached. */
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        snprintf(host, sizeof host, "%s", host[0] == ':' ? "::1" : "127.0.0.1");
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *list = NULL;
    if (getaddrinfo(host, colon + 1, &hints, &list) != 0 || list == NULL)
        return ST_PROBE_UNSURE;
    enum st_probe p = st_live_probe(list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return p;
}

enum st_probe st_daemon_probe(const char *listen)
{
    if (listen[0] == '\0')
        return ST_PROBE_UNSURE;
    if (listen[0] != '/')
        return probe_tcp(listen);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    if (snprintf(addr.sun_path, sizeof addr.sun_path, "%s", listen) >= (int)sizeof addr.sun_path)
        return ST_PROBE_UNSURE;
    return st_live_probe((const struct sockaddr *)&addr, sizeof addr);
}

static enum firma_state judge(int state_fd, const char *listen)
{
    pid_t pid = st_daemon_pid(state_fd, "sidecar");
    if (pid == 0)
        return FIRMA_STATE_STOPPED;
    if (st_live_is_frozen(pid))
        return FIRMA_STATE_UNHEALTHY;
    switch (st_daemon_probe(listen)) {
    case ST_PROBE_ACCEPTS:
        return FIRMA_STATE_RUNNING;
    case ST_PROBE_CLOSED:
        return FIRMA_STATE_UNHEALTHY;
    default:
        return FIRMA_STATE_UNKNOWN;
    }
}

static void fill(int state_fd, struct firma_sidecar_entry *e)
{
    int64_t recorded = recorded_time(state_fd, "sidecar");
    int64_t now = (int64_t)time(NULL);
    char started[FB_CLOCK_TEXT_BYTES];
    fb_clock_format(started, recorded * 1000000000, 0, true);
    char *authority = read_line(state_fd, "authority", "listen");
    char *url = NULL;
    if (authority == NULL || asprintf(&url, "http://%s", authority) < 0)
        url = strdup("");
    free(authority);
    char *listen = read_line(state_fd, "sidecar", "listen");
    *e = (struct firma_sidecar_entry){
        .sandbox_id = strdup("daemon"),
        .agent_id = strdup("daemon"),
        .session_id = strdup(""),
        .authority_url = url,
        .policy_bundle_version = strdup(""),
        .pid = (uint32_t)recorded_pid(state_fd, "sidecar"),
        .started_at = strdup(started),
        .listen = listen == NULL ? strdup("") : listen,
        .has_uptime = recorded > 0 && recorded <= now,
        .uptime_secs = recorded > 0 && recorded <= now ? (uint64_t)(now - recorded) : 0,
    };
}

int st_daemon_survey(const char *state_dir, struct firma_sidecar_list *ret, struct firma_markers_error *error)
{
    *ret = (struct firma_sidecar_list){ 0 };
    struct fb_err err = { 0 };
    fb_auto(fb_fd_close) int fd = st_statedir_open_existing(state_dir, &err);
    if (fd < 0 && err.code == 0)
        return FIRMA_MARKERS_OK;
    if (fd < 0) {
        error->kind = FIRMA_MARKERS_IO;
        snprintf(error->message, sizeof error->message, "%s", err.msg);
        return FIRMA_MARKERS_IO;
    }
    if (faccessat(fd, "sidecar.pid", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return FIRMA_MARKERS_OK;
    ret->entries = calloc(1, sizeof *ret->entries);
    if (ret->entries == NULL) {
        error->kind = FIRMA_MARKERS_IO;
        snprintf(error->message, sizeof error->message, "out of memory");
        return FIRMA_MARKERS_IO;
    }
    ret->count = 1;
    fill(fd, &ret->entries[0]);
    ret->entries[0].state = judge(fd, ret->entries[0].listen == NULL ? "" : ret->entries[0].listen);
    return FIRMA_MARKERS_OK;
}
