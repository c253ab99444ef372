/* Key files: exclusive creation, modes, exact lengths, halves that belong together. */
#include "fixture.h"

#include "base/fs.h"

#include <stdio.h>
#include <sys/stat.h>

struct place {
    char *dir;
    char secret[256];
    char public_key[256];
};

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    p->dir = fresh_dir();
    (void)snprintf(p->secret, sizeof p->secret, "%s/authority.key", p->dir);
    (void)snprintf(p->public_key, sizeof p->public_key, "%s/authority.pub", p->dir);
    *state = p;
    return 0;
}

static int drop_place(void **state)
{
    struct place *p = *state;
    (void)unlink(p->secret);
    (void)unlink(p->public_key);
    assert_int_equal(rmdir(p->dir), 0);
    free(p->dir);
    free(p);
    return 0;
}

static void a_pair_is_written_with_its_modes_and_read_back(void **state)
{
    struct place *p = *state;
    struct tk_secret_key made;
    struct tk_secret_key read;
    struct tk_public_key public_key;
    struct tk_public_key of;
    struct stat st;
    assert_int_equal(tk_keyfile_generate(p->secret, &made, &public_key, NULL), 0);
    assert_int_equal(stat(p->secret, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 64);
    assert_int_equal(stat(p->public_key, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(st.st_size, 32);
    assert_int_equal(tk_keyfile_read_secret(p->secret, &read, NULL), 0);
    assert_memory_equal(&read, &made, sizeof read);
    tk_keyfile_public_of(&read, &of);
    assert_memory_equal(&of, &public_key, sizeof of);
    assert_int_equal(tk_keyfile_read_public(p->public_key, &of, NULL), 0);
    assert_memory_equal(&of, &public_key, sizeof of);
}

static void an_existing_file_stays_untouched(void **state)
{
    struct place *p = *state;
    struct stat st;
    assert_int_equal(fb_fs_create(p->public_key, 0644, "old", 3, NULL), 0);
    assert_int_equal(tk_keyfile_generate(p->secret, NULL, NULL, NULL), FB_E_EXISTS);
    assert_int_not_equal(stat(p->secret, &st), 0); /* the lonely secret was removed again */
    assert_int_equal(stat(p->public_key, &st), 0);
    assert_int_equal(st.st_size, 3);
    assert_int_equal(unlink(p->public_key), 0);
    assert_int_equal(fb_fs_create(p->secret, 0600, "old", 3, NULL), 0);
    assert_int_equal(tk_keyfile_generate(p->secret, NULL, NULL, NULL), FB_E_EXISTS);
    assert_int_equal(stat(p->secret, &st), 0);
    assert_int_equal(st.st_size, 3);
    assert_int_not_equal(stat(p->public_key, &st), 0);
    assert_int_equal(tk_keyfile_generate(p->public_key, NULL, NULL, NULL), FB_E_USAGE);
}

static void wrong_lengths_halves_and_modes_are_refused(void **state)
{
    struct place *p = *state;
    struct tk_secret_key key;
    struct tk_public_key public_key;
    struct fb_err err;
    static const size_t lengths[] = { 0, 32, 63, 65, 128 };
    uint8_t bytes[128] = { 1, 2, 3 };
    for (size_t i = 0; i < FB_COUNT(lengths); i++) {
        assert_int_equal(fb_fs_create(p->secret, 0600, bytes, lengths[i], NULL), 0);
        assert_int_equal(tk_keyfile_read_secret(p->secret, &key, &err), FB_E_PARSE);
        assert_non_null(strstr(err.msg, "invalid private key"));
        assert_int_equal(unlink(p->secret), 0);
    }
    assert_int_equal(fb_fs_create(p->secret, 0600, bytes, 64, NULL), 0); /* halves that do not belong together */
    assert_int_equal(tk_keyfile_read_secret(p->secret, &key, &err), FB_E_PARSE);
    assert_int_equal(unlink(p->secret), 0);
    assert_int_equal(tk_keyfile_generate(p->secret, NULL, NULL, NULL), 0);
    assert_int_equal(chmod(p->secret, 0640), 0);
    assert_int_equal(tk_keyfile_read_secret(p->secret, &key, &err), FB_E_INSECURE);
    assert_int_equal(chmod(p->public_key, 0666), 0);
    assert_int_equal(tk_keyfile_read_public(p->public_key, &public_key, &err), FB_E_INSECURE);
    assert_int_equal(unlink(p->public_key), 0);
    assert_int_equal(tk_keyfile_read_public(p->public_key, &public_key, &err), FB_E_IO);
    assert_int_equal(fb_fs_create(p->public_key, 0644, bytes, 33, NULL), 0);
    assert_int_equal(tk_keyfile_read_public(p->public_key, &public_key, &err), FB_E_PARSE);
    assert_non_null(strstr(err.msg, "invalid public key"));
}

static void a_link_in_place_of_the_secret_is_refused(void **state)
{
    struct place *p = *state;
    struct tk_secret_key key;
    char real[300];
    (void)snprintf(real, sizeof real, "%s/real.key", p->dir);
    assert_int_equal(tk_keyfile_generate(real, NULL, NULL, NULL), 0);
    assert_int_equal(symlink(real, p->secret), 0);
    assert_int_equal(tk_keyfile_read_secret(p->secret, &key, NULL), FB_E_INSECURE);
    assert_int_equal(unlink(real), 0);
    (void)snprintf(real, sizeof real, "%s/real.pub", p->dir);
    assert_int_equal(unlink(real), 0);
}

static void the_public_path_replaces_the_last_extension(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        { "authority.key", "authority.pub" },
        { "a/b.c/authority", "a/b.c/authority.pub" },
        { "x.y.key", "x.y.pub" },
        { "/d/.hidden", "/d/.hidden.pub" },
    };
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        char *path = tk_keyfile_public_path(rows[i][0]);
        assert_string_equal(path, rows[i][1]);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pair_is_written_with_its_modes_and_read_back, make_place, drop_place),
        cmocka_unit_test_setup_teardown(an_existing_file_stays_untouched, make_place, drop_place),
        cmocka_unit_test_setup_teardown(wrong_lengths_halves_and_modes_are_refused, make_place, drop_place),
        cmocka_unit_test_setup_teardown(a_link_in_place_of_the_secret_is_refused, make_place, drop_place),
        cmocka_unit_test(the_public_path_replaces_the_last_extension),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
