#include "run/etcfiles.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

enum { HOSTNAME_MAX_BYTES = 63 };

static int write_passwd(struct fb_buf *out, const struct run_identity *id, const char *home, const char *hostname)
{
    (void)hostname;
    (void)fb_buf_addz(out, "root:x:0:0:root:/:/bin/sh\n");
    if (id->uid_inside == 0)
        return 0;
    return fb_buf_addf(out, "%s:x:%u:%u::%s:/bin/sh\n", id->name, (unsigned int)id->uid_inside,
                       (unsigned int)id->gid_inside, home);
}

static int write_group(struct fb_buf *out, const struct run_identity *id, const char *home, const char *hostname)
{
    (void)home;
    (void)hostname;
    (void)fb_buf_addz(out, "root:x:0:\n");
    if (id->gid_inside != 0 && id->gid_inside != RUN_IDENTITY_NOBODY_ID)
        (void)fb_buf_addf(out, "%s:x:%u:\n", id->name, (unsigned int)id->gid_inside);
    return fb_buf_addf(out, "nogroup:x:%d:\n", RUN_IDENTITY_NOBODY_ID);
}

static int write_hosts(struct fb_buf *out, const struct run_identity *id, const char *home, const char *hostname)
{
    (void)id;
    (void)home;
    return fb_buf_addf(out, "127.0.0.1\tlocalhost %s\n::1\tlocalhost ip6-localhost\n", hostname);
}

/* The stub on 127.0.0.1:53 answers at once or not at all: no search list, one try. */
static int write_resolv_conf(struct fb_buf *out, const struct run_identity *id, const char *home, const char *hostname)
{
    (void)id;
    (void)home;
    (void)hostname;
    return fb_buf_addz(out, "nameserver 127.0.0.1\noptions ndots:0 timeout:1 attempts:1\n");
}

/* Files first, then the stub: a host's own modules (LDAP, mDNS, systemd) would look for sockets that are not here. */
static int write_nsswitch(struct fb_buf *out, const struct run_identity *id, const char *home, const char *hostname)
{
    (void)id;
    (void)home;
    (void)hostname;
    return fb_buf_addz(out, "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
                            "protocols: files\nservices: files\nethers: files\nrpc: files\nnetgroup: files\n");
}

static int write_hostname(struct fb_buf *out, const struct run_identity *id, const char *home, const char *hostname)
{
    (void)id;
    (void)home;
    return fb_buf_addf(out, "%s\n", hostname);
}

static const struct run_etcfile table[] = {
    { "/etc/passwd", write_passwd },           { "/etc/group", write_group },
    { "/etc/hosts", write_hosts },             { "/etc/resolv.conf", write_resolv_conf },
    { "/etc/nsswitch.conf", write_nsswitch },  { "/etc/hostname", write_hostname },
};

const struct run_etcfile *run_etcfiles_table(size_t *ret_n)
{
    *ret_n = FB_COUNT(table);
    return table;
}

static bool has_dot_part(const char *path)
{
    struct fb_str rest = fb_str_of(path);
    struct fb_str part;

    while (fb_str_split(&rest, '/', &part))
        if (fb_str_eqz(part, ".") || fb_str_eqz(part, ".."))
            return true;
    return false;
}

int run_etcfiles_check(const char *home, const char *hostname, struct fb_err *err)
{
    const size_t n = strlen(hostname);

    if (n == 0 || n > HOSTNAME_MAX_BYTES)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "the sandbox's host name must have 1 to %d characters",
                          HOSTNAME_MAX_BYTES);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)hostname[i]) && hostname[i] != '-')
            return fb_err_set(err, FB_E_CONFIG_VALIDATION, "the sandbox's host name may hold letters, digits and '-' only");
    if (home[0] != '/' || strlen(home) >= PATH_MAX || has_dot_part(home))
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "HOME '%s' is not a plain absolute path", home);
    for (const char *p = home; *p != '\0'; p++)
        if (*p == ':' || (unsigned char)*p < 0x20 || *p == 0x7f)
            return fb_err_set(err, FB_E_CONFIG_VALIDATION, "HOME '%s' holds a character that passwd(5) cannot", home);
    return 0;
}
