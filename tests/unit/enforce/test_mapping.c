/* Rule files: every refusal with index and offender, scores and precedence, ports on both sides, both readings of a star with
 * the imitation paths that tell them apart, and the names the DNS stub may answer for. */
#include "fixture.h"

static struct fe_mapping *load(const char *toml)
{
    struct fe_mapping_file file = { "r.toml", fb_str_of(toml) };
    struct fe_mapping *m = NULL;
    struct fb_err err;
    if (fe_mapping_load(&file, 1, &m, &err) < 0)
        fail_msg("%s", err.msg);
    return m;
}

static int refused(const char *toml, const char *says)
{
    struct fe_mapping_file file = { "r.toml", fb_str_of(toml) };
    struct fe_mapping *m = NULL;
    struct fb_err err = { 0 };
    int rc = fe_mapping_load(&file, 1, &m, &err);
    if (rc == 0)
        fail_msg("accepted, expected: %s", says);
    if (strstr(err.msg, says) == NULL)
        fail_msg("expected '%s' in '%s'", says, err.msg);
    return rc;
}

/* Name of the class that decides, or "-". */
static const char *class_of(const struct fe_mapping *m, const char *method, bool https, const char *host, const char *path)
{
    struct fe_mapping_query q = { fe_method_of(fb_str_of(method)), https, fb_str_of(host), fb_str_of(path) };
    const struct fe_rule *r = NULL;
    int rc = fe_mapping_match(m, &q, &r);
    return rc == 1 ? fc_action_at(r->action)->name : rc == 0 ? "-" : "too much";
}

#define RULE(method, host, path, class) \
    "[[rules]]\nmethod='" method "'\nhost='" host "'\npath='" path "'\naction_class='" class "'\n"
#define HOST_RULE(host, class) "[[rules]]\nhost='" host "'\naction_class='" class "'\n"

static void files_that_are_refused(void **state)
{
    (void)state;
    assert_int_equal(refused("", "mapping rules file contains no rules"), FB_E_CONFIG_VALIDATION);
    assert_int_equal(refused("rules = [", "r.toml:1:"), FB_E_CONFIG_PARSE);
    refused("rules = []", "mapping rules file contains no rules");
    refused("rules = 1", "must be an array of tables");
    refused("[[rule]]\nhost='x'\naction_class='code.read'", "rule");
    refused(HOST_RULE("", "code.read"), "rule 0: host must not be empty");
    refused("[[rules]]\naction_class='code.read'", "rule 0: host must not be empty");
    refused(HOST_RULE("a", "code.read") HOST_RULE("b", ""), "rule 1: action_class must not be empty");
    refused("[[rules]]\nhost='a'", "rule 0: action_class must not be empty");
    refused(RULE("FETCH", "a", "/", "code.read"), "rule 0: invalid HTTP method 'FETCH'; expected one of: GET, POST, PUT, "
                                                  "DELETE, PATCH, HEAD, OPTIONS");
    refused(HOST_RULE("a", "llm.inference"), "rule 0: action class 'llm.inference' not in registry");
    refused(HOST_RULE("a", "code.read") "color='red'", "color");
    refused("glob='shell'\n" HOST_RULE("a", "code.read"), "glob must be");
    refused("[[rules]]\nhost=1\naction_class='code.read'", "host");
    refused(HOST_RULE("https://a/b", "code.read"), "must be a host alone");
    refused(HOST_RULE("a b", "code.read"), "holds a character that no host has");
    refused(RULE("GET", "a", "x", "code.read"), "can never match");
    refused(RULE("GET", "a", "/x?y=1", "code.read"), "can never match");
    refused(RULE("GET", "a", "/x%2", "code.read"), "can never match: a broken percent escape");
    refused(RULE("GET", "a", "*/x%zz", "code.read"), "can never match: a broken percent escape");
    refused(RULE("GET", "a", "/x%2564", "code.read"), "can never match: a doubly encoded character");
    refused(RULE("GET", "a", "/x%00", "code.read"), "can never match: an encoded control");
    refused(RULE("GET", "a", "/x\\y", "code.read"), "can never match: a backslash");
    refused(RULE("GET", "a", "", "code.read"), "path must not be empty");
    refused("[[rules]]\nhost='a'\naction_class='code.read'\nopaque='yes'", "opaque");
}

