/* Log lines and heads of any kind. */
#include "audit/head.h"
#include "audit/verify.h"

#include <stdint.h>
#include <stdlib.h>

static const char public_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n"
                                 "Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n"
                                 "-----END PUBLIC KEY-----\n";

static void ignore(void *arg, enum fa_finding what, struct fb_str id, struct fb_str text)
{
    size_t *n = arg;
    *n += (size_t)what + id.n + text.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t seen = 0;
    struct fa_verify *v = NULL;
    if (fa_verify_new(FB_STR(public_pem), ignore, &seen, &v, NULL) < 0)
        abort();
    struct fb_str rest = fb_str_n((const char *)data, size);
    struct fb_str line;
    while (rest.n > 0 && fb_str_split(&rest, '\n', &line))
        fa_verify_line(v, line, rest.p != NULL);
    fa_verify_head(v, fb_str_n((const char *)data, size));
    (void)fa_verify_finish(v);
    fa_verify_free(v);
    return 0;
}
