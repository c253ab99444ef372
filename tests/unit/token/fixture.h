/* The published example capability (test keys, never for use) that several token tests share. */
#ifndef TEST_TOKEN_FIXTURE_H
#define TEST_TOKEN_FIXTURE_H

#include "token/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND_NS INT64_C(1000000000)
#define ISSUED_NS (INT64_C(1779091200) * SECOND_NS) /* 2026-05-18T08:00:00Z */
#define EXPIRY_NS (INT64_C(1779094800) * SECOND_NS) /* 2026-05-18T09:00:00Z */

#define EXAMPLE_TOKEN                                                                                                  \
    "v4.public.eyJpYXQiOiIyMDI2LTA1LTE4VDA4OjAwOjAwKzAwOjAwIiwibmJmIjoiMjAyNi0wNS0xOFQwODowMDowMFoiLCJleHAiOiIyMDI2"   \
    "LTA1LTE4VDA5OjAwOjAwKzAwOjAwIiwidG9rZW5faWQiOiI3OWRkOWZmYi1lYmM4LTQ4ODMtOGYxZS03MmViNzRhMjZlMzMiLCJhZ2VudF9pZCI6" \
    "ImFnZW50XzEiLCJzZXNzaW9uX2lkIjoic2Vzc18xIiwiYWN0aW9uX3NldCI6WyJjb21tdW5pY2F0aW9uLmV4dGVybmFsLnNlbmQiXSwicmVzb3Vy" \
    "Y2Vfc2NvcGUiOiIxMjcuMC4wLjE6OTEwMCIsImNvbnRleHRfaGFzaCI6IjhkNzBhYzQ5NzkzYmJmMDc5Y2M0NjllMmMwM2VmOWNlMDlkOTBhMzE0" \
    "ZDRhZjM5ODU3NjY1YTU2OTZkZmY4YjcifZ0TP1fzhYo-aZMmUbPi16u54N4nxeT8GI4ps3SKt66CFz-gShL6Ou3dQBSaz-z2D-6YEpI2omqnKeEQ" \
    "2empIQo"

#define EXAMPLE_SEED_REST                                   \
    "token_id = \"79dd9ffb-ebc8-4883-8f1e-72eb74a26e33\"\n" \
    "agent_id = \"agent_1\"\n"                              \
    "session_id = \"sess_1\"\n"                             \
    "action_set = [\n"                                      \
    "    \"communication.external.send\",\n"                \
    "]\n"                                                   \
    "resource_scope = \"127.0.0.1:9100\"\n"                 \
    "issued_at = \"2026-05-18T08:00:00+00:00\"\n"           \
    "expiry = \"2026-05-18T09:00:00+00:00\"\n"              \
    "context_hash = \"8d70ac49793bbf079cc469e2c03ef9ce09d90a314d4af39857665a5696dff8b7\"\n"
#define EXAMPLE_SEED "raw_token = \"" EXAMPLE_TOKEN "\"\n" EXAMPLE_SEED_REST

static inline void example_keys(struct tk_secret_key *secret, struct tk_public_key *public_key)
{
    uint8_t seed[32];
    for (unsigned i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)i;
    assert_int_equal(tk_keyfile_from_seed(seed, secret, public_key), 0);
}

/* Borrowed claims of the example; the action array is static. */
static inline struct tk_claims example_claims(void)
{
    static struct fb_str actions[1];
    actions[0] = FB_STR("communication.external.send");
    return (struct tk_claims){
        .token_id = FB_STR("79dd9ffb-ebc8-4883-8f1e-72eb74a26e33"),
        .agent_id = FB_STR("agent_1"),
        .session_id = FB_STR("sess_1"),
        .action_set = actions,
        .n_actions = 1,
        .resource_scope = FB_STR("127.0.0.1:9100"),
        .context_hash = FB_STR("8d70ac49793bbf079cc469e2c03ef9ce09d90a314d4af39857665a5696dff8b7"),
        .issued_at_ns = ISSUED_NS,
        .expiry_ns = EXPIRY_NS,
    };
}

/* A fresh directory of ours; the caller removes what it put there. */
static inline char *fresh_dir(void)
{
    char *path = strdup("/tmp/firma-test-XXXXXX");
    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    return path;
}

#endif
