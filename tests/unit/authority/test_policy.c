/* A directory of policies: which files count and in which order, where the schema comes from, versions, reload. */
#include "loop_world.h"

#include "authority/policy.h"
#include "core/embed.h"

#define OPEN "permit(principal, action, resource);\n"
#define SMALL                                                                                                  \
    "namespace Firma { entity Agent; entity Resource; action \"a\" appliesTo { principal: [Agent], resource: " \
    "[Resource] }; }"

static struct loop_world w;

static int open_store(struct au_store *s, const char *schema_path, struct fb_err *err)
{
    *err = (struct fb_err){ 0 };
    return au_store_open(s, "policy", world_path(&w, "p"), schema_path, err);
}

static void refused(const char *words)
{
    struct au_store s;
    struct fb_err err;
    int rc = open_store(&s, "", &err);

    au_store_done(&s);
    if (rc != FB_E_POLICY_LOAD_FAILED || strstr(err.msg, words) == NULL)
        fail_msg("%d '%s', not '%s'", rc, err.msg, words);
}

static void files_are_joined_by_name_with_a_line_feed_between(void **state)
{
    struct au_store s;
    struct fb_err err;

    (void)state;
    world_write(&w, "p/b.cedar", "// b\n" OPEN);
    world_write(&w, "p/A.cedar", ""); /* an empty first file adds no line feed, a later one does */
    world_write(&w, "p/a.cedar", "");
    world_write(&w, "p/B.cedar", "// B");
    world_write(&w, "p/.cedar", "no policy(");
    world_write(&w, "p/x.cedar.bak", "no policy(");
    world_write(&w, "p/README", "no policy(");
    world_mkdir(&w, "p/sub");
    world_write(&w, "p/sub/c.cedar", "no policy(");
    assert_int_equal(open_store(&s, "", &err), 0);
    assert_string_equal(s.now->policies, "// B\n\n// b\n" OPEN);
    assert_int_equal(s.now->n_files, 4);
    assert_int_equal(cedar_policy_set_count(s.now->set), 1);
    au_store_done(&s);
}

static void no_policy_at_all_loads(void **state)
{
    struct au_store s;
    struct fb_err err;

    (void)state;
    assert_int_equal(open_store(&s, "", &err), 0);
    assert_int_equal(s.now->policies_n, 0);
    assert_int_equal(cedar_policy_set_count(s.now->set), 0);
    assert_int_equal(strlen(s.now->version), 64);
    au_store_done(&s);
}

static void the_schema_comes_from_the_key_then_the_directory_then_the_program(void **state)
{
    struct fb_str built_in = fc_asset_get("schema/firma.cedarschema");
    struct au_store s;
    struct fb_err err;

    (void)state;
    assert_int_equal(open_store(&s, "", &err), 0);
    assert_string_equal(s.now->schema_text, built_in.p);
    au_store_done(&s);
    world_write(&w, "p/schema.json", SMALL "// json");
    assert_int_equal(open_store(&s, "", &err), 0);
    assert_string_equal(s.now->schema_text, SMALL "// json");
    au_store_done(&s);
    world_write(&w, "p/schema.cedarschema", SMALL);
    assert_int_equal(open_store(&s, "", &err), 0);
    assert_string_equal(s.now->schema_text, SMALL);
    au_store_done(&s);
    world_write(&w, "other", SMALL "// other");
    assert_int_equal(open_store(&s, world_path(&w, "other"), &err), 0);
    assert_string_equal(s.now->schema_text, SMALL "// other");
    au_store_done(&s);
    assert_int_equal(open_store(&s, world_path(&w, "nowhere"), &err), FB_E_POLICY_LOAD_FAILED);
    assert_non_null(strstr(err.msg, "nowhere"));
    au_store_done(&s);
}

static void what_cannot_be_read_is_refused_by_name(void **state)
{
    struct au_store s;
    struct fb_err err = { 0 };

    (void)state;
    world_write(&w, "p/bad.cedar", "// \xff\n");
    refused("bad.cedar' is not UTF-8");
    assert_int_equal(unlink(world_path(&w, "p/bad.cedar")), 0);
    world_mkdir(&w, "p/dir.cedar");
    refused("dir.cedar");
    assert_int_equal(rmdir(world_path(&w, "p/dir.cedar")), 0);
    world_write(&w, "p/schema.cedarschema", "namespace {");
    refused("schema:1:");
    assert_int_equal(unlink(world_path(&w, "p/schema.cedarschema")), 0);
    world_write(&w, "p/a.cedar", OPEN);
    world_write(&w, "p/z.cedar", "// one\n" OPEN "forbid(oops);\n");
    refused("z.cedar:3:"); /* the place in the file, not in the joined text */
    assert_int_equal(au_store_open(&s, "policy", world_path(&w, "nowhere"), "", &err), FB_E_POLICY_LOAD_FAILED);
    assert_non_null(strstr(err.msg, "nowhere"));
    au_store_done(&s);
    assert_int_equal(au_store_open(&s, "policy", world_path(&w, "p/a.cedar"), "", &err), FB_E_POLICY_LOAD_FAILED);
    au_store_done(&s);
}

static void policies_are_held_against_the_schema(void **state)
{
    (void)state;
    world_write(&w, "p/a.cedar", "permit(principal, action == Firma::Action::\"no.such\", resource);\n");
    refused("no.such");
    world_write(&w, "p/a.cedar", "permit(principal, action, resource) when { context.risk_score == \"high\" };\n");
    refused("a.cedar:1:");
}

