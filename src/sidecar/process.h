/* What a process that holds tokens and an audit key does first. Source: [the Firma specification, sidecar 13.1]. Layer:
 * sidecar (L3). Thread: start-up. */
#ifndef SIDECAR_PROCESS_H
#define SIDECAR_PROCESS_H

/* No core dumps, not traceable by others of our uid, no death by a closed pipe. */
void sc_process_harden(void);

#endif
