/* What the corpus runners share: finding the corpus, reading files, counting. Test code. */
#ifndef TESTS_CONFORMANCE_CORPUS_H
#define TESTS_CONFORMANCE_CORPUS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Without a folder argument a runner starts itself again through with_corpus.py, which finds and unpacks the corpus;
 * comes back only when that cannot be started. */
static inline int corpus_start(const char *name)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return 1;
    self[n] = '\0';
    char script[] = CORPUS_SCRIPT;
    char python[] = "python3";
    char *const argv[] = { python, script, (char *)name, self, NULL };
    execvp("python3", argv);
    perror("python3");
    return 1;
}

/* The whole file with a NUL after it; NULL when it cannot be read. Caller frees. */
static inline char *corpus_read(const char *path, size_t *ret_n)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NULL;
    size_t cap = 1 << 16;
    size_t n = 0;
    char *text = malloc(cap + 1);
    for (size_t got; text != NULL && (got = fread(text + n, 1, cap - n, f)) > 0;) {
        n += got;
        if (n == cap) {
            char *bigger = realloc(text, cap * 2 + 1);
            if (bigger == NULL) {
                free(text);
                text = NULL;
                break;
            }
            text = bigger;
            cap *= 2;
        }
    }
    fclose(f);
    if (text != NULL)
        text[n] = '\0';
    *ret_n = n;
    return text;
}

struct corpus_count {
    unsigned passed;
    unsigned failed;
};

static inline void corpus_judge(struct corpus_count *c, int ok, const char *what, const char *why)
{
    if (ok)
        c->passed++;
    else
        c->failed++;
    if (!ok)
        printf("FAILED %s: %s\n", what, why);
}

static inline int corpus_end(const struct corpus_count *c)
{
    printf("%u passed, %u failed\n", c->passed, c->failed);
    return c->failed == 0 && c->passed > 0 ? 0 : 1;
}

#endif
