/* Hardening. */
#include "sidecar/process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void sc_process_harden(void)
{
    const struct rlimit none = { 0, 0 };
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)signal(SIGPIPE, SIG_IGN);
}
