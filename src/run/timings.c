/* Marks on the monotonic clock. */
#include "run/timings.h"

#include "base/clock.h"

#include <stdio.h>

void run_timings_init(struct run_timings *t, bool on)
{
    *t = (struct run_timings){ .on = on, .start_ns = fb_clock_mono_ns() };
}

void run_timings_mark(struct run_timings *t, const char *what)
{
    if (!t->on || t->count == RUN_TIMINGS_MAX)
        return;
    t->marks[t->count].what = what;
    t->marks[t->count++].at_ns = fb_clock_mono_ns();
}

void run_timings_print(const struct run_timings *t)
{
    int64_t before = t->start_ns;
    for (int i = 0; i < t->count; i++) {
        fprintf(stderr, "timing: %8.3f ms  +%7.3f  %s\n", (double)(t->marks[i].at_ns - t->start_ns) / 1e6,
                (double)(t->marks[i].at_ns - before) / 1e6, t->marks[i].what);
        before = t->marks[i].at_ns;
    }
}
