/* The version of line 3: the vectors of the worked example, and a directory that is not there. */
#include "sidecar/policydir.h"

#include "base/fs.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void put(const char *dir, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(fb_fs_create(path, 0600, text, strlen(text), NULL), 0);
}

static void test_versions(void **state)
{
    (void)state;
    char dir[] = "/tmp/firma-test-XXXXXX";
    char version[SC_POLICYDIR_VERSION_CHARS + 1];
    size_t n = 9;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(sc_policydir_version("/nonexistent/policies", version, &n, NULL), 0);
    assert_string_equal(version, "e3b0c442");
    assert_int_equal(n, 0);
    put(dir, "b-forbid.cedar", "forbid (principal, action == Firma::Action::\"communication.external.send\",\n"
                               "        resource == Firma::Resource::\"127.0.0.1:9100/deny\");\n");
    put(dir, "a-base.cedar", "permit (principal, action == Firma::Action::\"communication.external.send\", resource)\n"
                             "when { context.risk_score < 80 };\n");
    put(dir, "schema.cedarschema", "not counted");
    assert_int_equal(sc_policydir_version(dir, version, &n, NULL), 0);
    assert_string_equal(version, "db7424a8");
    assert_int_equal(n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_versions) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
