/* The kernel's own table of sockets tells who listens. */
#include "run/listener_owner.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { LISTEN_STATE = 0x0A };

/* The kernel prints each 32-bit word of the address as a number of its own byte order. */
static void address_text(const struct sockaddr *addr, char out[40], unsigned *ret_port)
{
    if (addr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;
        snprintf(out, 40, "%08" PRIX32, (uint32_t)in->sin_addr.s_addr);
        *ret_port = ntohs(in->sin_port);
        return;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)addr;
    uint32_t words[4];
    memcpy(words, &in6->sin6_addr, sizeof words);
    snprintf(out, 40, "%08" PRIX32 "%08" PRIX32 "%08" PRIX32 "%08" PRIX32, words[0], words[1], words[2], words[3]);
    *ret_port = ntohs(in6->sin6_port);
}

static bool is_any(const char *hex)
{
    return strspn(hex, "0") == strlen(hex);
}

bool run_listener_owner(const struct sockaddr *addr, uid_t *ret_uid)
{
    char wanted[40];
    unsigned port;
    address_text(addr, wanted, &port);
    FILE *f = fopen(addr->sa_family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6", "re");
    if (f == NULL)
        return false;
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof line, f) != NULL) {
        char local[40];
        unsigned local_port;
        unsigned state;
        unsigned uid;
        if (sscanf(line, " %*u: %39[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %u", local, &local_port, &state,
                   &uid) != 4)
            continue;
        if (state == LISTEN_STATE && local_port == port && (strcmp(local, wanted) == 0 || is_any(local))) {
            *ret_uid = uid;
            found = true;
        }
    }
    fclose(f);
    return found;
}
