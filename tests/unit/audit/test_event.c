/* Events: the published signed text, the JSON keys in order, cleaning and cutting. */
#include "audit/line.h"
#include "base/enc.h"
#include "fixture.h"

static void hex_hash(struct fb_str text, char out[65])
{
    struct fa_key *key = NULL;
    uint8_t digest[FA_HASH_BYTES];
    assert_int_equal(fa_key_from_public_pem(FB_STR(EXAMPLE_PUBLIC), &key, NULL), 0);
    fa_key_hash(key, text.p, text.n, digest);
    fb_enc_hex(out, digest, sizeof digest);
    fa_key_free(key);
}

static void the_published_vector_comes_out(void **state)
{
    (void)state;
    struct fa_event ev = { .event_id = FB_STR("01900000-0000-7000-8000-000000000001"),
                           .session_id = FB_STR("s1"),
                           .action = FB_STR("raw.http.GET"),
                           .resource = FB_STR("example.com/"),
                           .decision = 2,
                           .deny_reason = FB_STR("unclassified intent: x"),
                           .enforcement_latency_us = 42,
                           .timestamp_ns = INT64_C(1700000000000000000) };
    char hex[65];
    struct fb_buf text;
    fb_buf_init(&text, 4096);
    assert_int_equal(fa_event_signed_text(&text, &ev), 0);
    assert_int_equal(text.n, 127);
    hex_hash(fb_buf_str(&text), hex);
    assert_string_equal(hex, "101d883a786df8324dffdffcb0f219fe884db6f968295d97ebc6abe6c793cd1a");
    uint8_t once[FA_HASH_BYTES];
    assert_int_equal(fb_enc_unhex(once, sizeof once, fb_str_of(hex)), 0);
    hex_hash(fb_str_n((const char *)once, sizeof once), hex);
    assert_string_equal(hex, "9d6c4fa1437abc9fbf1c9ec0727ce3f4cabacad46c48ab08376807225a671c28");
    fb_buf_done(&text);
}

static void the_published_lines_are_written_key_by_key(void **state)
{
    (void)state;
    static const char *const lines[] = { EXAMPLE_LINE_1, EXAMPLE_LINE_2 };
    static const size_t text_bytes[] = { 310, 338 };
    static const char *const digests[] = { "1530c14a928f60f64fba705bc3f84de8dfbe379d4761367e3ae1657d46332d9d",
                                           "3305ed6d670d8df5d2d8670b6fbfa68226daa927dd0ec33e149b7e984b3fa89c" };
    for (size_t i = 0; i < FB_COUNT(lines); i++) {
        struct fa_line line;
        const char *why = NULL;
        struct fb_buf out;
        char hex[65];
        fb_buf_init(&out, 4096);
        assert_int_equal(fa_line_parse(fb_str_of(lines[i]), &line, &why), 0);
        assert_int_equal(fa_event_json_head(&out, &line.ev), 0);
        assert_memory_equal(out.p, lines[i], out.n);
        assert_memory_equal(lines[i] + out.n, ",\"signature\":", 13);
        fb_buf_reset(&out);
        assert_int_equal(fa_event_signed_text(&out, &line.ev), 0);
        assert_int_equal(out.n, text_bytes[i]);
        hex_hash(fb_buf_str(&out), hex);
        assert_string_equal(hex, digests[i]);
        fb_buf_done(&out);
        fa_line_done(&line);
    }
}

static void values_cannot_shift_the_signed_text(void **state)
{
    (void)state;
    char *room = malloc(FA_EVENT_ROOM_BYTES);
    struct fa_event out;
    struct fa_event ev = some_event("a\nb\r\x7f\xc2\x85\xff\xc3\xa4");
    fa_event_copy(&out, room, &ev);
    assert_true(fb_str_eqz(out.resource, "a\xEF\xBF\xBD"
                                         "b\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xc3\xa4"));
    assert_true(fb_str_eqz(out.action, "raw.http.GET"));
    free(room);
}

static void long_values_are_cut_at_a_character_and_say_so(void **state)
{
    (void)state;
    char *room = malloc(FA_EVENT_ROOM_BYTES);
    char *text = malloc(FA_RESOURCE_MAX_BYTES + 2);
    struct fa_event out;
    struct fa_event ev = some_event("");
    memset(text, 'a', FA_RESOURCE_MAX_BYTES + 2);
    ev.resource = fb_str_n(text, FA_RESOURCE_MAX_BYTES);
    fa_event_copy(&out, room, &ev);
    assert_true(fb_str_eq(out.resource, ev.resource));
    ev.resource.n++;
    fa_event_copy(&out, room, &ev);
    assert_int_equal(out.resource.n, FA_RESOURCE_MAX_BYTES);
    assert_true(fb_str_ends(out.resource, FB_STR("a[cut]")));
    memcpy(text + FA_RESOURCE_MAX_BYTES - 6, "\xc3\xa4", 2); /* the cut may not split it */
    fa_event_copy(&out, room, &ev);
    assert_true(fb_str_ends(out.resource, FB_STR("a[cut]")));
    assert_int_equal(out.resource.n, FA_RESOURCE_MAX_BYTES - 1);
    /* Every text at once at its worst still fits the room. */
    memset(text, '\n', FA_RESOURCE_MAX_BYTES + 2);
    struct fb_str worst = fb_str_n(text, FA_RESOURCE_MAX_BYTES + 2);
    ev = (struct fa_event){ worst, worst, worst, worst, worst, worst, 2,     worst, 0,    worst,
                            worst, 0,     0,     0,     0,     worst, worst, worst, worst };
    fa_event_copy(&out, room, &ev);
    assert_true(out.parent_action_id.p + out.parent_action_id.n <= room + FA_EVENT_ROOM_BYTES);
    free(text);
    free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vector_comes_out),
        cmocka_unit_test(the_published_lines_are_written_key_by_key),
        cmocka_unit_test(values_cannot_shift_the_signed_text),
        cmocka_unit_test(long_values_are_cut_at_a_character_and_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
