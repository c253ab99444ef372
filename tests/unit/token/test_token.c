/* Tokens: the published bytes in both directions, and each class of refusal told apart. */
#include "fixture.h"

#include <paseto/paseto.h>

#include <stdio.h>

struct keys {
    struct tk_secret_key secret;
    struct tk_public_key public_key;
};

static struct keys keys_of_the_example(void)
{
    struct keys k;
    example_keys(&k.secret, &k.public_key);
    return k;
}

static void the_published_token_is_issued_and_verified(void **state)
{
    (void)state;
    struct keys k = keys_of_the_example();
    struct tk_claims claims = example_claims();
    struct tk_claims got;
    enum tk_fault fault = TK_FAULT_INTERNAL;
    struct fb_buf out;
    fb_buf_init(&out, TK_TOKEN_MAX_BYTES);
    assert_int_equal(tk_token_issue(&k.secret, &claims, ISSUED_NS, &out, NULL), 0);
    assert_int_equal(out.n, strlen(EXAMPLE_TOKEN));
    assert_memory_equal(out.p, EXAMPLE_TOKEN, out.n);
    assert_int_equal(tk_token_verify(&k.public_key, fb_buf_str(&out), ISSUED_NS, 0, &got, &fault, NULL), 0);
    assert_int_equal(fault, TK_FAULT_NONE);
    assert_true(fb_str_eq(got.token_id, claims.token_id));
    assert_true(fb_str_eq(got.session_id, claims.session_id));
    assert_true(fb_str_eq(got.resource_scope, claims.resource_scope));
    assert_true(fb_str_eq(got.context_hash, claims.context_hash));
    assert_int_equal(got.n_actions, 1);
    assert_true(got.issued_at_ns == ISSUED_NS && got.expiry_ns == EXPIRY_NS);
    assert_false(got.has_budget_ceiling);
    tk_claims_done(&got);
    fb_buf_done(&out);
}

/* Signs any payload with the example key. */
static void sign(char out[4096], const char *payload)
{
    struct keys k = keys_of_the_example();
    const struct paseto_bytes none = { NULL, 0 };
    size_t n;
    assert_int_equal(paseto_v4_public_sign(k.secret.bytes, (struct paseto_bytes){ payload, strlen(payload) }, none,
                                           none, out, 4096, &n),
                     0);
}

static const char other_vector_payload[] =
    "{\"iat\":\"2026-05-18T08:00:00+00:00\",\"nbf\":\"2026-05-18T08:00:00+00:00\",\"exp\":\"2026-05-18T09:00:00+00:"
    "00\","
    "\"token_id\":\"79dd9ffb-ebc8-4883-8f1e-72eb74a26e33\",\"agent_id\":\"agent_1\",\"session_id\":\"sess_1\","
    "\"action_set\":[\"communication.external.send\"],\"resource_scope\":\"*\",\"context_hash\":"
    "\"0000000000000000000000000000000000000000000000000000000000000000\"}";

static void the_second_published_vector_ends_as_it_must(void **state)
{
    (void)state;
    char token[4096];
    static const char end[] = "n33uhqlljkOCvpNjfas8KAuZD-Fxkgn3Xc7ISl76zQyB9tcKoxu4ti-0nOYeAw0L32C5slKoph0vFPT4qD1ua8P";
    sign(token, other_vector_payload);
    assert_string_equal(token + strlen(token) - (sizeof end - 1), end);
}

static void refused(const char *token, enum tk_fault want, int code)
{
    struct keys k = keys_of_the_example();
    struct tk_claims got;
    enum tk_fault fault = TK_FAULT_NONE;
    struct fb_err err = { 0 };
    int rc = tk_token_verify(&k.public_key, fb_str_of(token), ISSUED_NS, 0, &got, &fault, &err);
    if (rc != code || fault != want)
        fail_msg("%s: %s (%s), wanted %s", token, tk_token_fault_name(fault), err.msg, tk_token_fault_name(want));
    assert_null(got.block);
    assert_non_null(strstr(err.msg, tk_token_fault_name(want)));
}

