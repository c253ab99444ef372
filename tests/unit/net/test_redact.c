/* Shows that no value of a sensitive name survives redaction, and that the rest is left as it was. */
#include "net_test.h"

#include "net/redact.h"

static void query(const char *in, const char *want)
{
    struct fb_buf out;
    fb_buf_init(&out, 4096);
    assert_int_equal(fn_redact_query(&out, fb_str_of(in), NULL), 0);
    assert_text(fb_buf_str(&out), want);
    fb_buf_done(&out);
}

static void text(const char *in, const char *want)
{
    struct fb_buf out;
    fb_buf_init(&out, 4096);
    assert_int_equal(fn_redact_text(&out, fb_str_of(in), NULL), 0);
    assert_text(fb_buf_str(&out), want);
    fb_buf_done(&out);
}

static void queries(void **state)
{
    (void)state;
    query("", "");
    query("a=b", "a=b");
    query("token=abc", "token=<redacted>");
    query("TOKEN=abc&x=1", "TOKEN=<redacted>&x=1");
    query("x=1&api_key=a=b&y=2", "x=1&api_key=<redacted>&y=2");
    query("token", "token");
    query("token=", "token=");
    query("a=1;sig=2;b=3", "a=1;sig=<redacted>;b=3");
    query("xtoken=1", "xtoken=<redacted>");
    query("tokens=1", "tokens=1");
    query("%74oken=1", "%74oken=<redacted>");
    query("X-Amz-Signature=ab%26cd&q=1", "X-Amz-Signature=<redacted>&q=1");
    query("&&=x&token=1&", "&&=x&token=<redacted>&");
    query("token=1&token=2", "token=<redacted>&token=<redacted>");
    query("a%=1&b%2=2", "a%=1&b%2=2");
}

static void every_word_of_both_lists(void **state)
{
    (void)state;
    static const char *const words[] = {
        "api_key",     "apikey",      "key",        "token",        "access_token",  "refresh_token",
        "auth",        "password",    "secret",     "signature",    "sig",           "sas",
        "api-key",     "passwd",      "pwd",        "bearer",       "authorization", "credential",
        "credentials", "private_key", "privatekey", "access-token",
    };
    for (size_t i = 0; i < FB_COUNT(words); i++) {
        char in[64];
        char want[64];
        snprintf(in, sizeof in, "%s=v", words[i]);
        snprintf(want, sizeof want, "%s=<redacted>", words[i]);
        query(in, want);
        text(in, want);
        assert_true(fn_redact_name(fb_str_of(words[i]), NULL));
    }
    assert_false(fn_redact_name(FB_STR("page"), NULL));
    assert_false(fn_redact_name(FB_STR(""), NULL));
}

static void long_names(void **state)
{
    (void)state;
    char in[1200];
    memset(in, 'a', sizeof in);
    memcpy(in + 1100, "token=v", 8);
    char want[1300];
    memcpy(want, in, 1106);
    memcpy(want + 1106, "<redacted>", 11);
    query(in, want);
    text(in, want);
    /* Escapes make the name three times as long on the wire. */
    for (size_t i = 0; i < 300; i++)
        memcpy(in + i * 3, "%61", 3);
    memcpy(in + 900, "%74oken=v", 10);
    memcpy(want, in, 908);
    memcpy(want + 908, "<redacted>", 11);
    query(in, want);
}

static void free_text(void **state)
{
    (void)state;
    text("nothing here", "nothing here");
    text("x/?%74oken=abc", "x/?%74oken=<redacted>");
    text("x/?%2574oken=abc", "x/?%2574oken=<redacted>");
    query("a=1&%252574oken=abc&%25%37%34oken=abc", "a=1&%252574oken=<redacted>&%25%37%34oken=<redacted>");
    text("x.example/a?token=abc&b=1", "x.example/a?token=<redacted>&b=1");
    text("failed: password=hunter2 for you", "failed: password=<redacted> for you");
    text("on 'x/?key=1', denied", "on 'x/?key=<redacted>', denied");
    text("a==b", "a==b");
    text("secret=a=b", "secret=<redacted>");
    text("x=secret=a", "x=secret=<redacted>");
    text("token=", "token=");
    text("=", "=");
}

static void operators_words(void **state)
{
    (void)state;
    const struct fb_str extra[] = { FB_STR("jwt") };
    const struct fn_redact r = { extra, 1 };
    struct fb_buf out;
    fb_buf_init(&out, 100);
    assert_int_equal(fn_redact_query(&out, FB_STR("my_JWT=1&a=2&key=3"), &r), 0);
    assert_text(fb_buf_str(&out), "my_JWT=<redacted>&a=2&key=<redacted>");
    fb_buf_done(&out);
}

static void a_full_buffer_is_an_error(void **state)
{
    (void)state;
    struct fb_buf out;
    fb_buf_init(&out, 10);
    assert_true(fn_redact_query(&out, FB_STR("token=1&abc=1"), NULL) < 0);
    fb_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries),         cmocka_unit_test(every_word_of_both_lists),
        cmocka_unit_test(long_names),      cmocka_unit_test(free_text),
        cmocka_unit_test(operators_words), cmocka_unit_test(a_full_buffer_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
