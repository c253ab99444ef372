/* A static Sidecar on the command line, for tests that speak to it from outside and for the benchmark.
 * sidecar_driver --rules FILE --policies FILE --audit FILE [--listen A] [--unix P] [--host name=addr]... [--unprotected]
 *                [--scope S] [--ttl S] [--servers CSV] [--limit name=value]...
 * Says `ready ADDR` on stdout. */
#include "serve.h"

#include "base/fs.h"
#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>

static char *slurp(const char *path)
{
    struct fb_buf b;
    struct fb_err err = { 0 };
    fb_buf_init(&b, 8 << 20);
    if (fb_fs_read(path, FB_FS_ANY, &b, &err) < 0) {
        fb_err_print(stderr, &err);
        exit(2);
    }
    return b.p;
}

static unsigned number(const char *text)
{
    uint64_t v = 0;
    if (fb_num_u64(fb_str_of(text), 0, UINT32_MAX, &v) < 0)
        exit(2);
    return (unsigned)v;
}

static void say(void *arg, const char *addr)
{
    (void)arg;
    printf("ready %s\n", addr);
    fflush(stdout);
}

static int set_limit(struct sc_limits *l, char *text)
{
    char *eq = strchr(text, '=');
    uint64_t v = 0;
    if (eq == NULL || fb_num_u64(fb_str_of(eq + 1), 0, UINT32_MAX, &v) < 0)
        return -1;
    *eq = '\0';
    if (strcmp(text, "head_ms") == 0)
        l->head_ms = v;
    else if (strcmp(text, "idle_ms") == 0)
        l->idle_ms = v;
    else if (strcmp(text, "body_gap_ms") == 0)
        l->body_gap_ms = v;
    else if (strcmp(text, "dispatch_ms") == 0)
        l->dispatch_ms = v;
    else if (strcmp(text, "tunnel_setup_ms") == 0)
        l->tunnel_setup_ms = v;
    else if (strcmp(text, "tunnel_life_ms") == 0)
        l->tunnel_life_ms = v;
    else if (strcmp(text, "drain_ms") == 0)
        l->drain_ms = v;
    else if (strcmp(text, "clients") == 0)
        l->clients = (unsigned)v;
    else if (strcmp(text, "body_bytes") == 0)
        l->body_bytes = v;
    else if (strcmp(text, "bodies_bytes") == 0)
        l->bodies_bytes = v;
    else
        return -1;
    return 0;
}

int main(int argc, char **argv)
{
    static struct serve_options o; /* static: what it points to is in use until the very end */
    sc_limits_default(&o.limits);
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        char *v = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(a, "--unprotected") == 0) {
            o.unprotected = true;
            continue;
        }
        if (v == NULL)
            return 2;
        i++;
        if (strcmp(a, "--rules") == 0)
            o.rules = slurp(v);
        else if (strcmp(a, "--policies") == 0)
            o.policies = slurp(v);
        else if (strcmp(a, "--schema") == 0)
            o.schema = slurp(v);
        else if (strcmp(a, "--audit") == 0)
            o.audit_path = v;
        else if (strcmp(a, "--listen") == 0)
            o.listen = v;
        else if (strcmp(a, "--unix") == 0)
            o.unix_path = v;
        else if (strcmp(a, "--scope") == 0)
            o.token_scope = v;
        else if (strcmp(a, "--servers") == 0)
            o.resolver_servers = v;
        else if (strcmp(a, "--ttl") == 0)
            o.bundle_ttl_s = number(v);
        else if (strcmp(a, "--host") == 0 && o.n_hosts < SERVE_HOSTS_MAX && strchr(v, '=') != NULL) {
            char *eq = strchr(v, '=');
            *eq = '\0';
            o.hosts[o.n_hosts++] = (struct sc_host_row){ v, eq + 1 };
        } else if (strcmp(a, "--limit") != 0 || set_limit(&o.limits, v) < 0)
            return 2;
    }
    return serve_run(&o, say, NULL);
}
