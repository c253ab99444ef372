/* Runs the official PASETO v4 vectors that concern v4.public: the 4-S ones in both directions, and every 4-F one, which
 * must be refused whatever key it is tried with. Prints `N passed, N failed`; 77 when the corpus is not there. */
#include <paseto/paseto.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX_BYTES = 16 << 10, SKIPPED = 77 };

static struct paseto_bytes bytes_of(const json_t *test, const char *key)
{
    const json_t *v = json_object_get(test, key);
    return (struct paseto_bytes){ json_string_value(v), json_string_length(v) };
}

static int unhex(const json_t *test, const char *key, uint8_t *out, size_t n)
{
    const char *text = json_string_value(json_object_get(test, key));
    if (text == NULL || strlen(text) != 2 * n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1)
            return -1;
        out[i] = (uint8_t)byte;
    }
    return 0;
}

static const char *run_success(const json_t *test)
{
    uint8_t secret[PASETO_SECRET_BYTES];
    uint8_t public_key[PASETO_PUBLIC_BYTES];
    static char token[TEXT_MAX_BYTES];
    static uint8_t payload[TEXT_MAX_BYTES];
    size_t n;
    if (unhex(test, "secret-key", secret, sizeof secret) != 0 ||
        unhex(test, "public-key", public_key, sizeof public_key) != 0)
        return "no keys";
    struct paseto_bytes want = bytes_of(test, "token");
    struct paseto_bytes text = bytes_of(test, "payload");
    struct paseto_bytes footer = bytes_of(test, "footer");
    struct paseto_bytes implicit = bytes_of(test, "implicit-assertion");
    if (paseto_v4_public_verify(public_key, want.p, want.n, footer, implicit, payload, sizeof payload, &n) != PASETO_OK)
        return "refused";
    if (n != text.n || memcmp(payload, text.p, n) != 0)
        return "another payload";
    if (paseto_v4_public_sign(secret, text, footer, implicit, token, sizeof token, &n) != PASETO_OK)
        return "not signed";
    return n == want.n && memcmp(token, want.p, n) == 0 ? NULL : "signed to another text";
}

static const char *run_failure(const json_t *test, const uint8_t fallback[PASETO_PUBLIC_BYTES])
{
    uint8_t public_key[PASETO_PUBLIC_BYTES];
    static uint8_t payload[TEXT_MAX_BYTES];
    size_t n;
    if (unhex(test, "public-key", public_key, sizeof public_key) != 0)
        memcpy(public_key, fallback, sizeof public_key);
    struct paseto_bytes token = bytes_of(test, "token");
    struct paseto_bytes implicit = bytes_of(test, "implicit-assertion");
    struct paseto_bytes footers[2] = { bytes_of(test, "footer"), { NULL, 0 } };
    for (int i = 0; i < 2; i++)
        if (paseto_v4_public_verify(public_key, token.p, token.n, footers[i], implicit, payload, sizeof payload, &n) ==
            PASETO_OK)
            return "accepted";
    return NULL;
}

static json_t *load(void)
{
    const char *folders[] = { getenv("FIRMA_CORPORA"), "../shared/corpora", "../../shared/corpora" };
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[4096];
        json_error_t why;
        if (folders[i] == NULL || snprintf(path, sizeof path, "%s/paseto/v4.json", folders[i]) >= (int)sizeof path)
            continue;
        json_t *doc = access(path, R_OK) == 0 ? json_load_file(path, 0, &why) : NULL;
        if (doc != NULL)
            return doc;
    }
    return NULL;
}

int main(void)
{
    const char *src = getenv("FIRMA_SRC");
    if (src != NULL && chdir(src) != 0)
        return 1;
    json_t *doc = load();
    if (doc == NULL) {
        printf("skipped: paseto/v4.json is neither in $FIRMA_CORPORA nor in ../shared/corpora\n");
        return SKIPPED;
    }
    const json_t *test;
    size_t i;
    unsigned passed = 0;
    unsigned failed = 0;
    uint8_t any_key[PASETO_PUBLIC_BYTES] = { 0 };
    json_array_foreach(json_object_get(doc, "tests"), i, test)
    {
        const char *name = json_string_value(json_object_get(test, "name"));
        const char *why;
        if (name == NULL)
            continue;
        if (strncmp(name, "4-S-", 4) == 0) {
            (void)unhex(test, "public-key", any_key, sizeof any_key);
            why = run_success(test);
        } else if (strncmp(name, "4-F-", 4) == 0) {
            why = run_failure(test, any_key);
        } else {
            continue; /* v4.local: not part of this library */
        }
        if (why == NULL) {
            passed++;
        } else {
            failed++;
            printf("%s: %s\n", name, why);
        }
    }
    json_decref(doc);
    printf("%u passed, %u failed\n", passed, failed);
    return passed > 0 && failed == 0 ? 0 : 1;
}
