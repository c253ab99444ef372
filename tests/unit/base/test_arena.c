/* The arena: alignment, its cap, reuse without the heap. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void allocations_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    struct fb_arena a;
    fb_arena_init(&a, 1 << 20);
    char *before = NULL;
    for (size_t n = 0; n < 100; n++) {
        char *p = fb_arena_alloc(&a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        assert_ptr_not_equal(p, before);
        memset(p, 0xAA, n);
        before = p;
    }
    fb_arena_done(&a);
    fb_arena_done(NULL);
}

static void the_cap_is_kept_exactly(void **state)
{
    (void)state;
    struct fb_arena a;
    fb_arena_init(&a, 64);
    assert_non_null(fb_arena_alloc(&a, 64));
    assert_null(fb_arena_alloc(&a, 1));
    assert_null(fb_arena_alloc(&a, 0));
    fb_arena_reset(&a);
    assert_null(fb_arena_alloc(&a, 65));
    assert_non_null(fb_arena_alloc(&a, 64));
    fb_arena_done(&a);
}

static void products_and_sizes_that_overflow_give_null(void **state)
{
    (void)state;
    struct fb_arena a;
    fb_arena_init(&a, SIZE_MAX);
    assert_null(fb_arena_calloc(&a, SIZE_MAX / 2, 3));
    assert_null(fb_arena_alloc(&a, SIZE_MAX));
    assert_null(fb_arena_str(&a, fb_str_n("", SIZE_MAX)).p);
    fb_arena_done(&a);
}

static void a_reset_arena_reuses_its_blocks(void **state)
{
    (void)state;
    struct fb_arena a;
    fb_arena_init(&a, 10 << 20);
    void *first = fb_arena_alloc(&a, 10);
    for (int i = 0; i < 100; i++)
        assert_non_null(fb_arena_alloc(&a, 10000));
    void *big = fb_arena_alloc(&a, 100000);
    assert_non_null(big);
    struct fb_arena_block *block = a.first;
    fb_arena_reset(&a);
    assert_int_equal(a.used_bytes, 0);
    assert_ptr_equal(fb_arena_alloc(&a, 10), first);
    assert_ptr_equal(a.first, block);
    fb_arena_done(&a);
}

static void texts_are_copied_and_end_in_nul(void **state)
{
    (void)state;
    struct fb_arena a;
    fb_arena_init(&a, 1000);
    struct fb_str s = fb_arena_str(&a, fb_str_n("hello!", 5));
    assert_string_equal(s.p, "hello");
    assert_int_equal(s.n, 5);
    s = fb_arena_fmt(&a, "%s-%d", "x", 42);
    assert_string_equal(s.p, "x-42");
    assert_int_equal(s.n, 4);
    assert_null(fb_arena_fmt(&a, "%2000d", 1).p);
    unsigned char *zeroed = fb_arena_calloc(&a, 10, 10);
    for (int i = 0; i < 100; i++)
        assert_int_equal(zeroed[i], 0);
    fb_arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_do_not_overlap),
        cmocka_unit_test(the_cap_is_kept_exactly),
        cmocka_unit_test(products_and_sizes_that_overflow_give_null),
        cmocka_unit_test(a_reset_arena_reuses_its_blocks),
        cmocka_unit_test(texts_are_copied_and_end_in_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
