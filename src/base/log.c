/* Log lines: built on the stack, written with one call. */
#include "base/log.h"

#include "base/clock.h"
#include "base/escape.h"

#include <stdatomic.h>
#include <unistd.h>

enum { LINE_BYTES = 8192, FRACTION_DIGITS = 6 };

static _Atomic int current_level = FB_LOG_INFO;
static _Atomic int current_fd = STDERR_FILENO;

static const char *const level_names[] = { "off", "error", "warn", "info", "debug", "trace" };
static const char *const level_labels[] = { "OFF", "ERROR", " WARN", " INFO", "DEBUG", "TRACE" };

bool fb_log_enabled(enum fb_log_level level)
{
    return level != FB_LOG_OFF && (int)level <= atomic_load_explicit(&current_level, memory_order_relaxed);
}

/* A line that is cut at its end when it grows too long; one byte stays free for the line feed. */
struct line {
    char text[LINE_BYTES];
    size_t n;
};

static void add(struct line *l, struct fb_str s)
{
    size_t room = sizeof l->text - 1 - l->n;
    if (s.n > room)
        s.n = room;
    memcpy(l->text + l->n, s.p, s.n);
    l->n += s.n;
}

static void add_escaped(struct line *l, struct fb_str s)
{
    l->n += fb_escape_term(l->text + l->n, sizeof l->text - 1 - l->n, s.p, s.n);
}

static void add_quoted(struct line *l, struct fb_str s)
{
    add(l, FB_STR("\""));
    struct fb_str part;
    bool more = false;
    while (fb_str_split(&s, '"', &part)) {
        if (more)
            add(l, FB_STR("\\\""));
        add_escaped(l, part);
        more = true;
    }
    add(l, FB_STR("\""));
}

static void add_field(struct line *l, const struct fb_kv *kv)
{
    char number[32];
    add(l, FB_STR(" "));
    add(l, fb_str_of(kv->key));
    add(l, FB_STR("="));
    if (kv->kind == FB_KV_STR) {
        add_quoted(l, kv->s);
        return;
    }
    int n = kv->kind == FB_KV_I64 ? snprintf(number, sizeof number, "%lld", (long long)kv->i)
                                  : snprintf(number, sizeof number, "%llu", (unsigned long long)kv->u);
    add(l, fb_str_n(number, (size_t)n));
}

void fb_log_write(enum fb_log_level level, const char *message, const struct fb_kv *kv)
{
    struct line l;
    l.n = 0;
    char when[FB_CLOCK_TEXT_BYTES];
    fb_clock_format(when, fb_clock_wall_ns(), FRACTION_DIGITS, true);
    add(&l, fb_str_of(when));
    add(&l, FB_STR(" "));
    add(&l, fb_str_of(level_labels[level]));
    add(&l, FB_STR(" "));
    add_escaped(&l, fb_str_of(message));
    for (; kv->kind != FB_KV_END; kv++)
        add_field(&l, kv);
    l.text[l.n++] = '\n';
    /* Nobody is left to tell when the log itself cannot be written. */
    if (write(atomic_load_explicit(&current_fd, memory_order_relaxed), l.text, l.n) < 0)
        return;
}

void fb_log_err(enum fb_log_level level, const char *message, const struct fb_err *err)
{
    FB_LOG(level, message, FB_KZ("error", fb_err_name(err->code)), FB_KZ("text", err->msg));
}

static int level_of(struct fb_str name)
{
    for (size_t i = 0; i < FB_COUNT(level_names); i++)
        if (fb_str_eq_nocase(name, fb_str_of(level_names[i])))
            return (int)i;
    return -1;
}

static bool is_target(struct fb_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':' ||
              c == '.' || c == '-'))
            return false;
    }
    return s.n > 0;
}

int fb_log_set_filter(const char *directive, struct fb_err *err)
{
    struct fb_str rest = fb_str_of(directive);
    struct fb_str item;
    int level = -1;
    while (fb_str_split(&rest, ',', &item)) {
        item = fb_str_trim(item);
        size_t at = fb_str_index(item, '=');
        struct fb_str name = at == item.n ? item : fb_str_n(item.p + at + 1, item.n - at - 1);
        int value = level_of(name);
        if (value < 0 || (at < item.n && !is_target(fb_str_n(item.p, at))))
            return fb_err_set(err, FB_E_USAGE,
                              "'%.*s' is no log level; use off, error, warn, info, debug, trace, or TARGET=LEVEL",
                              FB_STR_ARG(item));
        if (value > level)
            level = value;
    }
    if (level < 0)
        return fb_err_set(err, FB_E_USAGE, "the log level is empty");
    atomic_store(&current_level, level);
    return 0;
}

void fb_log_set_level(enum fb_log_level level)
{
    atomic_store(&current_level, (int)level);
}

void fb_log_set_fd(int fd)
{
    atomic_store(&current_fd, fd);
}
