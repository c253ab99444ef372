/* Lines: the published ones verify, every change of a value is noticed, lines chain. */
#include "audit/line.h"
#include "fixture.h"

static struct fa_key *example_key(void)
{
    struct fa_key *key = NULL;
    assert_int_equal(fa_key_from_public_pem(FB_STR(EXAMPLE_PUBLIC), &key, NULL), 0);
    return key;
}

static bool verifies(const char *text)
{
    struct fa_line line;
    const char *why;
    struct fa_key *key = example_key();
    struct fb_buf scratch;
    fb_buf_init(&scratch, FA_LINE_MAX_BYTES);
    bool ok = fa_line_parse(fb_str_of(text), &line, &why) == 0;
    if (ok) {
        ok = fa_line_verify(&line, key, &scratch);
        fa_line_done(&line);
    }
    fb_buf_done(&scratch);
    fa_key_free(key);
    return ok;
}

static void the_published_lines_verify(void **state)
{
    (void)state;
    assert_true(verifies(EXAMPLE_LINE_1));
    assert_true(verifies(EXAMPLE_LINE_2));
}

/* The first published line with the value of @key replaced. */
static void with_value(char out[2048], const char *key, const char *value)
{
    const char *line = EXAMPLE_LINE_1;
    char name[64];
    (void)snprintf(name, sizeof name, "\"%s\":", key);
    const char *at = strstr(line, name);
    assert_non_null(at);
    at += strlen(name);
    const char *end = at[0] == '"' ? strchr(at + 1, '"') + 1 : at + strcspn(at, ",}");
    assert_true(snprintf(out, 2048, "%.*s%s%s", (int)(at - line), line, value, end) < 2048);
}

static void any_changed_value_is_noticed(void **state)
{
    (void)state;
    static const char *const texts[] = { "event_id",   "session_id",  "token_id",        "agent_id",       "action",
                                         "resource",   "deny_reason", "context_hash",    "bundle_version", "sandbox_id",
                                         "provenance", "thread_id",   "parent_action_id" };
    static const char *const numbers[] = { "decision",        "enforcement_latency_us", "timestamp",
                                           "dispatch_status", "dispatch_latency_us",    "response_size" };
    char text[2048];
    for (size_t i = 0; i < FB_COUNT(texts); i++) {
        with_value(text, texts[i], "\"x\"");
        assert_false(verifies(text));
    }
    for (size_t i = 0; i < FB_COUNT(numbers); i++) {
        with_value(text, numbers[i], "77");
        assert_false(verifies(text));
    }
    with_value(text, "signature", "\"MEYCIQCDeNCd\"");
    assert_false(verifies(text));
    with_value(text, "decision", "1"); /* the same value: nothing is changed by the method itself */
    assert_true(verifies(text));
}

static void reformatting_and_the_old_byte_array_are_read(void **state)
{
    (void)state;
    /* Blanks change nothing that is signed. */
    char spaced[2048];
    const char *after_brace = strchr(EXAMPLE_LINE_1, '{');
    (void)snprintf(spaced, sizeof spaced, "{ %s", &after_brace[1]);
    assert_true(verifies(spaced));
    struct fa_line line;
    const char *why;
    assert_int_equal(fa_line_parse(FB_STR("{\"event_id\":\"x\",\"signature\":[48,1,255]}"), &line, &why), 0);
    assert_int_equal(line.der_n, 3);
    fa_line_done(&line);
}

static void nonsense_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"signature\":1}",
        "{\"signature\":\"%\"}",
        "{\"signature\":[256]}",
        "{\"signature\":[]} x",
        "{\"event_id\":1,\"signature\":\"\"}",
        "{\"decision\":\"1\",\"signature\":\"\"}",
        "{\"decision\":1.0,\"signature\":\"\"}",
        "{\"decision\":-1,\"signature\":\"\"}",
        "{\"seq\":1,\"signature\":\"\"}",
        "{\"seq\":0,\"prev_hash\":\"\",\"signature\":\"\"}",
        "{\"event_id\":\"a\",\"event_id\":\"b\",\"signature\":\"\"}",
        "{\"timestamp\":99999999999999999999,\"signature\":\"\"}",
    };
    for (size_t i = 0; i < FB_COUNT(bad); i++) {
        struct fa_line line;
        const char *why = NULL;
        assert_int_equal(fa_line_parse(fb_str_of(bad[i]), &line, &why), FB_E_PARSE);
        assert_non_null(why);
        assert_null(line.json);
    }
    char *big = malloc(FA_LINE_MAX_BYTES + 1);
    memset(big, ' ', FA_LINE_MAX_BYTES + 1);
    memcpy(big, "{\"signature\":\"\"}", 16);
    struct fa_line line;
    const char *why;
    assert_int_equal(fa_line_parse(fb_str_n(big, FA_LINE_MAX_BYTES), &line, &why), 0);
    fa_line_done(&line);
    assert_int_equal(fa_line_parse(fb_str_n(big, FA_LINE_MAX_BYTES + 1), &line, &why), FB_E_PARSE);
    free(big);
}

static void lines_follow_each_other(void **state)
{
    struct place *p = *state;
    struct fa_key *key = NULL;
    struct fb_buf out;
    struct fa_chain at = { 0 };
    assert_int_equal(fa_key_from_private_pem(fb_buf_str(&p->secret), &key, NULL), 0);
    fb_buf_init(&out, 4096);
    struct fa_chain before = at;
    assert_int_equal(fa_line_finish(&out, FB_STR("{\"event_id\":\"a\""), FB_STR("AAAA"), key, &at), 0);
    assert_int_equal(at.seq, 1);
    struct fa_line line;
    const char *why;
    assert_int_equal(fa_line_parse(fb_str_n(out.p, out.n - 1), &line, &why), 0);
    assert_true(fa_line_follows(&line, &before));
    assert_false(fa_line_follows(&line, &at));
    fa_line_done(&line);
    assert_string_equal(
        out.p, "{\"event_id\":\"a\",\"seq\":1,\"prev_hash\":\"0000000000000000000000000000000000000000000000000000"
               "000000000000\",\"signature\":\"AAAA\"}\n");
    fb_buf_done(&out);
    fa_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_lines_verify),
        cmocka_unit_test(any_changed_value_is_noticed),
        cmocka_unit_test(reformatting_and_the_old_byte_array_are_read),
        cmocka_unit_test(nonsense_is_refused_with_a_reason),
        cmocka_unit_test_setup_teardown(lines_follow_each_other, make_place, drop_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