static void the_version_is_the_hash_of_policies_bar_and_schema(void **state)
{
    struct au_policy *p = NULL;
    struct fb_err err = { 0 };

    (void)state;
    /* Two files as the directory joins them, an empty schema: sha256 of the text and "|". */
    int rc = au_policy_from_text(FB_STR(""), FB_STR(SMALL), "x", &p, &err);
    assert_int_equal(rc, 0);
    char first[AU_VERSION_BYTES];
    memcpy(first, p->version, sizeof(first));
    au_policy_free(p);
    assert_int_equal(au_policy_from_text(FB_STR(""), FB_STR(SMALL " "), "x", &p, &err), 0);
    assert_string_not_equal(first, p->version);
    au_policy_free(p);
    assert_int_equal(au_policy_from_text(FB_STR("\n"), FB_STR(SMALL), "x", &p, &err), 0);
    assert_string_not_equal(first, p->version);
    au_policy_free(p);
    au_policy_free(NULL);
}

static void a_reload_swaps_all_or_nothing(void **state)
{
    struct au_store s;
    struct fb_err err;

    (void)state;
    world_write(&w, "p/a.cedar", OPEN);
    assert_int_equal(open_store(&s, "", &err), 0);
    const struct au_policy *first = s.now;
    assert_int_equal(au_store_reload(&s, false, &err), 0);
    assert_ptr_equal(s.now, first); /* same text: nothing happened */
    world_write(&w, "p/a.cedar", "permit(");
    assert_int_equal(au_store_reload(&s, false, &err), FB_E_POLICY_LOAD_FAILED);
    assert_ptr_equal(s.now, first);
    world_write(&w, "p/a.cedar", "// new\n" OPEN);
    world_write(&w, "p/schema.cedarschema", "broken");
    assert_int_equal(au_store_reload(&s, false, &err), FB_E_POLICY_LOAD_FAILED);
    assert_ptr_equal(s.now, first);
    world_write(&w, "p/schema.cedarschema", SMALL);
    assert_int_equal(au_store_reload(&s, false, &err), 1);
    assert_string_equal(s.now->policies, "// new\n" OPEN);
    assert_string_equal(s.now->schema_text, SMALL);
    au_store_done(&s);
}

static void a_renamed_directory_is_still_read_until_reopened(void **state)
{
    struct au_store s;
    struct fb_err err;

    (void)state;
    world_write(&w, "p/a.cedar", OPEN);
    assert_int_equal(open_store(&s, "", &err), 0);
    assert_int_equal(rename(world_path(&w, "p"), world_path(&w, "q")), 0);
    world_write(&w, "q/a.cedar", "// q\n" OPEN);
    assert_int_equal(au_store_reload(&s, false, &err), 1);
    assert_int_equal(au_store_reload(&s, true, &err), FB_E_POLICY_LOAD_FAILED); /* nothing stands at the path */
    assert_string_equal(s.now->policies, "// q\n" OPEN);
    world_mkdir(&w, "p");
    assert_int_equal(au_store_reload(&s, true, &err), 1);
    assert_int_equal(s.now->n_files, 0);
    au_store_done(&s);
}

static void limits_hold_at_and_past_them(void **state)
{
    struct au_store s;
    struct fb_err err;
    char name[64];

    (void)state;
    for (int i = 0; i < AU_POLICY_FILES_MAX; i++) {
        snprintf(name, sizeof(name), "p/%04d.cedar", i);
        world_write(&w, name, "");
    }
    assert_int_equal(open_store(&s, "", &err), 0);
    assert_int_equal(s.now->n_files, AU_POLICY_FILES_MAX);
    au_store_done(&s);
    world_write(&w, "p/more.cedar", "");
    refused("more than 1024 policy files");
}

static void policies_and_schema_fit_into_one_message_or_are_refused(void **state)
{
    struct au_store s;
    struct fb_err err;
    size_t room = AU_POLICY_TEXT_MAX_BYTES - strlen(SMALL);
    char *text = malloc(room + 2);

    (void)state;
    assert_non_null(text);
    memset(text, ' ', room + 1);
    world_write(&w, "p/schema.cedarschema", SMALL);
    text[room] = '\0';
    world_write(&w, "p/a.cedar", text);
    assert_int_equal(open_store(&s, "", &err), 0);
    assert_int_equal(s.now->policies_n + s.now->schema_n, AU_POLICY_TEXT_MAX_BYTES);
    au_store_done(&s);
    text[room] = ' ';
    text[room + 1] = '\0';
    world_write(&w, "p/a.cedar", text);
    refused("4 MiB");
    free(text);
}

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    world_mkdir(&w, "p");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_done(&w);
    return 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(files_are_joined_by_name_with_a_line_feed_between),
        T(no_policy_at_all_loads),
        T(the_schema_comes_from_the_key_then_the_directory_then_the_program),
        T(what_cannot_be_read_is_refused_by_name),
        T(policies_are_held_against_the_schema),
        T(the_version_is_the_hash_of_policies_bar_and_schema),
        T(a_reload_swaps_all_or_nothing),
        T(a_renamed_directory_is_still_read_until_reopened),
        T(limits_hold_at_and_past_them),
        T(policies_and_schema_fit_into_one_message_or_are_refused),
    };
    return cmocka_run_group_tests_name("authority/policy", tests, NULL, NULL);
}
