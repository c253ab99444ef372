/* PROXY v2: an answer once given does not change when more bytes come, and an accepted header means the same written
 * anew. */
#include "fuzz.h"

#include "net/proxyv2.h"

static void written_again(const struct fn_proxyv2 *ids)
{
    struct fb_buf out;
    struct fn_proxyv2 again;
    fb_buf_init(&out, FN_PROXYV2_MAX_BYTES);
    FUZZ_CHECK(fn_proxyv2_write(&out, ids) == 0);
    FUZZ_CHECK(fn_proxyv2_parse((const uint8_t *)out.p, out.n, &again, NULL) == 0);
    FUZZ_CHECK(again.bytes == out.n && again.bytes == ids->bytes && fb_str_eq(again.sandbox, ids->sandbox));
    FUZZ_CHECK(fb_str_eq(again.session, ids->session) && fb_str_eq(again.agent, ids->agent));
    fb_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fn_proxyv2 ids;
    int rc = fn_proxyv2_parse(data, size, &ids, NULL);
    if (rc == 0)
        written_again(&ids);
    for (size_t n = 0; n < size && n < 1100; n++) {
        struct fn_proxyv2 part;
        char *copy = fuzz_copy(data, n);
        int early = fn_proxyv2_parse((const uint8_t *)copy, n, &part, NULL);
        FUZZ_CHECK(early == FN_PROXYV2_MORE || early == rc);
        free(copy);
    }
    return 0;
}
