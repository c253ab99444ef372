/* gRPC framing: messages come out whole however the bytes are cut, and nothing past a limit is held. */
#include "rpc_test.h"

#include "base/err.h"
#include "rpc/bounds.h"
#include "rpc/frame.h"

struct seen {
    size_t n;
    size_t bytes;
    char last[16];
};

static int note(void *arg, struct fb_str m)
{
    struct seen *s = arg;

    s->n++;
    s->bytes += m.n;
    snprintf(s->last, sizeof(s->last), "%.*s", FB_STR_ARG(m));
    return 0;
}

static const char two[] = "\0\0\0\0\3abc\0\0\0\0\0\0\0\0\0\2de";

static void messages_come_out_of_one_piece_and_of_single_bytes(void **state)
{
    struct rp_frame f;

    (void)state;
    for (size_t step = 1; step < sizeof(two); step++) {
        struct seen s = { 0 };
        rp_frame_init(&f, 16);
        for (size_t at = 0; at < sizeof(two) - 1; at += step) {
            size_t left = sizeof(two) - 1 - at;
            assert_int_equal(rp_frame_feed(&f, two + at, left < step ? left : step, note, &s), 0);
        }
        assert_int_equal(s.n, 3);
        assert_int_equal(s.bytes, 5);
        assert_string_equal(s.last, "de");
        assert_true(rp_frame_at_boundary(&f));
        rp_frame_done(&f);
    }
}

static void a_message_at_the_limit_passes_and_one_past_it_sticks(void **state)
{
    struct seen s = { 0 };
    struct rp_frame f;

    (void)state;
    rp_frame_init(&f, 3);
    assert_int_equal(rp_frame_feed(&f, "\0\0\0\0\3abc", 8, note, &s), 0);
    assert_int_equal(rp_frame_feed(&f, "\0\0\0\0\4", 5, note, &s), FB_E_LIMIT);
    assert_int_equal(rp_frame_feed(&f, "\0\0\0\0\1x", 6, note, &s), FB_E_LIMIT);
    assert_int_equal(s.n, 1);
    assert_false(rp_frame_at_boundary(&f));
    rp_frame_done(&f);
}

static void a_compressed_message_is_refused(void **state)
{
    struct seen s = { 0 };
    struct rp_frame f;

    (void)state;
    for (int flag = 1; flag < 256; flag += 127) {
        char head[] = { (char)flag, 0, 0, 0, 1, 'x' };
        rp_frame_init(&f, 16);
        assert_int_equal(rp_frame_feed(&f, head, sizeof(head), note, &s), FB_E_PARSE);
        rp_frame_done(&f);
    }
    assert_int_equal(s.n, 0);
}

static void a_length_alone_takes_no_memory(void **state)
{
    struct seen s = { 0 };
    struct rp_frame f;

    (void)state;
    rp_frame_init(&f, RP_MESSAGE_MAX_BYTES);
    assert_int_equal(rp_frame_feed(&f, "\0\0\100\0\0x", 6, note, &s), 0);
    assert_true(rp_frame_held_bytes(&f) < 65536);
    assert_false(rp_frame_at_boundary(&f));
    rp_frame_done(&f);
}

static void a_head_that_is_written_is_read_again(void **state)
{
    unsigned char head[RP_FRAME_HEAD_BYTES];
    static const unsigned char want[] = { 0, 0x12, 0x34, 0x56, 0x78 };

    (void)state;
    rp_frame_head(head, 0x12345678);
    assert_memory_equal(head, want, sizeof(want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_out_of_one_piece_and_of_single_bytes),
        cmocka_unit_test(a_message_at_the_limit_passes_and_one_past_it_sticks),
        cmocka_unit_test(a_compressed_message_is_refused),
        cmocka_unit_test(a_length_alone_takes_no_memory),
        cmocka_unit_test(a_head_that_is_written_is_read_again),
    };
    return cmocka_run_group_tests_name("rpc/frame", tests, NULL, NULL);
}
