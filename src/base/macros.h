/* Attributes and tiny macros that every folder uses. Layer: base. No functions. */
#ifndef BASE_MACROS_H
#define BASE_MACROS_H

#include <stddef.h>

#define FB_MUST_USE __attribute__((warn_unused_result))
#define FB_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#define FB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define FB_UNUSED __attribute__((unused))
#define FB_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Runs @fn(&variable) when the variable leaves scope, on every path. */
#define fb_auto(fn) __attribute__((cleanup(fn)))

#endif
