/* Where the start-up time went, for `--timings` and the benchmark. Layer: run (L3). Thread: one owner. */
#ifndef RUN_TIMINGS_H
#define RUN_TIMINGS_H

#include <stdbool.h>
#include <stdint.h>

enum { RUN_TIMINGS_MAX = 24 };

struct run_timings {
    bool on;
    int64_t start_ns;
    struct {
        const char *what;
        int64_t at_ns;
    } marks[RUN_TIMINGS_MAX];
    int count;
};

void run_timings_init(struct run_timings *t, bool on);
/* Notes that @what (a literal) has just been done. */
void run_timings_mark(struct run_timings *t, const char *what);
/* One line a mark on stderr: milliseconds since the start, and since the mark before. */
void run_timings_print(const struct run_timings *t);

#endif
