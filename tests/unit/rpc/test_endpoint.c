/* Where a URL of an Authority leads: what is accepted, what is refused, and that localhost is never looked up. */
#include "rpc_test.h"

#include "base/fd.h"
#include "rpc/client.h"
#include "rpc/endpoint_priv.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static void refused(const char *url, const char *words)
{
    struct rp_endpoint ep;
    struct fb_err err = { 0 };

    assert_int_equal(rp_url_check(url, NULL), FB_E_CONFIG_VALIDATION);
    assert_int_equal(rp_endpoint_resolve(url, &ep, &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(ep.n_addrs, 0);
    if (strstr(err.msg, words) == NULL)
        fail_msg("'%s', not '%s'", err.msg, words);
}

static void urls_that_are_none_of_ours_are_refused_with_the_reason(void **state)
{
    (void)state;
    refused("https://127.0.0.1:1", "TLS is not supported");
    refused("127.0.0.1:1", "must begin with http://");
    refused("", "must begin with http://");
    refused("HTTP://127.0.0.1:1", "must begin with http://");
    refused("http://127.0.0.1", "no port");
    refused("http://127.0.0.1:0", "");
    refused("http://127.0.0.1:65536", "");
    refused("http://user@127.0.0.1:1", "");
    refused("http://127.0.0.1:1/path", "");
    refused("http://", "");
    refused("http://:1", "");
    refused("http://[::1:1", "");
    refused("http://a b:1", "");
}

static void a_url_has_a_longest_length(void **state)
{
    char url[RP_URL_MAX_BYTES + 2];
    struct fb_err err = { 0 };

    (void)state;
    memset(url, 'a', sizeof(url));
    memcpy(url, "http://", 7);
    url[RP_URL_MAX_BYTES] = '\0'; /* long enough to be refused for its host, not for its length */
    assert_int_equal(rp_url_check(url, &err), FB_E_CONFIG_VALIDATION);
    assert_null(strstr(err.msg, "longer than 512"));
    url[RP_URL_MAX_BYTES] = 'a';
    url[RP_URL_MAX_BYTES + 1] = '\0';
    assert_int_equal(rp_url_check(url, &err), FB_E_CONFIG_VALIDATION);
    assert_non_null(strstr(err.msg, "longer than 512"));
}

static void addresses_become_themselves(void **state)
{
    struct rp_endpoint ep;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&ep.addrs[0];
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)&ep.addrs[0];

    (void)state;
    assert_int_equal(rp_endpoint_resolve("http://127.0.0.9:50051/", &ep, NULL), 0);
    assert_int_equal(ep.n_addrs, 1);
    assert_int_equal(ntohl(v4->sin_addr.s_addr), 0x7f000009);
    assert_int_equal(ntohs(v4->sin_port), 50051);
    assert_string_equal(ep.authority, "127.0.0.9:50051");
    assert_int_equal(rp_endpoint_resolve("http://[::1]:7", &ep, NULL), 0);
    assert_int_equal(ep.n_addrs, 1);
    assert_true(IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr));
    assert_string_equal(ep.authority, "[::1]:7");
}

static void localhost_is_both_loopbacks_without_a_resolver(void **state)
{
    struct rp_endpoint ep;

    (void)state;
    assert_int_equal(rp_endpoint_resolve("http://localhost:7", &ep, NULL), 0);
    assert_int_equal(ep.n_addrs, 2);
    assert_int_equal(ep.addrs[0].ss_family, AF_INET6);
    assert_int_equal(ep.addrs[1].ss_family, AF_INET);
}

static void a_refused_connection_is_told_by_name(void **state)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct rp_endpoint ep;
    struct rp_issue_reply reply;
    struct fb_err err = { 0 };
    char url[64];

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0); /* bound, but nobody listens */
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", (unsigned)ntohs(sa.sin_port));
    assert_int_equal(rp_endpoint_resolve(url, &ep, NULL), 0);
    const struct rp_issue_request q = { .agent_id = FB_STR("a") };
    assert_int_equal(rp_issue_capability(url, &q, 5000, &reply, &err), FB_E_AUTHORITY_UNREACHABLE);
    assert_non_null(strstr(err.msg, ep.authority));
    fb_fd_close(&fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_that_are_none_of_ours_are_refused_with_the_reason),
        cmocka_unit_test(a_url_has_a_longest_length),
        cmocka_unit_test(addresses_become_themselves),
        cmocka_unit_test(localhost_is_both_loopbacks_without_a_resolver),
        cmocka_unit_test(a_refused_connection_is_told_by_name),
    };
    return cmocka_run_group_tests_name("rpc/endpoint", tests, NULL, NULL);
}