/* However a rule spells its path, it is compared in the form that requests have. */
static void paths_of_rules_are_brought_to_the_form_of_requests(void **state)
{
    (void)state;
    static const struct {
        const char *written;
        const char *canonical;
    } rows[] = {
        { "/%64eny", "/deny" },   { "/a//b/./c/../d/", "/a/b/d" }, { "/@s%2fname", "/@s%2Fname" }, { "/%c3%a9/*", "/%C3%A9/*" },
        { "*/%64eny/", "*/deny" }, { "*%7e", "*~" },                { "/", "/" },                  { "*", "*" },
        { "/a/%2e%2e/b", "/b" },
    };
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        char toml[256];
        snprintf(toml, sizeof toml, "[[rules]]\nhost='h'\npath='%s'\naction_class='code.read'\n", rows[i].written);
        struct fe_mapping_file file = { "r.toml", fb_str_of(toml) };
        struct fe_mapping *m = NULL;
        assert_int_equal(fe_mapping_load(&file, 1, &m, NULL), 0);
        struct fb_str path = fe_mapping_rule(m, 0)->path;
        if (!fb_str_eqz(path, rows[i].canonical))
            fail_msg("'%s' became '%.*s'", rows[i].written, FB_STR_ARG(path));
        fe_mapping_free(m);
    }
}

static void a_misspelt_class_is_corrected(void **state)
{
    (void)state;
    struct fe_mapping_file file = { "r.toml", FB_STR(HOST_RULE("a", "code.raed")) };
    struct fe_mapping *m = NULL;
    struct fb_err err = { 0 };
    assert_true(fe_mapping_load(&file, 1, &m, &err) < 0);
    assert_non_null(strstr(err.remedy, "did you mean 'code.read'"));
}

static void the_same_tuple_twice_is_refused_over_all_files(void **state)
{
    (void)state;
    refused(RULE("GET", "a", "/x", "code.read") RULE("get", "A.", "/x/", "code.write"),
            "rule 1: duplicate mapping tuple method=GET host=a path=/x");
    refused(HOST_RULE("a", "code.read") HOST_RULE("b", "code.read") HOST_RULE("a", "code.write"),
            "rule 2: duplicate mapping tuple method= host=a path=");
    refused("[[rules]]\nmethod='CONNECT'\nhost='a:443'\naction_class='code.read'\n"
            "[[rules]]\nmethod='CONNECT'\nhost='a'\naction_class='code.read'\n", "rule 1: duplicate mapping tuple");
    struct fe_mapping_file files[] = { { "a.toml", FB_STR(HOST_RULE("a", "code.read")) },
                                       { "b.toml", FB_STR(HOST_RULE("b", "code.read") HOST_RULE("a", "code.read")) } };
    struct fe_mapping *m = NULL;
    struct fb_err err = { 0 };
    assert_int_equal(fe_mapping_load(files, 2, &m, &err), FB_E_CONFIG_VALIDATION);
    assert_non_null(strstr(err.msg, "rule 2: duplicate"));
    m = load(HOST_RULE("a", "code.read") RULE("GET", "a", "/", "code.read") RULE("GET", "a", "*", "code.read"));
    assert_int_equal(fe_mapping_count(m), 3);
    fe_mapping_free(m);
}

static void scores_are_those_of_the_table(void **state)
{
    (void)state;
    static const struct {
        const char *toml;
        unsigned score;
    } rows[] = {
        { HOST_RULE("*.a", "code.read"), 0 },
        { HOST_RULE("a", "code.read"), 100 },
        { RULE("GET", "127.0.0.1:9100", "/allow", "code.read"), 126 },
        { RULE("DELETE", "a", "/repos/*/*/contents/*", "code.read"), 120 },
        { RULE("DELETE", "a", "/repos/*/*/pulls/*/reviews/*", "code.read"), 122 },
        { "[[rules]]\nhost='*'\npath='*'\naction_class='code.read'", 6 },
        { "[[rules]]\nhost='*'\npath='/v1/*'\naction_class='code.read'", 7 },
        { "[[rules]]\nhost='*'\npath='/v1/x'\naction_class='code.read'", 17 },
        { "[[rules]]\nhost='*'\npath='/'\naction_class='code.read'", 15 },
    };
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        struct fe_mapping *m = load(rows[i].toml);
        assert_int_equal(fe_mapping_rule(m, 0)->score, rows[i].score);
        assert_null(fe_mapping_rule(m, 1));
        fe_mapping_free(m);
    }
}

