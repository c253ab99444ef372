/* Checking a log: what was altered, deleted, reordered, put in or cut is named. */
#include "fixture.h"

struct written {
    struct fb_buf text;
    struct fb_buf head;
    struct fb_str line[6]; /* with line feeds */
};

static struct written write_six(struct place *p)
{
    struct written w;
    struct fa_log *log = open_log(p);
    write_events(p, log, 6);
    assert_int_equal(fa_log_close(log, 5000, NULL), 0);
    fb_buf_init(&w.text, 1 << 20);
    fb_buf_init(&w.head, 1 << 16);
    read_file(p->log, &w.text);
    read_file(p->head, &w.head);
    struct fb_str rest = fb_buf_str(&w.text);
    for (int i = 0; i < 6; i++) {
        size_t n = fb_str_index(rest, '\n') + 1;
        w.line[i] = fb_str_n(rest.p, n);
        rest = fb_str_n(rest.p + n, rest.n - n);
    }
    assert_int_equal(rest.n, 0);
    return w;
}

/* The lines in @order ("012345" is the log as it is), checked with the head. */
static struct verdict check(struct place *p, const struct written *w, const char *order)
{
    struct fb_buf text;
    fb_buf_init(&text, 1 << 20);
    for (; *order != '\0'; order++)
        assert_int_equal(fb_buf_adds(&text, w->line[*order - '0']), 0);
    struct verdict v = verify_text(fb_buf_str(&p->public_key), fb_buf_str(&text), fb_buf_str(&w->head));
    fb_buf_done(&text);
    return v;
}

static void drop_six(struct written *w)
{
    fb_buf_done(&w->text);
    fb_buf_done(&w->head);
}

static void deleted_reordered_repeated_and_cut_lines_show(void **state)
{
    struct place *p = *state;
    struct written w = write_six(p);
    assert_int_equal(check(p, &w, "012345").code, 0);
    struct verdict v = check(p, &w, "01345");
    assert_int_equal(v.code, 1);
    assert_non_null(strstr(v.text, "lines 3 to 3 are missing before this one (line 4)"));
    v = check(p, &w, "12345");
    assert_non_null(strstr(v.text, "lines 1 to 1 are missing"));
    v = check(p, &w, "021345");
    assert_int_equal(v.bad, 0);
    assert_non_null(strstr(v.text, "repeated or reordered"));
    v = check(p, &w, "0112345");
    assert_non_null(strstr(v.text, "repeated or reordered"));
    v = check(p, &w, "01234");
    assert_int_equal(v.chain_bad, 0);
    assert_non_null(strstr(v.text, "lines 6 to 6 were cut off"));
    v = check(p, &w, "");
    assert_non_null(strstr(v.text, "lines 1 to 6 were cut off"));
    assert_int_equal(v.code, 1);
    drop_six(&w);
}

static void altered_lines_and_lines_of_another_key_show(void **state)
{
    struct place *p = *state;
    struct written w = write_six(p);
    char *decision = strstr(w.line[2].p, "\"decision\":2");
    decision[11] = '1';
    struct verdict v = check(p, &w, "012345");
    assert_int_equal(v.bad, 1);
    assert_int_equal(v.code, 1);
    decision[11] = '2';
    char *prev = strstr(w.line[3].p, "\"prev_hash\":\"");
    prev[13] = prev[13] == '0' ? '1' : '0';
    v = check(p, &w, "012345");
    assert_int_equal(v.bad, 0);
    assert_true(v.chain_bad >= 1);
    prev[13] = prev[13] == '0' ? '1' : '0';
    /* The same lines, another key. */
    v = verify_text(FB_STR(EXAMPLE_PUBLIC), fb_buf_str(&w.text), fb_buf_str(&w.head));
    assert_int_equal(v.bad, 6);
    assert_int_equal(v.head_bad, 1);
    drop_six(&w);
}

static void lines_put_in_nonsense_and_half_lines_show(void **state)
{
    struct place *p = *state;
    struct written w = write_six(p);
    struct fb_buf text;
    fb_buf_init(&text, 1 << 20);
    (void)fb_buf_adds(&text, w.line[0]);
    (void)fb_buf_addz(&text, "nonsense\n");
    (void)fb_buf_adds(&text, fb_str_n(w.line[1].p, w.line[1].n - 20));
    struct verdict v = verify_text(fb_buf_str(&p->public_key), fb_buf_str(&text), FB_STR(""));
    assert_int_equal(v.ok, 1);
    assert_int_equal(v.bad, 2);
    assert_non_null(strstr(v.text, "line 2 not a JSON object"));
    assert_non_null(strstr(v.text, "line 3 cut in the middle"));
    fb_buf_done(&text);
    drop_six(&w);
}

static void a_log_without_a_chain_is_checked_line_by_line(void **state)
{
    (void)state;
    struct verdict v = verify_text(FB_STR(EXAMPLE_PUBLIC), FB_STR(EXAMPLE_LINE_1 "\n" EXAMPLE_LINE_2 "\n"), FB_STR(""));
    assert_int_equal(v.ok, 2);
    assert_int_equal(v.code, 0);
    assert_string_equal(v.text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(deleted_reordered_repeated_and_cut_lines_show, make_place, drop_place),
        cmocka_unit_test_setup_teardown(altered_lines_and_lines_of_another_key_show, make_place, drop_place),
        cmocka_unit_test_setup_teardown(lines_put_in_nonsense_and_half_lines_show, make_place, drop_place),
        cmocka_unit_test(a_log_without_a_chain_is_checked_line_by_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