static void what_is_no_token_fails_to_parse(void **state)
{
    (void)state;
    refused("", TK_FAULT_PARSE, FB_E_TOKEN_INVALID);
    refused("v4.public.", TK_FAULT_PARSE, FB_E_TOKEN_INVALID);
    refused("v3.public.AAAA", TK_FAULT_PARSE, FB_E_TOKEN_INVALID);
    refused("v4.local.AAAA", TK_FAULT_PARSE, FB_E_TOKEN_INVALID);
    refused(EXAMPLE_TOKEN "=", TK_FAULT_PARSE, FB_E_TOKEN_INVALID);
    refused(EXAMPLE_TOKEN ".", TK_FAULT_PARSE, FB_E_TOKEN_INVALID);
    refused(EXAMPLE_TOKEN ".Zm9v", TK_FAULT_PARSE, FB_E_TOKEN_INVALID);
    refused(" " EXAMPLE_TOKEN, TK_FAULT_PARSE, FB_E_TOKEN_INVALID);
    char *big = malloc(TK_TOKEN_MAX_BYTES + 2);
    assert_non_null(big);
    memset(big, 'A', TK_TOKEN_MAX_BYTES + 1);
    big[TK_TOKEN_MAX_BYTES + 1] = '\0';
    memcpy(big, "v4.public.", 10);
    refused(big, TK_FAULT_PARSE, FB_E_TOKEN_INVALID);
    free(big);
}

static void another_key_or_a_changed_byte_is_a_bad_signature(void **state)
{
    (void)state;
    char token[] = EXAMPLE_TOKEN;
    token[30] = token[30] == 'A' ? 'B' : 'A';
    refused(token, TK_FAULT_SIGNATURE, FB_E_TOKEN_INVALID);
    struct tk_secret_key secret;
    struct tk_public_key public_key;
    struct tk_claims got;
    enum tk_fault fault;
    assert_int_equal(tk_keyfile_make(&secret, &public_key, NULL), 0);
    assert_int_equal(tk_token_verify(&public_key, FB_STR(EXAMPLE_TOKEN), ISSUED_NS, 0, &got, &fault, NULL),
                     FB_E_TOKEN_INVALID);
    assert_int_equal(fault, TK_FAULT_SIGNATURE);
}

/* The good payload with its first @from replaced by @to. */
static void malformed(const char *from, const char *to)
{
    char payload[2048];
    char token[4096];
    const char *at = strstr(other_vector_payload, from);
    assert_non_null(at);
    int head = (int)(at - other_vector_payload);
    assert_true(snprintf(payload, sizeof payload, "%.*s%s%s", head, other_vector_payload, to, at + strlen(from)) > 0);
    sign(token, payload);
    refused(token, TK_FAULT_MALFORMED, FB_E_TOKEN_INVALID);
}

static void signed_nonsense_is_malformed(void **state)
{
    (void)state;
    char token[4096];
    static const char *const payloads[] = { "x", "[]", "\"v\"", "{}", "null", "{\"iat\":", "{} {}" };
    for (size_t i = 0; i < FB_COUNT(payloads); i++) {
        sign(token, payloads[i]);
        refused(token, TK_FAULT_MALFORMED, FB_E_TOKEN_INVALID);
    }
    malformed("\"agent_id\"", "\"agent\"");
    malformed("\"agent_1\"", "7");
    malformed("\"agent_1\"", "\"a b\"");
    malformed("\"agent_1\"", "\"\"");
    malformed("\"agent_1\"", "\"a\\u0000b\"");
    malformed("\"sess_1\"", "\"s\\\"; permit\"");
    malformed("\"79dd9ffb-ebc8-4883-8f1e-72eb74a26e33\"", "\"79\"");
    malformed("[\"communication.external.send\"]", "\"communication.external.send\"");
    malformed("[\"communication.external.send\"]", "[1]");
    malformed("[\"communication.external.send\"]", "[null]");
    malformed("2026-05-18T09:00:00+00:00", "2026-05-18 9 o'clock");
    malformed("2026-05-18T08:00:00+00:00", "");
    malformed("\"0000000000", "\"00000000");
    malformed("\"resource_scope\":\"*\"", "\"resource_scope\":null");
    malformed("{\"iat\"", "{\"token_id\":\"79dd9ffb-ebc8-4883-8f1e-72eb74a26e34\",\"iat\"");
    malformed("{\"iat\"", "{\"budget_ceiling\":\"1\",\"iat\"");
}

