/* Whose listening socket is that? Layer: run (L3). Thread: any. */
#ifndef RUN_LISTENER_OWNER_H
#define RUN_LISTENER_OWNER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Looks the TCP listener at @addr (AF_INET or AF_INET6) up in /proc/net. True and *@ret_uid when there is one; wildcard
 * binds count for every address of their family. */
bool run_listener_owner(const struct sockaddr *addr, uid_t *ret_uid);

#endif
