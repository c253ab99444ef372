/* The order in which an Authority is looked for, and the question at its end. */
#include "run/authsel.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/toml.h"
#include "net/url.h"
#include "run/endpoint.h"
#include "run/listener_owner.h"
#include "run/persist.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* host and port of "scheme://host[:port]", "host:port"; default ports 443, 80, and 50051 without a scheme. */
static int split_url(const char *url, char host[256], char port[6], struct fb_err *err)
{
    static const struct {
        const char *prefix;
        unsigned port;
    } schemes[] = { { "http://", 80 }, { "https://", 443 }, { "", 50051 } };
    for (size_t i = 0; i < FB_COUNT(schemes); i++) {
        size_t skip = strlen(schemes[i].prefix);
        if (strncmp(url, schemes[i].prefix, skip) != 0)
            continue;
        struct fb_str rest = fb_str_of(url + skip);
        if (rest.n > 0 && rest.p[rest.n - 1] == '/')
            rest.n--;
        struct fn_authority a;
        if (fn_url_authority(rest, &a, err) < 0)
            break;
        snprintf(host, 256, "%s", a.host.text);
        snprintf(port, 6, "%u", a.port != 0 ? (unsigned)a.port : schemes[i].port);
        return 0;
    }
    fb_err_set(err, FB_E_CONFIG_VALIDATION, "'%s' is no Authority URL", url);
    fb_err_remedy(err, "write http://host:port");
    return FB_E_CONFIG_VALIDATION;
}

/* 0 when any address of the name accepts a connection in time, else a negative errno. */
static int probe(const char *host, const char *port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    struct addrinfo *list = NULL;
    if (getaddrinfo(host, port, &hints, &list) != 0)
        return -EHOSTUNREACH;
    int r = -EHOSTUNREACH;
    for (struct addrinfo *a = list; a != NULL && r < 0; a = a->ai_next) {
        fb_auto(fb_fd_close) int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        r = fd < 0 ? -errno : run_endpoint_connect_fd(fd, a->ai_addr, a->ai_addrlen, RUN_AUTHORITY_PROBE_MS);
    }
    freeaddrinfo(list);
    return r;
}

static int choose_remote(const char *url, struct run_authority *ret, struct fb_err *err)
{
    char host[256];
    char port[6];
    int r = split_url(url, host, port, err);
    if (r < 0)
        return r;
    r = probe(host, port);
    if (r < 0)
        return fb_err_sys(err, FB_E_AUTHORITY_UNREACHABLE, -r, "Authority '%s' does not answer", url);
    ret->kind = RUN_AUTHORITY_REMOTE;
    bool bare = strstr(url, "://") == NULL;
    if (snprintf(ret->url, sizeof ret->url, "%s%s", bare ? "http://" : "", url) >= (int)sizeof ret->url)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "the Authority URL is longer than %d bytes",
                          RUN_AUTHORITY_URL_BYTES - 1);
    return 0;
}

static void text_of(const struct fb_toml_doc *doc, const char *dotted, char *out, size_t cap)
{
    const struct fb_toml *node = doc == NULL ? NULL : fb_toml_path(fb_toml_root(doc), dotted);
    out[0] = '\0';
    if (node != NULL && node->kind == FB_TOML_STRING && node->s.n < cap && memchr(node->s.p, '\0', node->s.n) == NULL)
        snprintf(out, cap, "%.*s", FB_STR_ARG(node->s));
}

/* The public key that the file pins: [sidecar.authority].public_key_path, else the one beside [authority].key_file. */
static void pinned_key(const struct run_authsel_input *in, struct run_authority *ret)
{
    char value[RUN_AUTHORITY_PATH_BYTES];
    text_of(in->config, "sidecar.authority.public_key_path", value, sizeof value);
    if (value[0] == '\0') {
        text_of(in->config, "authority.key_file", value, sizeof value - 8);
        char *slash = strrchr(value, '/');
        char *dot = strrchr(slash == NULL ? value : slash, '.');
        if (value[0] != '\0')
            snprintf(dot == NULL ? value + strlen(value) : dot, 8, ".pub");
    }
    if (value[0] == '\0')
        return;
    char *joined = fb_fs_join(in->config_dir, value);
    if (joined != NULL && access(joined, R_OK) == 0)
        snprintf(ret->public_key_path, sizeof ret->public_key_path, "%s", joined);
    free(joined);
}

