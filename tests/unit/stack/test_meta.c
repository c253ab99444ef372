/* A marker's metadata: every text required, numbers in range, nothing else believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "stack/meta.h"
#include "scratch.h"

#define TEXTS                                                                                         \
    "sandbox_id = \"box\"\nagent_id = \"agent\"\nsession_id = \"sess\"\nauthority_url = \"http://a\"\n" \
    "policy_bundle_version = \"v1\"\nstarted_at = \"2026-05-18T08:00:00Z\"\n"

static int read_text(const struct scratch *s, const char *text, struct st_meta *ret)
{
    struct fb_err err = { 0 };
    scratch_file(s, "metadata.toml", text, strlen(text));
    int r = st_meta_read(s->fd, ret, &err);
    assert_int_equal(r, err.code);
    if (r < 0) {
        assert_null(ret->sandbox_id);
        assert_null(ret->started_at);
        assert_int_equal(ret->pid, 0);
    }
    return r;
}

static void a_whole_one_is_read(void **state)
{
    struct st_meta m;
    assert_int_equal(read_text(*state, TEXTS "pid = 7\npid_start_ticks = 99\nlater_key = [1]\n", &m), 0);
    assert_string_equal(m.sandbox_id, "box");
    assert_string_equal(m.agent_id, "agent");
    assert_string_equal(m.session_id, "sess");
    assert_string_equal(m.authority_url, "http://a");
    assert_string_equal(m.policy_bundle_version, "v1");
    assert_string_equal(m.started_at, "2026-05-18T08:00:00Z");
    assert_int_equal(m.pid, 7);
    assert_int_equal(m.pid_start_ticks, 99);
    st_meta_done(&m);
    st_meta_done(&m);
    assert_int_equal(read_text(*state, TEXTS, &m), 0);
    assert_int_equal(m.pid, 0);
    assert_int_equal(m.pid_start_ticks, 0);
    st_meta_done(&m);
}

static void numbers_keep_to_their_range(void **state)
{
    static const char *const bad[] = { TEXTS "pid = -1\n", TEXTS "pid = 4294967296\n", TEXTS "pid = \"7\"\n",
                                       TEXTS "pid = 7.0\n", TEXTS "pid_start_ticks = -1\n", TEXTS "pid_start_ticks = true\n" };
    struct st_meta m;
    assert_int_equal(read_text(*state, TEXTS "pid = 4294967295\npid_start_ticks = 9223372036854775807\n", &m), 0);
    assert_int_equal(m.pid, UINT32_MAX);
    assert_int_equal(m.pid_start_ticks, INT64_MAX);
    st_meta_done(&m);
    for (size_t i = 0; i < FB_COUNT(bad); i++)
        assert_int_equal(read_text(*state, bad[i], &m), FB_E_MARKER_PARSE);
}

static void each_text_is_required_and_a_text(void **state)
{
    static const char *const keys[] = { "sandbox_id", "agent_id", "session_id", "authority_url", "policy_bundle_version",
                                        "started_at" };
    static const char *const values[] = { NULL, "1", "\"a\\u0000b\"" }; /* missing, a number, a NUL in the middle */
    struct st_meta m;
    for (size_t k = 0; k < FB_COUNT(keys); k++)
        for (size_t v = 0; v < FB_COUNT(values); v++) {
            char text[1024];
            size_t used = 0;
            for (size_t i = 0; i < FB_COUNT(keys); i++)
                if (i != k || values[v] != NULL)
                    used += (size_t)snprintf(text + used, sizeof text - used, "%s = %s\n", keys[i], i == k ? values[v] : "\"x\"");
            assert_int_equal(read_text(*state, text, &m), FB_E_MARKER_PARSE);
        }
    assert_int_equal(read_text(*state, "", &m), FB_E_MARKER_PARSE);
    assert_int_equal(read_text(*state, "sandbox_id = ", &m), FB_E_MARKER_PARSE);
}

static void what_cannot_be_read_is_io(void **state)
{
    struct scratch *s = *state;
    struct fb_err err = { 0 };
    struct st_meta m;
    assert_int_equal(st_meta_read(s->fd, &m, &err), FB_E_IO);
    assert_int_equal(mkdirat(s->fd, "metadata.toml", 0700), 0);
    assert_int_equal(st_meta_read(s->fd, &m, &err), FB_E_IO);
    assert_int_equal(unlinkat(s->fd, "metadata.toml", AT_REMOVEDIR), 0);
    assert_int_equal(mkfifoat(s->fd, "metadata.toml", 0600), 0);
    assert_int_equal(st_meta_read(s->fd, &m, &err), FB_E_IO); /* and does not wait for a writer */
}

static void a_file_of_64_kib_is_read_one_byte_more_is_not(void **state)
{
    struct scratch *s = *state;
    struct st_meta m;
    struct fb_err err = { 0 };
    char *text = malloc(ST_META_MAX_BYTES + 1);
    assert_non_null(text);
    memset(text, '\n', ST_META_MAX_BYTES + 1);
    memcpy(text, TEXTS, sizeof TEXTS - 1);
    scratch_file(s, "metadata.toml", text, ST_META_MAX_BYTES);
    assert_int_equal(st_meta_read(s->fd, &m, NULL), 0);
    st_meta_done(&m);
    scratch_file(s, "metadata.toml", text, ST_META_MAX_BYTES + 1);
    assert_int_equal(st_meta_read(s->fd, &m, &err), FB_E_IO);
    assert_null(m.sandbox_id);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_whole_one_is_read, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(numbers_keep_to_their_range, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(each_text_is_required_and_a_text, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_io, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_file_of_64_kib_is_read_one_byte_more_is_not, scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