static void the_most_specific_rule_wins_and_among_equals_the_first(void **state)
{
    (void)state;
    struct fe_mapping *m = load("[[rules]]\nhost='*'\npath='*'\naction_class='code.read'\n"
                                HOST_RULE("a.x", "code.write") RULE("GET", "a.x", "/v1/*", "issue.read")
                                RULE("GET", "a.x", "/v1/y", "issue.write") RULE("GET", "*.x", "/v1/y", "code.merge")
                                "[[rules]]\nhost='*.b'\naction_class='payment.read'\n"
                                "[[rules]]\nhost='c.*'\naction_class='payment.tax'\n");
    assert_string_equal(class_of(m, "GET", false, "a.x", "/v1/y"), "issue.write");
    assert_string_equal(class_of(m, "GET", false, "a.x", "/v1/z"), "issue.read");
    assert_string_equal(class_of(m, "POST", false, "a.x", "/v1/y"), "code.write");
    assert_string_equal(class_of(m, "GET", false, "b.x", "/v1/y"), "code.merge");
    assert_string_equal(class_of(m, "GET", false, "b.x", "/v1/z"), "code.read");
    assert_string_equal(class_of(m, "GET", false, "elsewhere", "/"), "code.read");
    /* A path scores more than none: the catch-all beats both bare host patterns. */
    assert_string_equal(class_of(m, "GET", false, "c.b", "/"), "code.read");
    fe_mapping_free(m);
    m = load("[[rules]]\nhost='*.b'\naction_class='payment.read'\n[[rules]]\nhost='c.*'\naction_class='payment.tax'\n");
    assert_string_equal(class_of(m, "GET", false, "c.b", "/"), "payment.read");
    fe_mapping_free(m);
    m = load("[[rules]]\nhost='c.*'\naction_class='payment.tax'\n[[rules]]\nhost='*.b'\naction_class='payment.read'\n");
    assert_string_equal(class_of(m, "GET", false, "c.b", "/"), "payment.tax");
    fe_mapping_free(m);
}

static void default_ports_mean_their_scheme_on_both_sides(void **state)
{
    (void)state;
    struct fe_mapping *m = load("[[rules]]\nmethod='CONNECT'\nhost='Tls.Example.:443'\naction_class='code.read'\n"
                                HOST_RULE("secure.example:443", "code.read") HOST_RULE("plain.example:80", "code.read")
                                HOST_RULE("odd.example:8443", "code.read") HOST_RULE("bare.example", "code.read")
                                HOST_RULE("::1", "code.read") HOST_RULE("[::2]:8080", "code.read"));
    assert_string_equal(class_of(m, "CONNECT", true, "tls.example", "/"), "code.read");
    assert_string_equal(class_of(m, "GET", true, "tls.example", "/"), "-");
    assert_string_equal(class_of(m, "GET", true, "secure.example", "/"), "code.read");
    assert_string_equal(class_of(m, "GET", false, "secure.example", "/"), "-");
    assert_string_equal(class_of(m, "GET", false, "plain.example", "/"), "code.read");
    assert_string_equal(class_of(m, "GET", true, "plain.example", "/"), "-");
    assert_string_equal(class_of(m, "GET", true, "odd.example:8443", "/"), "code.read");
    assert_string_equal(class_of(m, "GET", true, "odd.example", "/"), "-");
    assert_string_equal(class_of(m, "GET", true, "bare.example", "/"), "code.read");
    assert_string_equal(class_of(m, "GET", false, "bare.example", "/"), "code.read");
    assert_string_equal(class_of(m, "GET", false, "bare.example:8080", "/"), "-");
    assert_string_equal(class_of(m, "GET", false, "[::1]", "/"), "code.read");
    assert_string_equal(class_of(m, "GET", false, "[::2]:8080", "/"), "code.read");
    fe_mapping_free(m);
}

static void imitation_paths_tell_the_two_readings_apart(void **state)
{
    (void)state;
    static const char rules[] =
        RULE("DELETE", "api.github.com", "/repos/*/*/contents/*", "code.destructive")
        RULE("DELETE", "api.github.com", "/repos/*/*/pulls/*/reviews/*", "code.review.submit")
        RULE("PUT", "api.github.com", "/repos/*/*/contents/*", "code.write")
        RULE("PUT", "api.github.com", "/repos/*/*/pulls/*/merge", "code.merge")
        RULE("GET", "api.github.com", "/repos/*/*", "code.read");
    struct fe_mapping *loose = load(rules);
    assert_string_equal(class_of(loose, "DELETE", true, "api.github.com", "/repos/o/r/contents/pulls/1/reviews/2"),
                        "code.review.submit");
    assert_string_equal(class_of(loose, "GET", true, "api.github.com", "/repos/o/r/actions/secrets"), "code.read");
    fe_mapping_free(loose);
    char strict_rules[2048];
    snprintf(strict_rules, sizeof strict_rules, "glob = \"segment\"\n%s", rules);
    struct fe_mapping *strict = load(strict_rules);
    assert_string_equal(class_of(strict, "DELETE", true, "api.github.com", "/repos/o/r/contents/pulls/1/reviews/2"), "-");
    assert_string_equal(class_of(strict, "GET", true, "api.github.com", "/repos/o/r/actions/secrets"), "-");
    assert_string_equal(class_of(strict, "GET", true, "api.github.com", "/repos/o/r"), "code.read");
    fe_mapping_free(strict);
}

