/* Shows that our TOML reader agrees with the public toml-test suite for TOML 1.0.0: every valid file gives the tagged
 * JSON beside it, every invalid one is refused with a line and a column. Usage: toml_corpus [FOLDER]. */
#include "base/toml.h"
#include "corpus.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static bool same(const struct fb_toml *node, json_t *want);

/* jansson refuses a NUL in an object's key, so a private character stands in for it on both sides. */
static json_t *load(const char *path)
{
    size_t n;
    char *text = corpus_read(path, &n);
    if (text == NULL)
        return NULL;
    for (char *p = text; (p = strstr(p, "\\u0000")) != NULL; p += 6) {
        if (p == text || p[-1] != '\\')
            memcpy(p, "\\uE000", 6);
    }
    json_t *json = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    return json;
}

/* The same for what we have read; static storage. */
static struct fb_str stand_in(struct fb_str s)
{
    static char out[4096];
    if (s.n == 0 || memchr(s.p, '\0', s.n) == NULL || s.n * 3 > sizeof out)
        return s;
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\0') {
            out[n++] = s.p[i];
            continue;
        }
        memcpy(out + n, "\xee\x80\x80", 3);
        n += 3;
    }
    return fb_str_n(out, n);
}

/* Fractions of a second may be written with more or fewer zeros. */
static void drop_zeros(char *s)
{
    char *dot = strchr(s, '.');
    if (dot == NULL)
        return;
    char *end = dot + 1;
    while (*end >= '0' && *end <= '9')
        end++;
    char *last = end;
    while (last > dot + 1 && last[-1] == '0')
        last--;
    if (last == dot + 1)
        last = dot;
    memmove(last, end, strlen(end) + 1);
}

static bool same_time(struct fb_str got, const char *want)
{
    char a[128];
    char b[128];
    snprintf(a, sizeof a, "%.*s", FB_STR_ARG(got));
    snprintf(b, sizeof b, "%s", want);
    drop_zeros(a);
    drop_zeros(b);
    return strcmp(a, b) == 0;
}

static bool same_float(double got, const char *want)
{
    if (strcmp(want, "nan") == 0)
        return isnan(got);
    if (strcmp(want, "inf") == 0 || strcmp(want, "+inf") == 0)
        return isinf(got) && got > 0;
    if (strcmp(want, "-inf") == 0)
        return isinf(got) && got < 0;
    return got == strtod(want, NULL);
}

static const char *time_name(enum fb_toml_time kind)
{
    static const char *const names[] = { "datetime", "datetime-local", "date-local", "time-local" };
    return names[kind];
}

static bool same_scalar(const struct fb_toml *node, const char *type, const char *value, size_t value_n)
{
    char text[32];
    switch (node->kind) {
    case FB_TOML_STRING:
        return strcmp(type, "string") == 0 && fb_str_eq(stand_in(node->s), fb_str_n(value, value_n));
    case FB_TOML_INTEGER:
        snprintf(text, sizeof text, "%lld", (long long)node->i);
        return strcmp(type, "integer") == 0 && strcmp(value, text) == 0;
    case FB_TOML_FLOAT:
        return strcmp(type, "float") == 0 && same_float(node->f, value);
    case FB_TOML_BOOL:
        return strcmp(type, "bool") == 0 && strcmp(value, node->b ? "true" : "false") == 0;
    case FB_TOML_DATETIME:
        return strcmp(type, time_name(node->time_kind)) == 0 && same_time(node->s, value);
    case FB_TOML_ARRAY:
    case FB_TOML_TABLE:
        break;
    }
    return false;
}

static bool same_table(const struct fb_toml *node, json_t *want)
{
    if (!json_is_object(want) || json_object_size(want) != node->count)
        return false;
    for (const struct fb_toml *m = node->first; m != NULL; m = m->next) {
        struct fb_str key = stand_in(m->key);
        json_t *v = json_object_getn(want, key.p, key.n);
        if (v == NULL || !same(m, v))
            return false;
    }
    return true;
}

static bool same(const struct fb_toml *node, json_t *want)
{
    if (node->kind == FB_TOML_TABLE)
        return same_table(node, want);
    if (node->kind == FB_TOML_ARRAY) {
        if (!json_is_array(want) || json_array_size(want) != node->count)
            return false;
        size_t i = 0;
        for (const struct fb_toml *m = node->first; m != NULL; m = m->next) {
            if (!same(m, json_array_get(want, i++)))
                return false;
        }
        return true;
    }
    json_t *type = json_object_get(want, "type");
    json_t *value = json_object_get(want, "value");
    return json_is_string(type) && json_is_string(value) &&
           same_scalar(node, json_string_value(type), json_string_value(value), json_string_length(value));
}

static void valid(struct corpus_count *count, const char *path, const char *name, struct fb_str text)
{
    char json_path[4096];
    snprintf(json_path, sizeof json_path, "%.*s.json", (int)(strlen(path) - 5), path);
    json_t *want = load(json_path);
    struct fb_toml_doc *doc = NULL;
    struct fb_err err = { 0 };
    if (want == NULL)
        corpus_judge(count, 0, name, "the expected JSON cannot be read");
    else if (fb_toml_parse(text, name, &doc, &err) < 0)
        corpus_judge(count, 0, name, err.msg);
    else
        corpus_judge(count, same(fb_toml_root(doc), want), name, "the tree differs from the expected JSON");
    fb_toml_free(doc);
    json_decref(want);
}

static void invalid(struct corpus_count *count, const char *name, struct fb_str text)
{
    struct fb_toml_doc *doc = NULL;
    struct fb_err err = { 0 };
    int rc = fb_toml_parse(text, name, &doc, &err);
    unsigned line = 0;
    unsigned col = 0;
    if (rc == 0) {
        corpus_judge(count, 0, name, "accepted");
    } else {
        int got = sscanf(err.msg + strlen(name), ":%u:%u: expected ", &line, &col);
        corpus_judge(count, rc == FB_E_PARSE && got == 2 && strstr(err.msg, ", found ") != NULL, name, err.msg);
    }
    if (getenv("TOML_CORPUS_VERBOSE") != NULL)
        printf("%s\n", err.msg);
    fb_toml_free(doc);
}

static void one(struct corpus_count *count, const char *folder, const char *name)
{
    char path[4096];
    size_t n = strlen(name);
    if (n < 5 || strcmp(name + n - 5, ".toml") != 0)
        return;
    snprintf(path, sizeof path, "%s/tests/%s", folder, name);
    char *text = corpus_read(path, &n);
    if (text == NULL)
        corpus_judge(count, 0, name, "cannot be read");
    else if (strncmp(name, "valid/", 6) == 0)
        valid(count, path, name, fb_str_n(text, n));
    else
        invalid(count, name, fb_str_n(text, n));
    free(text);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return corpus_start("toml");
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/files-toml-1.0.0", argv[1]);
    FILE *list = fopen(path, "r");
    if (list == NULL) {
        printf("skipped: no list of files at %s\n", path);
        return 77;
    }
    struct corpus_count count = { 0 };
    char line[1024];
    while (fgets(line, sizeof line, list) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        one(&count, argv[1], line);
    }
    fclose(list);
    return corpus_end(&count);
}