static void both_time_forms_unknown_claims_and_an_empty_set_are_read(void **state)
{
    (void)state;
    struct keys k = keys_of_the_example();
    struct tk_claims got;
    char token[4096];
    sign(token,
         "{\"iss\":\"x\",\"iat\":\"2026-05-18T10:00:00.5+02:00\",\"exp\":\"2026-05-18T09:00:00.123456789Z\","
         "\"token_id\":\"ctok_01h455vb4pex5vsknk084sn02q\",\"agent_id\":\"a\",\"session_id\":\"s\",\"action_set\":[],"
         "\"resource_scope\":\"\",\"budget_ceiling\":2,\"context_hash\":"
         "\"0000000000000000000000000000000000000000000000000000000000000000\"}");
    assert_int_equal(tk_token_verify(&k.public_key, fb_str_of(token), ISSUED_NS, 0, &got, NULL, NULL), 0);
    assert_true(got.issued_at_ns == ISSUED_NS + SECOND_NS / 2);
    assert_true(got.expiry_ns == EXPIRY_NS + 123456789);
    assert_int_equal(got.n_actions, 0);
    assert_true(got.has_budget_ceiling && got.budget_ceiling == 2.0);
    tk_claims_done(&got);
}

static void expiry_is_told_apart_and_names_the_token(void **state)
{
    (void)state;
    struct keys k = keys_of_the_example();
    struct tk_claims got;
    enum tk_fault fault;
    struct fb_err err;
    struct fb_str text = FB_STR(EXAMPLE_TOKEN);
    assert_int_equal(tk_token_verify(&k.public_key, text, EXPIRY_NS - 1, 0, &got, &fault, NULL), 0);
    tk_claims_done(&got);
    assert_int_equal(tk_token_verify(&k.public_key, text, EXPIRY_NS, 0, &got, &fault, &err), FB_E_TOKEN_EXPIRED);
    assert_int_equal(fault, TK_FAULT_EXPIRED);
    assert_non_null(strstr(err.msg, "79dd9ffb-ebc8-4883-8f1e-72eb74a26e33"));
    assert_null(got.block);
    assert_int_equal(tk_token_verify(&k.public_key, text, EXPIRY_NS, 1, &got, &fault, NULL), 0);
    tk_claims_done(&got);
    assert_int_equal(tk_token_verify_any_time(&k.public_key, text, &got, &fault, NULL), 0);
    tk_claims_done(&got);
    /* A token from the future is accepted: only the end counts. */
    assert_int_equal(tk_token_verify(&k.public_key, text, 0, 0, &got, &fault, NULL), 0);
    tk_claims_done(&got);
}

static void bad_claims_are_not_signed_and_a_ceiling_travels(void **state)
{
    (void)state;
    struct keys k = keys_of_the_example();
    struct fb_buf out;
    struct tk_claims c = example_claims();
    struct tk_claims got;
    fb_buf_init(&out, TK_TOKEN_MAX_BYTES);
    c.agent_id = FB_STR("a\"b");
    assert_int_equal(tk_token_issue(&k.secret, &c, ISSUED_NS, &out, NULL), FB_E_PARSE);
    assert_int_equal(out.n, 0);
    c = example_claims();
    c.has_budget_ceiling = true;
    c.budget_ceiling = 12.5;
    c.resource_scope = FB_STR("quote\" back\\slash \n");
    assert_int_equal(tk_token_issue(&k.secret, &c, ISSUED_NS + 1000, &out, NULL), 0);
    assert_int_equal(tk_token_verify(&k.public_key, fb_buf_str(&out), ISSUED_NS, 0, &got, NULL, NULL), 0);
    assert_true(got.budget_ceiling == 12.5);
    assert_true(fb_str_eq(got.resource_scope, c.resource_scope));
    tk_claims_done(&got);
    fb_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_token_is_issued_and_verified),
        cmocka_unit_test(the_second_published_vector_ends_as_it_must),
        cmocka_unit_test(what_is_no_token_fails_to_parse),
        cmocka_unit_test(another_key_or_a_changed_byte_is_a_bad_signature),
        cmocka_unit_test(signed_nonsense_is_malformed),
        cmocka_unit_test(both_time_forms_unknown_claims_and_an_empty_set_are_read),
        cmocka_unit_test(expiry_is_told_apart_and_names_the_token),
        cmocka_unit_test(bad_claims_are_not_signed_and_a_ceiling_travels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
