/* Which host names the rules speak of: what the DNS stub of a sandbox may answer for. */
#include "enforce/glob.h"
#include "enforce/mapping_priv.h"

#define ROUTE_STEPS UINT64_C(2000000)

/* Where the port begins: the last colon that is not inside brackets. */
static struct fb_str without_port(struct fb_str host)
{
    for (size_t i = host.n; i > 0; i--) {
        if (host.p[i - 1] == ']')
            break;
        if (host.p[i - 1] == ':')
            return fb_str_n(host.p, i - 1);
    }
    return host;
}

static bool is_ipv4_like(struct fb_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '.' && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
    }
    return true;
}

/* The pattern's name part; empty when it names nothing in particular. */
static struct fb_str routed_name(const struct host_group *g)
{
    struct fb_str host = without_port(g->host);
    bool stars_only = true;
    for (size_t i = 0; i < host.n; i++)
        stars_only &= host.p[i] == '*';
    if (stars_only || host.p[0] == '[' || is_ipv4_like(host))
        return FB_STR("");
    return host;
}

bool fe_mapping_routes_host(const struct fe_mapping *m, struct fb_str name)
{
    uint64_t steps = ROUTE_STEPS;
    for (size_t i = 0; i < m->n_groups; i++) {
        struct fb_str host = routed_name(m->groups[i]);
        if (host.n == 0)
            continue;
        if (m->groups[i]->segment ? fe_glob_segment(host, name, ".", &steps) == FE_GLOB_YES : fe_glob_loose(host, name))
            return true;
    }
    return false;
}

void fe_mapping_routes(const struct fe_mapping *m, bool (*fn)(void *arg, struct fb_str host_pattern), void *arg)
{
    for (size_t i = 0; i < m->n_groups; i++) {
        struct fb_str host = routed_name(m->groups[i]);
        char strict[2 * FE_MAPPING_PATTERN_MAX_BYTES];
        size_t n = 0;
        for (size_t j = 0; j < host.n; j++) {
            strict[n++] = host.p[j];
            if (host.p[j] == '*' && !m->groups[i]->segment)
                strict[n++] = '*';
        }
        if (n > 0 && !fn(arg, fb_str_n(strict, n)))
            return;
    }
}
