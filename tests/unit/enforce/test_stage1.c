/* Which capability is chosen: scores, ties, sessions, scopes, and that a bad token never hides a good one. */
#include "fixture.h"

#define CLASS "communication.external.send"
#define ANY_RULE "[[rules]]\nhost='api.example.com'\naction_class='" CLASS "'\n"

static struct fb_str exact[] = { { CLASS, sizeof CLASS - 1 } };
static struct fb_str wild[] = { { "*", 1 } };
static struct fb_str two[] = { { CLASS, sizeof CLASS - 1 }, { "code.read", 9 } };
static struct fb_str foreign[] = { { "code.read", 9 } };

static void setup(struct fixture *f)
{
    fixture_bare(f, NULL);
    give_mapping(f, ANY_RULE);
    give_bundle(f, "permit(principal, action, resource);", example_schema);
    fe_engine_set_revocations_ready(f->engine, true);
}

static void give(struct fixture *f, const struct tk_claims *list, size_t n)
{
    const struct tk_claims *p[16];
    for (size_t i = 0; i < n; i++)
        p[i] = &list[i];
    assert_int_equal(fe_engine_set_capabilities(f->engine, p, n, NULL, NULL), 0);
}

/* Both orders, so that the place in the list is never the reason. */
static void prefers(struct tk_claims winner, struct tk_claims loser)
{
    struct fixture f;
    setup(&f);
    winner.token_id = FB_STR("winner");
    loser.token_id = FB_STR("loser");
    struct tk_claims list[] = { winner, loser };
    give(&f, list, 2);
    ask(&f, "GET", "api.example.com", "/v1");
    assert_text(f.v.token_id, "winner");
    struct tk_claims turned[] = { loser, winner };
    give(&f, turned, 2);
    ask(&f, "GET", "api.example.com", "/v1");
    assert_text(f.v.token_id, "winner");
    fixture_done(&f);
}

static void the_higher_score_wins_then_the_ties(void **state)
{
    (void)state;
    struct tk_claims exact_scoped = claims_of("t", "s", exact, 1, "api.example.com");
    struct tk_claims exact_any = claims_of("t", "s", exact, 1, "*");
    struct tk_claims wild_scoped = claims_of("t", "s", wild, 1, "api.example.com");
    struct tk_claims wild_any = claims_of("t", "s", wild, 1, "*");
    prefers(exact_scoped, exact_any);
    prefers(exact_any, wild_scoped); /* 101 against 60 */
    prefers(wild_scoped, wild_any);
    /* Equal scores: fewer actions, then the later issue. */
    struct tk_claims more_actions = claims_of("t", "s", two, 2, "api.example.com");
    prefers(exact_scoped, more_actions);
    struct tk_claims newer = exact_scoped;
    newer.issued_at_ns += 1;
    prefers(newer, exact_scoped);
}

static void a_scope_that_does_not_match_disqualifies(void **state)
{
    (void)state;
    static const struct {
        const char *scope;
        const char *host;
        const char *path;
        bool covers;
    } rows[] = {
        { "api.openai.com", "api.openai.com", "/", true },
        { "api.openai.com", "api.openai.com", "/v1/chat", true },
        { "api.openai.com", "api.openai.community", "/", false },
        { "api.openai.com", "api.openai.com:8443", "/", false },
        { "api.example.com/*", "api.example.com", "/x", true },
        { "api.example.com/*", "other.example.com", "/v1", false },
        { "api.example.com/v1/chat", "api.example.com", "/v1/chat", true },
        { "api.example.com/v1/chat", "api.example.com", "/v1/chat/completions", true },
        { "api.example.com/v1/chat", "api.example.com", "/v1/chatter", false },
        { "paste.rs/", "paste.rs", "/", true },
        { "paste.rs/", "paste.rs", "/abc", false },
        { "wttr.in*", "wttr.in", "/london", true },
        { "wttr.in*", "wttr.internal.example", "/", false },
        { "", "api.example.com", "/", false },
        { "https://api.example.com", "api.example.com", "/", false },
    };
    struct fixture f;
    setup(&f);
    give_mapping(&f, "[[rules]]\nhost='*'\naction_class='" CLASS "'\n");
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        struct tk_claims c = claims_of("t", "s", exact, 1, rows[i].scope);
        give(&f, &c, 1);
        ask(&f, "GET", rows[i].host, rows[i].path);
        if ((f.v.decision == FE_ALLOW) != rows[i].covers)
            fail_msg("scope '%s' on %s%s: %.*s", rows[i].scope, rows[i].host, rows[i].path, FB_STR_ARG(f.v.detail));
        if (!rows[i].covers)
            assert_int_equal(f.v.reason, FC_REASON_TOKEN_INVALID);
    }
    struct tk_claims c = claims_of("t", "s", exact, 1, "api.example.com/v1/chat");
    give(&f, &c, 1);
    prepare(&f, "GET", "api.example.com", "/v1/chat", "x=1");
    decide(&f);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    fixture_done(&f);
}

