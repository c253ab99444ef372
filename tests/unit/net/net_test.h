/* What the tests of src/net share. Test code. */
#ifndef TESTS_UNIT_NET_TEST_H
#define TESTS_UNIT_NET_TEST_H

#include "base/err.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Shows both texts when they differ. */
static inline void assert_text(struct fb_str got, const char *want)
{
    if (!fb_str_eqz(got, want))
        fail_msg("got '%.*s', want '%s'", FB_STR_ARG(got), want);
}

#endif
