/* Hosts, authorities, targets, paths, redaction: canonical forms are fixed points and hold nothing they should not. The
 * first byte chooses what the rest is read as. */
#include "fuzz.h"

#include "base/buf.h"
#include "net/addrclass.h"
#include "net/redact.h"
#include "net/url.h"

#include <ctype.h>

static void host(struct fb_str in)
{
    struct fn_host h;
    struct fn_host again;
    if (fn_url_host(in, &h, NULL) != 0)
        return;
    FUZZ_CHECK(h.kind != FN_HOST_NONE && h.n > 0 && h.n <= FN_HOST_MAX_BYTES && h.text[h.n] == '\0');
    for (size_t i = 0; i < h.n; i++) {
        char c = h.text[i];
        FUZZ_CHECK((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                   (c == ':' && h.kind == FN_HOST_IPV6));
    }
    FUZZ_CHECK(fn_url_host(fn_host_str(&h), &again, NULL) == 0 && fn_url_host_eq(&h, &again));
    FUZZ_CHECK((fn_addrclass_host(&h) == FN_ADDR_UNKNOWN) == (h.kind == FN_HOST_NAME));
}

static void authority(struct fb_str in)
{
    struct fn_authority a;
    struct fn_authority again;
    if (fn_url_authority(in, &a, NULL) != 0)
        return;
    char text[FN_AUTHORITY_TEXT_BYTES];
    size_t n = fn_url_authority_text(&a, 0, text);
    FUZZ_CHECK(n < sizeof text && text[n] == '\0');
    FUZZ_CHECK(fn_url_authority(fb_str_n(text, n), &again, NULL) == 0);
    FUZZ_CHECK(fn_url_authority_eq(&a, &again, 0) && a.port == again.port);
}

static void target(struct fb_str in)
{
    struct fn_target t;
    static const char *const methods[] = { "GET", "CONNECT", "OPTIONS" };
    for (size_t i = 0; i < 3; i++) {
        struct fb_str host_field = fb_str_n(in.p, fb_str_index(in, ' '));
        struct fb_str rest = fb_str_n(in.p + host_field.n, in.n - host_field.n);
        if (fn_url_request(fb_str_of(methods[i]), fb_str_trim(rest), host_field, false, &t, NULL) == 0)
            FUZZ_CHECK(t.authority.host.kind != FN_HOST_NONE && t.authority.port != 0);
        if (fn_url_target(fb_str_of(methods[i]), in, true, &t, NULL) == 0)
            FUZZ_CHECK((t.form == FN_TARGET_AUTHORITY) == (i == 1));
    }
}

/* No escape that would be something else for whoever decodes it: unreserved, a control, or another escape. */
static void escapes(struct fb_str path, bool separators)
{
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] != '%')
            continue;
        FUZZ_CHECK(path.n - i > 2);
        const char *digits = "0123456789ABCDEF";
        const char *high = strchr(digits, path.p[i + 1]);
        const char *low = strchr(digits, path.p[i + 2]);
        FUZZ_CHECK(high != NULL && low != NULL);
        int c = (int)((high - digits) << 4 | (low - digits));
        FUZZ_CHECK(c >= 0x20 && c != 0x7f && (c >= 0x80 || (!isalnum(c) && strchr("-._~", c) == NULL)));
        FUZZ_CHECK(separators || (c != '/' && c != '\\'));
        FUZZ_CHECK(c != '%' || path.n - i < 5 || !isxdigit((unsigned char)path.p[i + 3]) ||
                   !isxdigit((unsigned char)path.p[i + 4]));
        i += 2;
    }
}

static void path(struct fb_str in)
{
    char *out = malloc(in.n + 1);
    char *out2 = malloc(in.n + 1);
    struct fn_path p;
    struct fn_path q;
    if (out == NULL || out2 == NULL)
        abort();
    for (unsigned flags = 0; flags <= FN_PATH_ENCODED_SEPARATORS; flags++) {
        if (fn_url_path(in, flags, out, in.n + 1, &p, NULL) != 0)
            continue;
        FUZZ_CHECK(p.wire.n >= 1 && p.wire.p[0] == '/' && p.match.n <= p.wire.n && p.wire.n - p.match.n <= 1);
        FUZZ_CHECK(!fb_str_contains(p.wire, FB_STR("//")) && !fb_str_contains(p.wire, FB_STR("/../")));
        FUZZ_CHECK(!fb_str_contains(p.wire, FB_STR("/./")) && !fb_str_ends(p.wire, FB_STR("/..")));
        FUZZ_CHECK(fb_str_index(p.wire, '#') == p.wire.n && fb_str_index(p.wire, '?') == p.wire.n);
        escapes(p.wire, p.has_encoded_separator);
        FUZZ_CHECK(fn_url_path(p.wire, flags, out2, p.wire.n, &q, NULL) == 0);
        FUZZ_CHECK(fb_str_eq(p.wire, q.wire) && fb_str_eq(p.match, q.match) && !q.has_query);
    }
    free(out);
    free(out2);
}

static void redact(struct fb_str in)
{
    struct fb_buf once;
    struct fb_buf twice;
    fb_buf_init(&once, 1 << 20);
    fb_buf_init(&twice, 1 << 20);
    FUZZ_CHECK(fn_redact_query(&once, in, NULL) == 0);
    FUZZ_CHECK(fn_redact_query(&twice, fb_buf_str(&once), NULL) == 0);
    FUZZ_CHECK(fb_str_eq(fb_buf_str(&once), fb_buf_str(&twice)));
    fb_buf_reset(&once);
    fb_buf_reset(&twice);
    FUZZ_CHECK(fn_redact_text(&once, in, NULL) == 0);
    FUZZ_CHECK(fn_redact_text(&twice, fb_buf_str(&once), NULL) == 0);
    FUZZ_CHECK(fb_str_eq(fb_buf_str(&once), fb_buf_str(&twice)));
    fb_buf_done(&once);
    fb_buf_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 1 << 16)
        return 0;
    char *copy = fuzz_copy(data + 1, size - 1);
    struct fb_str in = fb_str_n(copy, size - 1);
    switch (data[0] % 5) {
    case 0:
        host(in);
        break;
    case 1:
        authority(in);
        break;
    case 2:
        target(in);
        break;
    case 3:
        path(in);
        break;
    default:
        redact(in);
        break;
    }
    free(copy);
    return 0;
}
