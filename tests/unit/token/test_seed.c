/* Seed files: the published file byte for byte, and every edit of the mirror noticed. */
#include "fixture.h"
#include "token/seed.h"

#include <stdio.h>
#include <sys/stat.h>

static int parse(const char *text, enum tk_fault *fault, struct fb_err *err)
{
    struct tk_secret_key secret;
    struct tk_public_key public_key;
    struct tk_seed seed;
    example_keys(&secret, &public_key);
    int rc = tk_seed_parse(fb_str_of(text), "seed.toml", &public_key, ISSUED_NS, 0, &seed, fault, err);
    if (rc == 0) {
        assert_string_equal(seed.raw_token, EXAMPLE_TOKEN);
        assert_true(fb_str_eqz(seed.claims.agent_id, "agent_1"));
    } else {
        assert_null(seed.raw_token);
        assert_null(seed.claims.block);
    }
    tk_seed_done(&seed);
    return rc;
}

static void the_published_file_is_read_and_written(void **state)
{
    (void)state;
    enum tk_fault fault = TK_FAULT_INTERNAL;
    struct fb_err err = { 0 };
    int rc = parse(EXAMPLE_SEED, &fault, &err);
    if (rc != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(fault, TK_FAULT_NONE);
    struct tk_claims claims = example_claims();
    struct fb_buf out;
    fb_buf_init(&out, TK_SEED_MAX_BYTES);
    assert_int_equal(tk_seed_format(&out, FB_STR(EXAMPLE_TOKEN), &claims), 0);
    assert_string_equal(out.p, EXAMPLE_SEED);
    fb_buf_done(&out);
}

/* The example with the first @from replaced by @to. */
static enum tk_fault after(const char *from, const char *to, struct fb_err *err)
{
    char text[4096];
    enum tk_fault fault = TK_FAULT_NONE;
    const char *at = strstr(EXAMPLE_SEED, from);
    assert_non_null(at);
    size_t head = strlen(EXAMPLE_SEED) - strlen(at);
    assert_true(snprintf(text, sizeof text, "%.*s%s%s", (int)head, EXAMPLE_SEED, to, at + strlen(from)) <
                (int)sizeof text);
    int rc = parse(text, &fault, err);
    assert_true((rc == 0) == (fault == TK_FAULT_NONE));
    return fault;
}

static void every_edited_mirror_key_is_noticed(void **state)
{
    (void)state;
    static const char *const edits[][3] = {
        { "token_id = \"79", "token_id = \"78", "token_id" },
        { "agent_id = \"agent_1\"", "agent_id = \"agent_2\"", "agent_id" },
        { "session_id = \"sess_1\"", "session_id = \"sess_2\"", "session_id" },
        { "    \"communication.external.send\",\n", "    \"communication.external.send\", \"*\",\n", "action_set" },
        { "    \"communication.external.send\",\n", "", "action_set" },
        { "    \"communication.external.send\"", "    \"communication.external.sent\"", "action_set" },
        { "resource_scope = \"127.0.0.1:9100\"", "resource_scope = \"*\"", "resource_scope" },
        { "issued_at = \"2026-05-18T08:00:00", "issued_at = \"2026-05-18T08:00:01", "issued_at" },
        { "expiry = \"2026-05-18T09", "expiry = \"2036-05-18T09", "expiry" },
        { "expiry = \"2026-05-18T09:00:00+00:00\"", "expiry = \"never\"", "expiry" },
        { "context_hash = \"8d", "context_hash = \"9d", "context_hash" },
        { "context_hash = \"8d", "budget_ceiling = 1.0\ncontext_hash = \"8d", "budget_ceiling" },
    };
    for (size_t i = 0; i < FB_COUNT(edits); i++) {
        struct fb_err err = { 0 };
        if (after(edits[i][0], edits[i][1], &err) != TK_FAULT_SEED_MISMATCH)
            fail_msg("edit %zu: %s", i, err.msg);
        assert_non_null(strstr(err.msg, "raw_token claims do not match seed claims"));
        assert_non_null(strstr(err.msg, edits[i][2]));
        assert_int_equal(err.code, FB_E_TOKEN_INVALID);
    }
    /* The same instant, written otherwise, is the same. */
    assert_int_equal(
        after("expiry = \"2026-05-18T09:00:00+00:00\"", "expiry = \"2026-05-18T11:00:00.000+02:00\"", NULL),
        TK_FAULT_NONE);
    assert_int_equal(after("issued_at = \"2026-05-18T08:00:00+00:00\"", "issued_at = \"2026-05-18T08:00:00Z\"", NULL),
                     TK_FAULT_NONE);
}

static void a_bad_token_is_told_apart_from_an_edited_mirror(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    assert_int_equal(after("v4.public.eyJp", "v4.public.eyJq", &err), TK_FAULT_SIGNATURE);
    assert_non_null(strstr(err.msg, "raw_token failed PASETO verification"));
    assert_int_equal(after("v4.public.", "v4.local.", &err), TK_FAULT_PARSE);
    assert_non_null(strstr(err.msg, "raw_token failed PASETO verification"));
    struct tk_secret_key secret;
    struct tk_public_key public_key;
    struct tk_seed seed;
    enum tk_fault fault;
    example_keys(&secret, &public_key);
    assert_int_equal(tk_seed_parse(FB_STR(EXAMPLE_SEED), "s", &public_key, EXPIRY_NS, 0, &seed, &fault, &err),
                     FB_E_TOKEN_EXPIRED);
    assert_int_equal(fault, TK_FAULT_EXPIRED);
    assert_non_null(strstr(err.msg, "raw_token failed PASETO verification"));
}

static void broken_toml_and_wrong_keys_fail_to_parse(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    assert_int_equal(after("agent_id = ", "agent_id ", &err), TK_FAULT_SEED_FORMAT);
    assert_non_null(strstr(err.msg, "failed to parse capability seed 'seed.toml'"));
    assert_int_equal(after("agent_id = ", "agent_ie = ", &err), TK_FAULT_SEED_FORMAT);
    assert_int_equal(after("agent_id = \"agent_1\"\n", "", &err), TK_FAULT_SEED_FORMAT);
    assert_int_equal(after("agent_id = \"agent_1\"", "agent_id = 1", &err), TK_FAULT_SEED_FORMAT);
    assert_int_equal(after("    \"communication.external.send\"", "    3", &err), TK_FAULT_SEED_FORMAT);
    assert_int_equal(after("context_hash = ", "surplus = 1\ncontext_hash = ", &err), TK_FAULT_SEED_FORMAT);
}

static void a_star_inside_the_scope_is_refused_at_load(void **state)
{
    (void)state;
    struct tk_secret_key secret;
    struct tk_public_key public_key;
    struct tk_seed seed;
    struct fb_err err = { 0 };
    enum tk_fault fault;
    struct fb_buf token;
    struct fb_buf text;
    struct tk_claims claims = example_claims();
    example_keys(&secret, &public_key);
    claims.resource_scope = FB_STR("*.example.com");
    fb_buf_init(&token, TK_TOKEN_MAX_BYTES);
    fb_buf_init(&text, TK_SEED_MAX_BYTES);
    assert_int_equal(tk_token_issue(&secret, &claims, ISSUED_NS, &token, NULL), 0);
    assert_int_equal(tk_seed_format(&text, fb_buf_str(&token), &claims), 0);
    assert_int_equal(tk_seed_parse(fb_buf_str(&text), "s.toml", &public_key, ISSUED_NS, 0, &seed, &fault, &err),
                     FB_E_TOKEN_INVALID);
    assert_non_null(strstr(err.msg, "invalid capability seed 's.toml'"));
    fb_buf_done(&token);
    fb_buf_done(&text);
}

static void a_written_seed_is_private_and_reads_back(void **state)
{
    (void)state;
    struct tk_secret_key secret;
    struct tk_public_key public_key;
    struct tk_seed seed;
    struct stat st;
    struct fb_err err = { 0 };
    enum tk_fault fault;
    struct tk_claims claims = example_claims();
    char *dir = fresh_dir();
    char path[256];
    (void)snprintf(path, sizeof path, "%s/seed.toml", dir);
    example_keys(&secret, &public_key);
    assert_int_equal(tk_seed_read(path, &public_key, ISSUED_NS, 0, &seed, &fault, &err), FB_E_CAPABILITY);
    assert_int_equal(fault, TK_FAULT_SEED_READ);
    assert_non_null(strstr(err.msg, "failed to read capability seed"));
    assert_int_equal(tk_seed_write(path, FB_STR(EXAMPLE_TOKEN), &claims, NULL), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(tk_seed_read(path, &public_key, ISSUED_NS, 0, &seed, &fault, NULL), 0);
    assert_true(fb_str_eq(seed.claims.token_id, claims.token_id));
    tk_seed_done(&seed);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(tk_seed_read(path, &public_key, ISSUED_NS, 0, &seed, &fault, &err), FB_E_CAPABILITY);
    assert_int_equal(fault, TK_FAULT_SEED_READ);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    free(dir);
}

static void lists_of_none_and_a_ceiling_are_written(void **state)
{
    (void)state;
    struct tk_claims claims = example_claims();
    struct fb_buf out;
    fb_buf_init(&out, TK_SEED_MAX_BYTES);
    claims.n_actions = 0;
    claims.has_budget_ceiling = true;
    claims.budget_ceiling = 0.1;
    assert_int_equal(tk_seed_format(&out, FB_STR("t"), &claims), 0);
    assert_non_null(strstr(out.p, "action_set = []\n"));
    assert_non_null(strstr(out.p, "budget_ceiling = 1.0000000000000000"));
    fb_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_file_is_read_and_written),
        cmocka_unit_test(every_edited_mirror_key_is_noticed),
        cmocka_unit_test(a_bad_token_is_told_apart_from_an_edited_mirror),
        cmocka_unit_test(broken_toml_and_wrong_keys_fail_to_parse),
        cmocka_unit_test(a_star_inside_the_scope_is_refused_at_load),
        cmocka_unit_test(a_written_seed_is_private_and_reads_back),
        cmocka_unit_test(lists_of_none_and_a_ceiling_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
