/* What every test of rpc/ includes. */
#ifndef TESTS_RPC_TEST_H
#define TESTS_RPC_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
