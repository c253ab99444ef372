/* The file below the log: locks that others hold, space set aside and given back, notes. */
#include "audit/file.h"
#include "fixture.h"

#include <sys/file.h>

static struct fa_key *secret_of(struct place *p)
{
    struct fa_key *key = NULL;
    assert_int_equal(fa_key_from_private_pem(fb_buf_str(&p->secret), &key, NULL), 0);
    return key;
}

static void a_lock_that_is_never_let_go_is_an_error_not_a_wait_for_ever(void **state)
{
    struct place *p = *state;
    struct fa_key *key = secret_of(p);
    struct fa_notes notes;
    struct fa_file f;
    struct fb_err err = { 0 };
    fa_notes_init(&notes);
    assert_int_equal(fa_file_init(&f, p->log, NULL, key, &notes), 0);
    assert_int_equal(fa_file_open(&f, &err), 0);
    int other = open(p->log, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_int_equal(fa_file_lock(&f, &err), FB_E_TIMEOUT);
    assert_non_null(strstr(err.msg, "locked"));
    (void)close(other);
    assert_int_equal(fa_file_lock(&f, &err), 0);
    fa_file_unlock(&f);
    fa_file_done(&f);
    fa_notes_done(&notes);
    fa_key_free(key);
}

static blkcnt_t blocks_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_blocks;
}

static void space_is_set_aside_and_given_back_by_the_last_writer(void **state)
{
    struct place *p = *state;
    struct fa_key *key = secret_of(p);
    struct fa_notes notes;
    struct fa_file f;
    struct fa_file g;
    fa_notes_init(&notes);
    assert_int_equal(fa_file_init(&f, p->log, NULL, key, &notes), 0);
    assert_int_equal(fa_file_init(&g, p->log, NULL, key, &notes), 0);
    assert_int_equal(fa_file_open(&f, NULL), 0);
    assert_int_equal(fa_file_open(&g, NULL), 0);
    fa_file_reserve_space(&f, 1 << 20);
    fa_file_reserve_space(&g, 1 << 20);
    if (f.can_reserve) {
        assert_true(blocks_of(p->log) * 512 >= 1 << 20);
        assert_int_equal(fa_file_close(&g, true, NULL), 0);
        assert_true(blocks_of(p->log) * 512 >= 1 << 20); /* f still counts on it */
    } else {
        print_message("skipped in part: this file system does not set space aside\n");
    }
    assert_int_equal(fa_file_close(&f, true, NULL), 0);
    assert_int_equal(blocks_of(p->log), 0);
    fa_file_done(&f);
    fa_file_done(&g);
    fa_notes_done(&notes);
    fa_key_free(key);
}

static void notes_come_in_order_and_say_how_many_were_dropped(void **state)
{
    (void)state;
    struct fa_notes notes;
    bool warn = false;
    char text[FA_NOTE_BYTES];
    fa_notes_init(&notes);
    assert_false(fa_notes_any(&notes));
    assert_false(fa_notes_take(&notes, &warn, text));
    for (int i = 0; i < FA_NOTES_MAX + 3; i++)
        fa_notes_add(&notes, i == 0, "note %d", i);
    assert_true(fa_notes_any(&notes));
    for (int i = 0; i < FA_NOTES_MAX; i++) {
        char want[16];
        (void)snprintf(want, sizeof want, "note %d", i);
        assert_true(fa_notes_take(&notes, &warn, text));
        assert_string_equal(text, want);
        assert_int_equal(warn, i == 0);
    }
    assert_true(fa_notes_take(&notes, &warn, text));
    assert_non_null(strstr(text, "3 more messages"));
    assert_false(fa_notes_take(&notes, &warn, text));
    fa_notes_done(&notes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lock_that_is_never_let_go_is_an_error_not_a_wait_for_ever, make_place,
                                        drop_place),
        cmocka_unit_test_setup_teardown(space_is_set_aside_and_given_back_by_the_last_writer, make_place, drop_place),
        cmocka_unit_test(notes_come_in_order_and_say_how_many_were_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
