/* Log lines on stderr or in a file: `2026-05-18T08:00:00.123456Z  INFO message key="text" key=7`.
 * Text values are always quoted and escaped, numbers bare. Only L3 and L4 log above debug. No colour unless a terminal.
 * Layer: base (L0). Thread: any (one write(2) a line). Source: [the Firma specification, sidecar 18-19]. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum fb_log_level { FB_LOG_OFF, FB_LOG_ERROR, FB_LOG_WARN, FB_LOG_INFO, FB_LOG_DEBUG, FB_LOG_TRACE };

enum fb_kv_kind { FB_KV_END, FB_KV_STR, FB_KV_I64, FB_KV_U64 };
struct fb_kv {
    enum fb_kv_kind kind;
    const char *key;
    struct fb_str s;
    int64_t i;
    uint64_t u;
};
#define FB_KS(key, strview) { FB_KV_STR, (key), (strview), 0, 0 }
#define FB_KZ(key, cstring) { FB_KV_STR, (key), fb_str_of(cstring), 0, 0 }
#define FB_KI(key, value) { FB_KV_I64, (key), { NULL, 0 }, (int64_t)(value), 0 }
#define FB_KU(key, value) { FB_KV_U64, (key), { NULL, 0 }, 0, (uint64_t)(value) }

#define FB_KV_LAST { FB_KV_END, NULL, { NULL, 0 }, 0, 0 }
/* FB_LOG(FB_LOG_INFO, "interceptor listening", FB_KZ("addr", addr)); */
#define FB_LOG(level, ...) FB_LOG_TERMINATED(level, __VA_ARGS__, FB_KV_LAST)
#define FB_LOG_TERMINATED(level, message, ...)                                                                          \
    do {                                                                                                                \
        if (fb_log_enabled(level))                                                                                      \
            fb_log_write((level), (message), (const struct fb_kv[]){ __VA_ARGS__ });                                    \
    } while (0)

bool fb_log_enabled(enum fb_log_level level);
void fb_log_write(enum fb_log_level level, const char *message, const struct fb_kv *kv);
/* error: name and text of @err as fields. */
void fb_log_err(enum fb_log_level level, const char *message, const struct fb_err *err);

/* "debug", "off", or a list such as "firma_sidecar=debug,warn": the bare word is the level, the most talkative named
 * target counts as well. FB_E_USAGE on anything else. */
int fb_log_set_filter(const char *directive, struct fb_err *err);
void fb_log_set_level(enum fb_log_level level);
/* Lines go to @fd (borrowed) from now on; the default is 2. */
void fb_log_set_fd(int fd);

#endif
