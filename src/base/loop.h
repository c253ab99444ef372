/* The event loop of a process: libuv behind a few calls. Layer: base (L0). Thread: the loop's own, but fb_loop_wake.
 * Watchers live in the caller's storage and must be closed before it is freed; closing is immediate for the caller (no callback
 * comes after it), the loop keeps what libuv still needs. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/err.h"

#include <stdint.h>

struct fb_loop;  /* one a process */
struct fb_watch; /* a descriptor */
struct fb_timer;
struct fb_wake;

enum { FB_READABLE = 1, FB_WRITABLE = 2 };

int fb_loop_new(struct fb_loop **ret, struct fb_err *err) FB_MUST_USE;
void fb_loop_free(struct fb_loop *loop); /* runs outstanding closes; takes NULL */
/* Runs until fb_loop_stop or until nothing is watched. */
void fb_loop_run(struct fb_loop *loop);
void fb_loop_stop(struct fb_loop *loop);
/* Monotonic, cached once an iteration. */
uint64_t fb_loop_now_ms(const struct fb_loop *loop);

/* Watches @fd (borrowed, non-blocking). @events of 0 pauses. The callback gets the events that are ready; an error shows as
 * both. A regular file is refused (FB_E_IO). */
typedef void fb_watch_fn(void *arg, int ready);
int fb_watch_new(struct fb_loop *loop, int fd, fb_watch_fn *fn, void *arg, struct fb_watch **ret, struct fb_err *err) FB_MUST_USE;
int fb_watch_set(struct fb_watch *w, int events);
/* Must be called before the descriptor is closed. Takes NULL. */
void fb_watch_free(struct fb_watch *w);

/* One shot after @ms (0 = next iteration), or every @repeat_ms when not 0. */
typedef void fb_timer_fn(void *arg);
int fb_timer_new(struct fb_loop *loop, fb_timer_fn *fn, void *arg, struct fb_timer **ret, struct fb_err *err) FB_MUST_USE;
void fb_timer_start(struct fb_timer *t, uint64_t ms, uint64_t repeat_ms);
void fb_timer_stop(struct fb_timer *t);
void fb_timer_free(struct fb_timer *t);

/* Signals arrive as callbacks, one handler a signal. They alone do not keep fb_loop_run going. */
typedef void fb_signal_fn(void *arg, int sig);
int fb_loop_on_signal(struct fb_loop *loop, int sig, fb_signal_fn *fn, void *arg, struct fb_err *err);

/* Calls @fn on the loop's thread after any thread has called fb_wake_send; several sends may become one call. */
int fb_wake_new(struct fb_loop *loop, fb_timer_fn *fn, void *arg, struct fb_wake **ret, struct fb_err *err) FB_MUST_USE;
void fb_wake_send(struct fb_wake *w);
void fb_wake_free(struct fb_wake *w);

#endif
