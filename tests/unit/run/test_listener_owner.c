/* Whose a listening port is: found by address or wildcard, only while it listens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/listener_owner.h"

#include <netinet/in.h>
#include <unistd.h>

static int bound(in_addr_t at, struct sockaddr_in *ret)
{
    *ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { at } };
    socklen_t n = sizeof *ret;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)ret, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &n), 0);
    return fd;
}

static bool owner(const struct sockaddr_in *addr, uid_t *ret)
{
    *ret = (uid_t)-1;
    return run_listener_owner((const struct sockaddr *)addr, ret);
}

static void a_listener_is_ours_only_while_it_listens(void **state)
{
    struct sockaddr_in addr;
    uid_t uid;
    (void)state;
    int fd = bound(htonl(INADDR_LOOPBACK), &addr);
    assert_false(owner(&addr, &uid)); /* bound, not listening */
    assert_int_equal(listen(fd, 1), 0);
    assert_true(owner(&addr, &uid));
    assert_int_equal(uid, geteuid());
    struct sockaddr_in other = addr;
    other.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    assert_false(owner(&other, &uid));
    (void)close(fd);
    assert_false(owner(&addr, &uid));
}

static void a_wildcard_counts_for_every_address(void **state)
{
    struct sockaddr_in addr;
    uid_t uid;
    (void)state;
    int fd = bound(htonl(INADDR_ANY), &addr);
    assert_int_equal(listen(fd, 1), 0);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(owner(&addr, &uid));
    assert_int_equal(uid, geteuid());
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_is_ours_only_while_it_listens),
        cmocka_unit_test(a_wildcard_counts_for_every_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
