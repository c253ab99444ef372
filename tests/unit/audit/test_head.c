/* Heads: two records, the newer good one counts, any changed byte spoils a record. */
#include "audit/head.h"
#include "fixture.h"

static void assert_same(const struct fa_head *a, const struct fa_head *b)
{
    assert_true(a->generation == b->generation && a->at.seq == b->at.seq && a->bytes == b->bytes);
    assert_true(a->updated_ns == b->updated_ns && a->sealed == b->sealed);
    assert_memory_equal(a->at.hash, b->at.hash, sizeof a->at.hash);
}

static void the_newer_good_record_counts(void **state)
{
    struct place *p = *state;
    struct fa_key *key = NULL;
    char file[FA_HEAD_FILE_BYTES] = { 0 };
    struct fa_head head = { 1, { 7, { 1, 2, 3 } }, 700, 5, false };
    struct fa_head got;
    assert_int_equal(fa_key_from_private_pem(fb_buf_str(&p->secret), &key, NULL), 0);
    assert_int_equal(fa_head_parse(fb_str_n(file, sizeof file), key, &got), FA_HEAD_MISSING);
    assert_int_equal(fa_head_parse(FB_STR(""), key, &got), FA_HEAD_MISSING);
    assert_int_equal(fa_head_format(file + FA_HEAD_RECORD_BYTES, &head, key), 0);
    assert_int_equal(fa_head_parse(fb_str_n(file, sizeof file), key, &got), FA_HEAD_VALID);
    assert_same(&got, &head);
    head.generation = 2;
    head.at.seq = 8;
    head.sealed = true;
    assert_int_equal(fa_head_format(file, &head, key), 0);
    assert_int_equal(fa_head_parse(fb_str_n(file, sizeof file), key, &got), FA_HEAD_VALID);
    assert_int_equal(got.at.seq, 8);
    assert_true(got.sealed);
    /* A torn second write leaves the first. */
    memset(file + 100, 'x', 50);
    assert_int_equal(fa_head_parse(fb_str_n(file, sizeof file), key, &got), FA_HEAD_VALID);
    assert_int_equal(got.at.seq, 7);
    memset(file + FA_HEAD_RECORD_BYTES + 100, 'x', 50);
    assert_int_equal(fa_head_parse(fb_str_n(file, sizeof file), key, &got), FA_HEAD_INVALID);
    fa_key_free(key);
}

static void every_changed_value_spoils_the_record(void **state)
{
    struct place *p = *state;
    struct fa_key *key = NULL;
    char record[FA_HEAD_RECORD_BYTES];
    struct fa_head head = { 3, { 12, { 9 } }, 4096, 77, true };
    struct fa_head got;
    assert_int_equal(fa_key_from_private_pem(fb_buf_str(&p->secret), &key, NULL), 0);
    assert_int_equal(fa_head_format(record, &head, key), 0);
    size_t end = fb_str_index(fb_str_n(record, sizeof record), '}');
    for (size_t i = 0; i < end; i++)
        for (int bit = 0; bit < 8; bit++) {
            record[i] = (char)(record[i] ^ (1 << bit));
            enum fa_head_state s = fa_head_parse(fb_str_n(record, sizeof record), key, &got);
            /* A blank more or less, or a hex digit of the other case, changes no value. */
            if (s == FA_HEAD_VALID)
                assert_same(&got, &head);
            record[i] = (char)(record[i] ^ (1 << bit));
        }
    fa_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newer_good_record_counts, make_place, drop_place),
        cmocka_unit_test_setup_teardown(every_changed_value_spoils_the_record, make_place, drop_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
