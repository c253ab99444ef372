/* ClientHello: an answer once given does not change when more bytes come, and a name is canonical. */
#include "fuzz.h"

#include "net/sni.h"

static int parse(const uint8_t *p, size_t n, struct fn_sni *s)
{
    char *copy = fuzz_copy(p, n);
    int rc = fn_sni_parse((const uint8_t *)copy, n, s, NULL);
    free(copy);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fn_sni whole;
    int rc = parse(data, size, &whole);
    if (rc == FN_SNI_NAME) {
        struct fn_host again;
        FUZZ_CHECK(whole.host.kind == FN_HOST_NAME && whole.hello_bytes <= size);
        FUZZ_CHECK(fn_url_host(fn_host_str(&whole.host), &again, NULL) == 0);
        FUZZ_CHECK(fn_url_host_eq(&again, &whole.host));
    }
    size_t step = size / 32 + 1;
    for (size_t n = 0; n < size; n += step) {
        struct fn_sni part;
        int early = parse(data, n, &part);
        FUZZ_CHECK(early == FN_SNI_MORE || early == rc);
        FUZZ_CHECK(early != FN_SNI_NAME || part.hello_bytes == whole.hello_bytes);
    }
    return 0;
}
