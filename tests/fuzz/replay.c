/* Replays a corpus folder through a fuzz harness, so that every input once found is a plain test from then on.
 * Usage: replay_<name> FOLDER. Fails when the folder cannot be read; prints how many inputs ran. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX_BYTES = 1 << 20 };

static int replay_file(const char *dir, const char *name)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return -1;
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return -1;
    /* An exact-size copy lets the address sanitizer see a read one past the end. */
    uint8_t *whole = malloc(INPUT_MAX_BYTES);
    size_t n = whole == NULL ? 0 : fread(whole, 1, INPUT_MAX_BYTES, f);
    fclose(f);
    uint8_t *exact = malloc(n == 0 ? 1 : n);
    if (whole == NULL || exact == NULL) {
        free(whole);
        free(exact);
        return -1;
    }
    memcpy(exact, whole, n);
    free(whole);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    DIR *d = opendir(argv[1]);
    if (d == NULL) {
        fprintf(stderr, "cannot open corpus folder %s\n", argv[1]);
        return 1;
    }
    unsigned ran = 0;
    unsigned failed = 0;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (e->d_name[0] == '.')
            continue;
        if (replay_file(argv[1], e->d_name) == 0)
            ran++;
        else
            failed++;
    }
    closedir(d);
    printf("%u inputs replayed, %u unreadable\n", ran, failed);
    return ran > 0 && failed == 0 ? 0 : 1;
}