static void facts_about_a_rule_are_kept(void **state)
{
    (void)state;
    struct fe_mapping *m = load(HOST_RULE("localhost:*", "code.read") "opaque=true\n" HOST_RULE("*.a", "code.read")
                                "encoded_separators=true\n");
    assert_true(fe_mapping_rule(m, 0)->names_host);
    assert_true(fe_mapping_rule(m, 0)->opaque);
    assert_false(fe_mapping_rule(m, 0)->encoded_separators);
    assert_false(fe_mapping_rule(m, 1)->names_host);
    assert_true(fe_mapping_rule(m, 1)->encoded_separators);
    fe_mapping_free(m);
}

struct seen {
    char text[512];
};

static bool note_route(void *arg, struct fb_str pattern)
{
    struct seen *s = arg;
    size_t n = strlen(s->text);
    snprintf(s->text + n, sizeof s->text - n, "%.*s ", FB_STR_ARG(pattern));
    return true;
}

static void routed_names_are_those_of_the_rules(void **state)
{
    (void)state;
    struct fe_mapping *m = load(HOST_RULE("api.x.com:8080", "code.read") HOST_RULE("*.y.com", "code.read")
                                HOST_RULE("127.0.0.1:9100", "code.read") HOST_RULE("[::1]", "code.read")
                                "[[rules]]\nhost='*'\npath='/x'\naction_class='code.read'\n");
    assert_true(fe_mapping_routes_host(m, FB_STR("api.x.com")));
    assert_true(fe_mapping_routes_host(m, FB_STR("a.b.y.com")));
    assert_false(fe_mapping_routes_host(m, FB_STR("y.com")));
    assert_false(fe_mapping_routes_host(m, FB_STR("example.com")));
    struct seen s = { "" };
    fe_mapping_routes(m, note_route, &s);
    assert_string_equal(s.text, "api.x.com **.y.com ");
    fe_mapping_free(m);
    m = load("glob='segment'\n" HOST_RULE("*.y.com", "code.read"));
    assert_true(fe_mapping_routes_host(m, FB_STR("a.y.com")));
    assert_false(fe_mapping_routes_host(m, FB_STR("a.b.y.com")));
    fe_mapping_free(m);
}

/* @n rules, each for a host of its own. */
static char *many_rules(size_t n)
{
    char *text = malloc(n * 64 + 1);
    assert_non_null(text);
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, n * 64 + 1 - at, "[[rules]]\nhost='h%zu'\naction_class='code.read'\n", i);
    return text;
}

static void the_number_of_rules_is_limited(void **state)
{
    (void)state;
    char *text = many_rules(FE_MAPPING_RULES_MAX);
    struct fe_mapping *m = load(text);
    assert_int_equal(fe_mapping_count(m), FE_MAPPING_RULES_MAX);
    assert_string_equal(class_of(m, "GET", false, "h16383", "/"), "code.read");
    fe_mapping_free(m);
    free(text);
    text = many_rules(FE_MAPPING_RULES_MAX + 1);
    assert_int_equal(refused(text, "more than 16384 mapping rules"), FB_E_LIMIT);
    free(text);
}

static void the_length_of_a_pattern_is_limited(void **state)
{
    (void)state;
    char path[FE_MAPPING_PATTERN_MAX_BYTES + 2];
    memset(path, 'p', sizeof path);
    path[0] = '/';
    char toml[FE_MAPPING_PATTERN_MAX_BYTES + 200];
    snprintf(toml, sizeof toml, "[[rules]]\nhost='a'\npath='%.*s'\naction_class='code.read'", FE_MAPPING_PATTERN_MAX_BYTES,
             path);
    struct fe_mapping *m = load(toml);
    fe_mapping_free(m);
    snprintf(toml, sizeof toml, "[[rules]]\nhost='a'\npath='%.*s'\naction_class='code.read'",
             FE_MAPPING_PATTERN_MAX_BYTES + 1, path);
    refused(toml, "path is longer than 1024 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_are_refused),
        cmocka_unit_test(paths_of_rules_are_brought_to_the_form_of_requests),
        cmocka_unit_test(a_misspelt_class_is_corrected),
        cmocka_unit_test(the_same_tuple_twice_is_refused_over_all_files),
        cmocka_unit_test(scores_are_those_of_the_table),
        cmocka_unit_test(the_most_specific_rule_wins_and_among_equals_the_first),
        cmocka_unit_test(default_ports_mean_their_scheme_on_both_sides),
        cmocka_unit_test(imitation_paths_tell_the_two_readings_apart),
        cmocka_unit_test(facts_about_a_rule_are_kept),
        cmocka_unit_test(routed_names_are_those_of_the_rules),
        cmocka_unit_test(the_number_of_rules_is_limited),
        cmocka_unit_test(the_length_of_a_pattern_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
