/* UUIDs from the kernel's random numbers. */
#include "base/uuid.h"

#include "base/clock.h"
#include "base/enc.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

enum { UUID_BYTES = 16 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t last_ms;
static uint32_t last_count; /* 26 bits: the 12 and the first 14 random bits of the format */

static void random_bytes(void *p, size_t n)
{
    /* Up to 256 bytes come whole once the pool is ready; without randomness no id is safe, so nothing goes on. */
    ssize_t got;
    do
        got = getrandom(p, n, 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)n)
        abort();
}

static void to_text(char out[FB_UUID_TEXT_BYTES], const unsigned char b[UUID_BYTES])
{
    char hex[2 * UUID_BYTES + 1];
    fb_enc_hex(hex, b, UUID_BYTES);
    size_t at = 0;
    for (size_t i = 0; i < 2 * UUID_BYTES; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            out[at++] = '-';
        out[at++] = hex[i];
    }
    out[at] = '\0';
}

/* The time and a counter that never go back, even when the clock does. */
static void next_stamp(uint32_t seed, int64_t *ret_ms, uint32_t *ret_count)
{
    const uint32_t limit = 1U << 26;
    pthread_mutex_lock(&lock);
    int64_t now = fb_clock_wall_ms();
    if (now > last_ms) {
        last_ms = now;
        last_count = seed & (limit / 2 - 1); /* the upper half stays free for counting */
    } else if (++last_count >= limit) {
        last_ms++;
        last_count = 0;
    }
    *ret_ms = last_ms;
    *ret_count = last_count;
    pthread_mutex_unlock(&lock);
}

void fb_uuid_v7(char out[FB_UUID_TEXT_BYTES])
{
    unsigned char b[UUID_BYTES];
    uint32_t seed;
    random_bytes(b, sizeof b);
    memcpy(&seed, b, sizeof seed);
    int64_t ms;
    uint32_t count;
    next_stamp(seed, &ms, &count);
    for (int i = 0; i < 6; i++)
        b[i] = (unsigned char)((uint64_t)ms >> (40 - 8 * i));
    b[6] = (unsigned char)(0x70U | count >> 22);
    b[7] = (unsigned char)(count >> 14);
    b[8] = (unsigned char)(0x80U | (count >> 8 & 0x3FU));
    b[9] = (unsigned char)count;
    to_text(out, b);
}

void fb_uuid_v4(char out[FB_UUID_TEXT_BYTES])
{
    unsigned char b[UUID_BYTES];
    random_bytes(b, sizeof b);
    b[6] = (unsigned char)(0x40U | (b[6] & 0x0FU));
    b[8] = (unsigned char)(0x80U | (b[8] & 0x3FU));
    to_text(out, b);
}
