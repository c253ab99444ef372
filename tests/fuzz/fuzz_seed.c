/* Seed files of any kind, and scopes: the first line of the input as scope, the rest as resource. */
#include "token/scope.h"
#include "token/seed.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tk_public_key key = { { 0x03, 0xa1, 0x07, 0xbf, 0xf3, 0xce, 0x10, 0xbe, 0x1d, 0x70, 0xdd,
                                          0x18, 0xe7, 0x4b, 0xc0, 0x99, 0x67, 0xe4, 0xd6, 0x30, 0x9b, 0xa5,
                                          0x0d, 0x5f, 0x1d, 0xdc, 0x86, 0x64, 0x12, 0x55, 0x31, 0xb8 } };
    struct tk_seed seed;
    enum tk_fault fault = TK_FAULT_NONE;
    struct fb_err err;
    struct fb_str text = fb_str_n((const char *)data, size);
    int rc = tk_seed_parse(text, "seed", &key, 0, 0, &seed, &fault, &err);
    if ((rc == 0) != (fault == TK_FAULT_NONE))
        abort();
    tk_seed_done(&seed);
    struct fb_str rest = text;
    struct fb_str scope = fb_str_n("", 0);
    if (size > 0 && fb_str_split(&rest, '\n', &scope) && tk_scope_match(scope, rest) &&
        tk_scope_check(scope, NULL) != 0 && scope.n <= 2048)
        for (size_t i = 0; i < scope.n; i++) /* what load refuses may match only for bytes no resource has */
            if (scope.p[i] == '*' && i + 1 < scope.n)
                abort();
    return 0;
}
