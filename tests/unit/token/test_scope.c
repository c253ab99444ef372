/* Scope matching: every row of the published table, and the rulings on stars, queries and empty scopes. */
#include "fixture.h"
#include "token/scope.h"

static void covers(const char *scope, const char *resource)
{
    if (!tk_scope_match(fb_str_of(scope), fb_str_of(resource)))
        fail_msg("scope '%s' should cover '%s'", scope, resource);
}

static void leaves_out(const char *scope, const char *resource)
{
    if (tk_scope_match(fb_str_of(scope), fb_str_of(resource)))
        fail_msg("scope '%s' should not cover '%s'", scope, resource);
}

static void the_published_table_holds(void **state)
{
    (void)state;
    covers("*", "anything.example/at?all");
    covers("*", "");
    covers("api.openai.com", "api.openai.com");
    covers("api.openai.com", "api.openai.com/");
    covers("api.openai.com", "api.openai.com/v1/chat");
    leaves_out("api.openai.com", "api.openai.community/");
    leaves_out("api.openai.com", "api.openai.com:8443/");
    covers("api.example.com/*", "api.example.com");
    covers("api.example.com/*", "api.example.com/");
    covers("api.example.com/*", "api.example.com/v1/chat");
    leaves_out("api.example.com/*", "other.example.com/v1");
    leaves_out("api.example.com/*", "api.example.community/v1");
    covers("api.example.com/v1/chat", "api.example.com/v1/chat");
    covers("api.example.com/v1/chat", "api.example.com/v1/chat/completions");
    leaves_out("api.example.com/v1/chat", "api.example.com/v1/chatter");
    covers("paste.rs/", "paste.rs/");
    covers("paste.rs/", "paste.rs//x");
    leaves_out("paste.rs/", "paste.rs/abc");
    covers("127.0.0.1:9100", "127.0.0.1:9100/allow");
    leaves_out("127.0.0.1:91", "127.0.0.1:9100/allow");
}

static void queries_stars_and_useless_scopes(void **state)
{
    (void)state;
    covers("api.example.com/v1/chat", "api.example.com/v1/chat?x=1");
    leaves_out("api.example.com/v1/chat", "api.example.com/v1/cha?t");
    covers("wttr.in*", "wttr.in/london");
    covers("wttr.in*", "wttr.in");
    leaves_out("wttr.in*", "wttr.internal.example/");
    covers("api.openai.com/v1*", "api.openai.com/v1/chat");
    leaves_out("api.openai.com/v1*", "api.openai.com/v1x");
    leaves_out("*.example.com", "a.example.com/");
    leaves_out("*.example.com", "*.example.com");
    leaves_out("a*b", "a*b");
    leaves_out("a**", "a*");
    leaves_out("**", "x");
    leaves_out("a*/*", "a*/x");
    leaves_out("", "api.example.com/");
    leaves_out("", "");
    leaves_out("https://api.example.com", "https://api.example.com/x");
    leaves_out("/*", "/etc");
    leaves_out("/*", "");
    leaves_out("API.example.com", "api.example.com");
}

static void loading_refuses_or_warns(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    static const char *const good[] = { "*", "wttr.in*", "api.example.com/*", "api.example.com", "paste.rs/" };
    for (size_t i = 0; i < FB_COUNT(good); i++)
        assert_int_equal(tk_scope_check(fb_str_of(good[i]), &err), 0);
    static const char *const refused[] = { "**", "a*b", "*.example.com", "a**", "a*/*", "a\nb", "a\x7f" };
    for (size_t i = 0; i < FB_COUNT(refused); i++)
        assert_int_equal(tk_scope_check(fb_str_of(refused[i]), &err), FB_E_PARSE);
    assert_int_equal(tk_scope_check(FB_STR("\xff"), &err), FB_E_PARSE);
    static const char *const never[] = { "", "https://api.example.com", "/*" };
    for (size_t i = 0; i < FB_COUNT(never); i++) {
        assert_int_equal(tk_scope_check(fb_str_of(never[i]), &err), TK_SCOPE_NEVER);
        assert_non_null(strstr(err.msg, "matches no resource"));
    }
    char *text = calloc(1, TK_SCOPE_MAX_BYTES + 1);
    assert_non_null(text);
    memset(text, 'a', TK_SCOPE_MAX_BYTES + 1);
    assert_int_equal(tk_scope_check(fb_str_n(text, TK_SCOPE_MAX_BYTES), &err), 0);
    assert_int_equal(tk_scope_check(fb_str_n(text, TK_SCOPE_MAX_BYTES + 1), &err), FB_E_LIMIT);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_table_holds),
        cmocka_unit_test(queries_stars_and_useless_scopes),
        cmocka_unit_test(loading_refuses_or_warns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
