/* The revocation file: what each line means, and that the list only grows. */
#include "authority/revlog.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ID1 "79dd9ffb-ebc8-4883-8f1e-72eb74a26e31"
#define ID2 "79dd9ffb-ebc8-4883-8f1e-72eb74a26e32"
#define ID3 "ctok_01h455vb4pex5vsknk084sn02q"
#define NS 1000000000LL
/* 2026-05-18T08:00:00Z */
#define NOW (1779091200LL * NS)

static int merge(struct au_revlog *l, const char *text)
{
    return au_revlog_merge(l, fb_str_of(text), "file", NOW, 3600, NULL);
}

static void lines_mean_id_time_and_a_reason_that_may_hold_tabs(void **state)
{
    struct au_revlog l;

    (void)state;
    au_revlog_init(&l);
    assert_int_equal(
        merge(&l, "\n  \n" ID1 "\t2026-05-18T07:30:00Z\tlost\tand found\r\n" ID2 "\n" ID3 "\tyesterday\twhy\n"), 3);
    assert_int_equal(l.items[0].at_ns, NOW - 1800 * NS);
    assert_string_equal(l.items[0].reason, "lost\tand found");
    assert_int_equal(l.items[1].at_ns, NOW); /* a bare id counts from now */
    assert_string_equal(l.items[1].reason, AU_REVOCATION_DEFAULT_REASON);
    assert_int_equal(l.items[2].at_ns, NOW); /* so does a bad date */
    assert_string_equal(l.items[2].reason, "why");
    assert_true(au_revlog_has(&l, FB_STR(ID2)));
    assert_false(au_revlog_has(&l, FB_STR("other")));
    au_revlog_done(&l);
}

static void an_entry_expires_after_the_longest_life_of_a_token(void **state)
{
    struct au_revlog l;

    (void)state;
    au_revlog_init(&l);
    assert_int_equal(merge(&l, ID1 "\t2026-05-18T07:00:00Z\tat the limit\n" ID2 "\t2026-05-18T06:59:59Z\tpast it\n"),
                     1);
    assert_string_equal(l.items[0].token_id, ID1);
    au_revlog_done(&l);
}

static void the_first_line_of_an_id_wins_and_a_second_reading_adds_only_what_is_new(void **state)
{
    struct au_revlog l;

    (void)state;
    au_revlog_init(&l);
    assert_int_equal(merge(&l, ID1 "\t2026-05-18T08:00:00Z\tone\n" ID1 "\t2026-05-18T08:00:00Z\ttwo\n"), 1);
    assert_string_equal(l.items[0].reason, "one");
    assert_int_equal(merge(&l, ID2 "\n"), 1);
    assert_int_equal(merge(&l, ""), 0); /* an emptied file un-revokes nothing */
    assert_int_equal(l.n, 2);
    au_revlog_done(&l);
}

static void lines_without_an_id_are_passed_over(void **state)
{
    struct au_revlog l;

    (void)state;
    fb_log_set_level(FB_LOG_OFF);
    au_revlog_init(&l);
    assert_int_equal(merge(&l, "hello\n\tx\ty\n79DD9FFB-EBC8-4883-8F1E-72EB74A26E31\n" ID1 "\tx\t\xff\n" ID2 "\n"), 1);
    assert_string_equal(l.items[0].token_id, ID2);
    au_revlog_done(&l);
}

static void many_ids_are_all_found_again(void **state)
{
    struct au_revlog l;
    char id[64];

    (void)state;
    au_revlog_init(&l);
    for (int i = 0; i < 5000; i++) {
        snprintf(id, sizeof(id), "id-%d", i);
        assert_int_equal(au_revlog_add(&l, fb_str_of(id), FB_STR("r"), i, NULL), 1);
        assert_int_equal(au_revlog_add(&l, fb_str_of(id), FB_STR("r"), i, NULL), 0);
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(id, sizeof(id), "id-%d", i);
        assert_true(au_revlog_has(&l, fb_str_of(id)));
    }
    assert_int_equal(l.n, 5000);
    au_revlog_done(&l);
}

static void the_file_is_appended_to_once_an_id_and_compacted_in_order(void **state)
{
    char dir[] = "/tmp/firma-rev-XXXXXX";
    char path[64];
    struct fb_buf text;
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/r.txt", dir);
    assert_int_equal(au_revlog_file_add(path, FB_STR(ID2), FB_STR("b"), NOW, NULL), 0);
    assert_int_equal(au_revlog_file_add(path, FB_STR(ID2), FB_STR("again"), NOW, NULL), 1);
    assert_int_equal(au_revlog_file_add(path, FB_STR(ID1), FB_STR("a"), NOW, NULL), 0);
    assert_int_equal(au_revlog_file_add(path, FB_STR(ID3), FB_STR("two\nlines"), NOW, NULL), FB_E_CONFIG_VALIDATION);
    assert_int_equal(au_revlog_file_add(path, FB_STR("x"), FB_STR("a"), NOW, NULL), FB_E_CONFIG_VALIDATION);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    fb_buf_init(&text, 4096);
    assert_int_equal(au_revlog_file_compact(path, NOW, 3600, NULL), 0);
    assert_int_equal(fb_fs_read(path, FB_FS_PRIVATE, &text, NULL), 0);
    assert_string_equal(text.p, ID1 "\t2026-05-18T08:00:00+00:00\ta\n" ID2 "\t2026-05-18T08:00:00+00:00\tb\n");
    assert_int_equal(au_revlog_file_compact(path, NOW + 3601 * NS, 3600, NULL), 0);
    fb_buf_reset(&text);
    assert_int_equal(fb_fs_read(path, FB_FS_PRIVATE, &text, NULL), 0);
    assert_int_equal(text.n, 0);
    fb_buf_done(&text);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_mean_id_time_and_a_reason_that_may_hold_tabs),
        cmocka_unit_test(an_entry_expires_after_the_longest_life_of_a_token),
        cmocka_unit_test(the_first_line_of_an_id_wins_and_a_second_reading_adds_only_what_is_new),
        cmocka_unit_test(lines_without_an_id_are_passed_over),
        cmocka_unit_test(many_ids_are_all_found_again),
        cmocka_unit_test(the_file_is_appended_to_once_an_id_and_compacted_in_order),
    };
    return cmocka_run_group_tests_name("authority/revlog", tests, NULL, NULL);
}
