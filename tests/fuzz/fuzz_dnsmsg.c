/* DNS: no message crashes, every reply fits and is itself never answered. */
#include "fuzz.h"

#include "net/dnsmsg.h"

static void reply(const struct fn_dnsmsg_query *q, enum fn_dnsmsg_rcode rcode)
{
    static const uint8_t addr[4] = { 127, 0, 0, 1 };
    uint8_t *out = malloc(FN_DNSMSG_REPLY_MAX_BYTES);
    if (out == NULL)
        abort();
    size_t n = fn_dnsmsg_reply(q, rcode, addr, out);
    FUZZ_CHECK(n >= 12 && n <= FN_DNSMSG_REPLY_MAX_BYTES);
    struct fn_dnsmsg_query again;
    FUZZ_CHECK(fn_dnsmsg_parse(out, n, &again) == FN_DNSMSG_SILENT);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fn_dnsmsg_query q;
    int rc = fn_dnsmsg_parse(data, size, &q);
    FUZZ_CHECK(rc >= 0 && rc <= FN_DNSMSG_SILENT);
    if (rc == FN_DNSMSG_FAULT) {
        FUZZ_CHECK(q.fault != FN_DNSMSG_NOERROR);
        reply(&q, q.fault);
    } else if (rc == 0) {
        FUZZ_CHECK(q.question != NULL && q.question_n >= 5 && q.name_n < FN_DNSMSG_NAME_BYTES);
        reply(&q, FN_DNSMSG_NOERROR);
        reply(&q, FN_DNSMSG_NXDOMAIN);
    }
    const uint8_t *msg;
    size_t n;
    size_t used;
    if (fn_dnsmsg_tcp_take(data, size, &msg, &n, &used) == 0)
        FUZZ_CHECK(used == n + 2 && used <= size && msg == data + 2);
    return 0;
}