/* Something listens at the persisted address already. It is reused only when it is provably ours. */
static int judge_listener(const struct run_authsel_input *in, const char *listen, const struct addrinfo *at,
                          struct run_authority *ret, struct fb_err *err)
{
    uid_t owner = 0;
    bool known = run_listener_owner(at->ai_addr, &owner);
    pinned_key(in, ret);
    if (!known || owner != geteuid() || ret->public_key_path[0] == '\0') {
        fb_err_set(err, FB_E_AUTHORITY_TRANSPORT_AMBIGUOUS, "something listens at %s, and it cannot be shown to be your Authority: %s",
                   listen, !known || owner != geteuid() ? "it belongs to another user" : "no public key is pinned for it");
        return FB_E_AUTHORITY_TRANSPORT_AMBIGUOUS;
    }
    ret->kind = RUN_AUTHORITY_REMOTE;
    snprintf(ret->url, sizeof ret->url, "http://%s", listen);
    return 0;
}

/* [authority] is there: reuse what runs at its address, else start one for this run. */
static int choose_persisted(const struct run_authsel_input *in, struct run_authority *ret, struct fb_err *err)
{
    char listen[256];
    text_of(in->config, "authority.listen_addr", listen, sizeof listen);
    char host[256];
    char port[6] = "0";
    const char *colon = strrchr(listen, ':');
    /* Port 0 means "any free one": nothing can be found there. */
    if (colon != NULL && strcmp(colon, ":0") != 0) {
        int r = split_url(listen, host, port, err);
        if (r < 0)
            return r;
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST };
        struct addrinfo *at = NULL;
        if (getaddrinfo(host, port, &hints, &at) == 0 && probe(host, port) == 0) {
            r = judge_listener(in, listen, at, ret, err);
            freeaddrinfo(at);
            return r;
        }
        if (at != NULL)
            freeaddrinfo(at);
    }
    if (in->no_autostart)
        return fb_err_set(err, FB_E_MISSING_AUTHORITY, "no Authority listens at the address in '%s', and none may be started",
                          in->config_path);
    ret->kind = RUN_AUTHORITY_LOCAL;
    return 0;
}

static int ask(const struct run_authsel_input *in, struct run_authority *ret, struct fb_err *err)
{
    if (!isatty(in->in_fd))
        return fb_err_set(err, FB_E_AUTHORITY_PROMPT_NO_TTY, "no Authority is configured, and there is no terminal to ask on");
    fputs("No Authority is configured for this project.\n"
          "firma run can start a local Mini Authority for development on [::1]:<ephemeral-port>.\n"
          "This is suitable for a single developer on a trusted workstation.\n"
          "Start a local Mini Authority? [y/N]: ",
          stderr);
    fflush(stderr);
    char line[64];
    size_t n = 0;
    char c = 0;
    while (read(in->in_fd, &c, 1) == 1 && c != '\n')
        if (n < sizeof line - 1)
            line[n++] = c;
    struct fb_str answer = fb_str_trim(fb_str_n(line, n));
    if (!fb_str_eq_nocase(answer, FB_STR("y")) && !fb_str_eq_nocase(answer, FB_STR("yes")))
        return fb_err_set(err, FB_E_AUTHORITY_DECLINED, "no Authority was started, as you answered");
    int r = run_persist_authority(in->config_path, err);
    if (r < 0)
        return r;
    ret->kind = RUN_AUTHORITY_LOCAL;
    return 0;
}

int run_authsel(const struct run_authsel_input *in, struct run_authority *ret, struct fb_err *err)
{
    memset(ret, 0, sizeof *ret);
    if (in->flag != NULL && strcmp(in->flag, "local") == 0) {
        ret->kind = RUN_AUTHORITY_LOCAL;
        return 0;
    }
    if (in->flag != NULL) {
        pinned_key(in, ret);
        return choose_remote(in->flag, ret, err);
    }
    if (in->sidecar_is_external)
        return 0;
    const struct fb_toml *root = in->config == NULL ? NULL : fb_toml_root(in->config);
    if (fb_toml_get(root, "authority") != NULL)
        return choose_persisted(in, ret, err);
    char url[RUN_AUTHORITY_URL_BYTES];
    text_of(in->config, "sidecar.authority.url", url, sizeof url);
    if (url[0] != '\0') {
        pinned_key(in, ret);
        return choose_remote(url, ret, err);
    }
    if (in->no_autostart)
        return fb_err_set(err, FB_E_MISSING_AUTHORITY, "no Authority is configured, and none may be started");
    return ask(in, ret, err);
}