static void scopes_that_cover_nothing_are_counted(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct tk_claims a = claims_of("t", "s", exact, 1, "");
    struct tk_claims b = claims_of("t", "s", exact, 1, "*");
    struct tk_claims c = claims_of("t", "s", exact, 1, "https://x");
    const struct tk_claims *list[] = { &a, &b, &c };
    size_t useless = 99;
    assert_int_equal(fe_engine_set_capabilities(f.engine, list, 3, &useless, NULL), 0);
    assert_int_equal(useless, 2);
    fixture_done(&f);
}

static void a_bad_token_does_not_hide_a_good_one(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct tk_claims list[] = { claims_of("expired", "s", exact, 1, "api.example.com"),
                                claims_of("revoked", "s", exact, 1, "api.example.com"),
                                claims_of("good", "s", wild, 1, "*") };
    list[0].expiry_ns = (ISSUED_MS + 1000) * 1000000;
    give(&f, list, 3);
    fe_engine_add_revocation(f.engine, FB_STR("revoked"));
    ask(&f, "GET", "api.example.com", "/");
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    assert_text(f.v.token_id, "good");
    /* None is left: the best one's fault is told. */
    fe_engine_add_revocation(f.engine, FB_STR("good"));
    ask(&f, "GET", "api.example.com", "/");
    assert_true(f.v.reason == FC_REASON_TOKEN_EXPIRED || f.v.reason == FC_REASON_TOKEN_REVOKED);
    assert_text(f.v.token_id, "");
    give(&f, list, 1);
    ask(&f, "GET", "api.example.com", "/");
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_EXPIRED);
    fixture_done(&f);
}

static void another_class_is_not_covered(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct tk_claims c = claims_of("t", "s", foreign, 1, "*");
    give(&f, &c, 1);
    ask(&f, "GET", "api.example.com", "/");
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_INVALID);
    fixture_done(&f);
}

static void with_several_sessions_a_call_must_say_which(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct tk_claims list[] = { claims_of("t1", "s1", exact, 1, "*"), claims_of("t2", "s2", exact, 1, "*") };
    give(&f, list, 2);
    ask(&f, "GET", "api.example.com", "/");
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_INVALID);
    for (int i = 0; i < 2; i++) {
        prepare(&f, "GET", "api.example.com", "/", NULL);
        f.env.session_hint = i == 0 ? FB_STR("s1") : FB_STR("s2");
        decide(&f);
        assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
        assert_text(f.v.token_id, i == 0 ? "t1" : "t2");
    }
    f.env.session_hint = FB_STR("s3");
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_INVALID);
    fixture_done(&f);
}

static void the_number_of_capabilities_is_limited(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct tk_claims c = claims_of("t", "s", exact, 1, "*");
    const struct tk_claims **list = calloc(FE_CAPABILITIES_MAX + 1, sizeof(*list));
    assert_non_null(list);
    for (size_t i = 0; i <= FE_CAPABILITIES_MAX; i++)
        list[i] = &c;
    assert_int_equal(fe_engine_set_capabilities(f.engine, list, FE_CAPABILITIES_MAX, NULL, NULL), 0);
    assert_int_equal(fe_engine_set_capabilities(f.engine, list, FE_CAPABILITIES_MAX + 1, NULL, NULL), FB_E_LIMIT);
    ask(&f, "GET", "api.example.com", "/");
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE); /* the old map stays */
    free(list);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_higher_score_wins_then_the_ties),
        cmocka_unit_test(a_scope_that_does_not_match_disqualifies),
        cmocka_unit_test(scopes_that_cover_nothing_are_counted),
        cmocka_unit_test(a_bad_token_does_not_hide_a_good_one),
        cmocka_unit_test(another_class_is_not_covered),
        cmocka_unit_test(with_several_sessions_a_call_must_say_which),
        cmocka_unit_test(the_number_of_capabilities_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
