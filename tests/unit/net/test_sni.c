/* Shows that the server name is found in any cutting of records and reads, and that odd hellos are refused by name. */
#include "net_test.h"

#include "net/sni.h"

struct bytes {
    uint8_t p[40000];
    size_t n;
};

static void put(struct bytes *b, const void *p, size_t n)
{
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static void put_int(struct bytes *b, size_t v, unsigned bytes)
{
    for (unsigned i = bytes; i > 0; i--)
        b->p[b->n++] = (uint8_t)(v >> (8 * (i - 1)));
}

static void put_ext(struct bytes *b, unsigned type, const void *p, size_t n)
{
    put_int(b, type, 2);
    put_int(b, n, 2);
    put(b, p, n);
}

static void put_name_of(struct bytes *exts, unsigned type, const char *name, size_t n)
{
    struct bytes e = { .n = 0 };
    put_int(&e, n + 3, 2);
    put_int(&e, type, 1);
    put_int(&e, n, 2);
    put(&e, name, n);
    put_ext(exts, 0, e.p, e.n);
}

static void put_name(struct bytes *exts, const char *name)
{
    put_name_of(exts, 0, name, strlen(name));
}

/* The handshake message around @exts. */
static void message(struct bytes *out, const struct bytes *exts)
{
    static const uint8_t random[32] = { 7 };
    struct bytes body = { .n = 0 };
    put_int(&body, 0x0303, 2);
    put(&body, random, 32);
    put_int(&body, 32, 1);
    put(&body, random, 32);
    put(&body, "\0\2\x13\1", 4);
    put(&body, "\1\0", 2);
    put_int(&body, exts->n, 2);
    put(&body, exts->p, exts->n);
    out->n = 0;
    put_int(out, 1, 1);
    put_int(out, body.n, 3);
    put(out, body.p, body.n);
}

/* Cuts @msg into records of @each bytes. */
static void records(struct bytes *out, const struct bytes *msg, size_t each)
{
    out->n = 0;
    for (size_t at = 0; at < msg->n; at += each) {
        size_t n = msg->n - at < each ? msg->n - at : each;
        put(out, "\x16\3\1", 3);
        put_int(out, n, 2);
        put(out, msg->p + at, n);
    }
}

static int parse(const struct bytes *wire, size_t n, struct fn_sni *s, struct fb_err *err)
{
    uint8_t *exact = malloc(n == 0 ? 1 : n);
    memcpy(exact, wire->p, n);
    int rc = fn_sni_parse(exact, n, s, err);
    free(exact);
    return rc;
}

static int parse_exts(const struct bytes *exts, struct fn_sni *s)
{
    static struct bytes msg;
    static struct bytes wire;
    struct fb_err err = { 0 };
    message(&msg, exts);
    records(&wire, &msg, 16384);
    return parse(&wire, wire.n, s, &err);
}

static void a_name(void **state)
{
    (void)state;
    static struct bytes exts;
    static struct bytes msg;
    static struct bytes wire;
    exts.n = 0;
    put_ext(&exts, 43, "\2\3\4", 3);
    put_name(&exts, "API.Example.com");
    put_ext(&exts, 16, "\0\x0c\2h2\x08http/1.1", 14);
    message(&msg, &exts);
    for (size_t each = 1; each <= msg.n; each += each < 8 ? 1 : 13) {
        records(&wire, &msg, each);
        struct fn_sni s;
        for (size_t n = 0; n < wire.n; n++)
            assert_int_equal(parse(&wire, n, &s, NULL), FN_SNI_MORE);
        assert_int_equal(parse(&wire, wire.n, &s, NULL), FN_SNI_NAME);
        assert_text(fn_host_str(&s.host), "api.example.com");
        assert_int_equal(s.hello_bytes, wire.n);
        assert_true(s.offers_h1);
        assert_false(s.has_ech);
        /* What comes after is not looked at. */
        put(&wire, "\x14\3\3\0\1\1", 6);
        assert_int_equal(parse(&wire, wire.n, &s, NULL), FN_SNI_NAME);
        assert_int_equal(s.hello_bytes, wire.n - 6);
    }
}

static void not_tls(void **state)
{
    (void)state;
    struct fn_sni s;
    const struct fb_str texts[] = {
        FB_STR("G"),
        FB_STR("GET / HTTP/1.1\r\n"),
        FB_STR("\x16\2"),
        FB_STR("\x16\3\5"),
        FB_STR("\x16\3\1\0\0"),
        FB_STR("\x15\3\1\0\2\2\0"),
        FB_STR("\x17\3\3\0\1a"),
        FB_STR("\x80\x2e\1\0\2"),
        FB_STR("\x16\3\1\x40\1"),
        FB_STR("SSH-2.0-x\r\n"),
        FB_STR("\0"),
        FB_STR("\r\n"),
    };
    for (size_t i = 0; i < FB_COUNT(texts); i++)
        assert_int_equal(fn_sni_parse((const uint8_t *)texts[i].p, texts[i].n, &s, NULL), FN_SNI_NOT_TLS);
    assert_int_equal(fn_sni_parse((const uint8_t *)"", 0, &s, NULL), FN_SNI_MORE);
    assert_int_equal(fn_sni_parse((const uint8_t *)"\x16\3\1", 3, &s, NULL), FN_SNI_MORE);
}

static void no_name(void **state)
{
    (void)state;
    static struct bytes exts;
    struct fn_sni s;
    exts.n = 0;
    assert_int_equal(parse_exts(&exts, &s), FN_SNI_NONE);
    assert_true(s.offers_h1);
    put_ext(&exts, 0xfe0d, "\0\0\1", 3);
    put_ext(&exts, 16, "\0\3\2h2", 5);
    assert_int_equal(parse_exts(&exts, &s), FN_SNI_NONE);
    assert_true(s.has_ech);
    assert_false(s.offers_h1);
}

static void ech_with_an_outer_name(void **state)
{
    (void)state;
    static struct bytes exts;
    struct fn_sni s;
    exts.n = 0;
    put_name(&exts, "public.example");
    put_ext(&exts, 0xfe0d, "\0", 1);
    assert_int_equal(parse_exts(&exts, &s), FN_SNI_NAME);
    assert_true(s.has_ech);
}

static void names_refused(void **state)
{
    (void)state;
    const struct fb_str names[] = {
        FB_STR(""),        FB_STR("a_b"),        FB_STR("a b"),   FB_STR(" a.example"), FB_STR("a.example\0.b"),
        FB_STR("1.2.3.4"), FB_STR("::1"),        FB_STR("[::1]"), FB_STR("127.1"),      FB_STR("a..b"),
        FB_STR("a:443"),   FB_STR("\xc3\xa9.x"), FB_STR("*.a.b"), FB_STR("-a.b"),
    };
    static struct bytes exts;
    for (size_t i = 0; i < FB_COUNT(names); i++) {
        struct fn_sni s;
        exts.n = 0;
        put_name_of(&exts, 0, names[i].p, names[i].n);
        if (parse_exts(&exts, &s) != FB_E_PARSE)
            fail_msg("'%.*s' accepted", FB_STR_ARG(names[i]));
    }
}

static void odd_extensions(void **state)
{
    (void)state;
    static struct bytes exts;
    struct fn_sni s;
#define EXT(type, bytes)                            \
    exts.n = 0;                                     \
    put_ext(&exts, type, bytes, sizeof(bytes) - 1); \
    assert_int_equal(parse_exts(&exts, &s), FB_E_PARSE)
    EXT(0, "");
    EXT(0, "\0\0");
    EXT(0, "\0\4\0\0\1");          /* list longer than the extension */
    EXT(0, "\0\4\0\0\1a!");        /* and shorter */
    EXT(0, "\0\4\0\0\2a");         /* name longer than the list */
    EXT(0, "\0\4\1\0\1a");         /* unknown type */
    EXT(0, "\0\10\0\0\1a\0\0\1b"); /* two names */
    EXT(16, "");
    EXT(16, "\0\0");
    EXT(16, "\0\1\0");
    EXT(16, "\0\3\5h2");
    exts.n = 0;
    put_name(&exts, "a.example");
    put_name(&exts, "b.example");
    assert_int_equal(parse_exts(&exts, &s), FB_E_PARSE);
    exts.n = 0;
    put(&exts, "\0\1\0\7ab", 6); /* extension longer than the list of all */
    assert_int_equal(parse_exts(&exts, &s), FB_E_PARSE);
    exts.n = 0;
    put(&exts, "\0", 1);
    assert_int_equal(parse_exts(&exts, &s), FB_E_PARSE);
}

static void odd_messages(void **state)
{
    (void)state;
    static struct bytes exts;
    static struct bytes msg;
    static struct bytes wire;
    struct fn_sni s;
    exts.n = 0;
    put_name(&exts, "a.example");
    message(&msg, &exts);
    /* Each byte of the frame wrong in turn: never a crash, never another name. */
    for (size_t i = 0; i < msg.n; i++) {
        static struct bytes changed;
        changed = msg;
        changed.p[i] ^= 0xff;
        records(&wire, &changed, 16384);
        int rc = parse(&wire, wire.n, &s, NULL);
        if (rc == FN_SNI_NAME)
            assert_text(fn_host_str(&s.host), "a.example");
    }
    /* Another handshake message first. */
    static struct bytes other;
    other = msg;
    other.p[0] = 2;
    records(&wire, &other, 16384);
    assert_int_equal(parse(&wire, wire.n, &s, NULL), FB_E_PARSE);
    /* Bytes behind the hello in its record. */
    other = msg;
    put(&other, "\0", 1);
    records(&wire, &other, 16384);
    assert_int_equal(parse(&wire, wire.n, &s, NULL), FB_E_PARSE);
    assert_int_equal(parse(&wire, wire.n - 1, &s, NULL), FN_SNI_MORE);
    /* Another kind of record in the middle. */
    records(&wire, &msg, 40);
    wire.p[45] = 0x15;
    assert_int_equal(parse(&wire, wire.n, &s, NULL), FB_E_PARSE);
    records(&wire, &msg, 40);
    wire.p[48] = wire.p[49] = 0;
    assert_int_equal(parse(&wire, wire.n, &s, NULL), FB_E_PARSE);
}

static void size_limit(void **state)
{
    (void)state;
    static struct bytes exts;
    static struct bytes msg;
    static struct bytes wire;
    static uint8_t padding[20000];
    struct fn_sni s;
    exts.n = 0;
    put_name(&exts, "a.example");
    message(&msg, &exts);
    size_t room = FN_SNI_INPUT_MAX_BYTES - 5 - msg.n - 4;
    put_ext(&exts, 21, padding, room);
    message(&msg, &exts);
    records(&wire, &msg, 16384);
    assert_int_equal(wire.n, FN_SNI_INPUT_MAX_BYTES);
    assert_int_equal(parse(&wire, wire.n, &s, NULL), FN_SNI_NAME);
    assert_int_equal(parse(&wire, wire.n - 1, &s, NULL), FN_SNI_MORE);
    exts.n = 0;
    put_name(&exts, "a.example");
    put_ext(&exts, 21, padding, room + 1);
    message(&msg, &exts);
    records(&wire, &msg, 16384);
    assert_int_equal(parse(&wire, wire.n, &s, NULL), FB_E_LIMIT);
    /* A length that cannot fit is refused as soon as it is seen. */
    assert_int_equal(fn_sni_parse((const uint8_t *)"\x16\3\1\x40\0\1\0\x40\0", 9, &s, NULL), FB_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name),        cmocka_unit_test(not_tls),
        cmocka_unit_test(no_name),       cmocka_unit_test(ech_with_an_outer_name),
        cmocka_unit_test(names_refused), cmocka_unit_test(odd_extensions),
        cmocka_unit_test(odd_messages),  cmocka_unit_test(size_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
