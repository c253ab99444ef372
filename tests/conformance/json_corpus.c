/* Shows that our one door for JSON agrees with the public JSONTestSuite: y_ files are accepted, n_ files refused, i_
 * files go either way without a crash. Four y_ files are refused on purpose. Usage: json_corpus [FOLDER]. */
#include "base/json.h"
#include "corpus.h"

#include <dirent.h>
#include <string.h>

/* Legal JSON that we do not take: two readers may disagree about it. */
static const char *const on_purpose[] = {
    "y_object_duplicated_key.json",
    "y_object_duplicated_key_and_value.json",
    "y_object_escaped_null_in_key.json",
    "y_string_null_escape.json",
};

static bool is_on_purpose(const char *name)
{
    for (size_t i = 0; i < FB_COUNT(on_purpose); i++) {
        if (strcmp(name, on_purpose[i]) == 0)
            return true;
    }
    return false;
}

static void one(struct corpus_count *count, const char *folder, const char *name)
{
    char path[8192];
    size_t n;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *text = corpus_read(path, &n);
    if (text == NULL) {
        corpus_judge(count, 0, name, "cannot be read");
        return;
    }
    json_t *value = NULL;
    struct fb_err err = { 0 };
    int rc = fb_json_load(fb_str_n(text, n), name, 0, &value, &err);
    if (rc == 0)
        json_decref(value);
    free(text);
    if (name[0] == 'i')
        corpus_judge(count, 1, name, "");
    else if (name[0] == 'y')
        corpus_judge(count, (rc == 0) != is_on_purpose(name), name, rc == 0 ? "accepted" : err.msg);
    else
        corpus_judge(count, rc < 0, name, "accepted");
}

/* The tests lie in test_parsing/, at some depth below the folder. */
static int find_folder(const char *folder, char *out, size_t cap)
{
    static const char *const below[] = { "test_parsing", "JSONTestSuite/test_parsing", "json/test_parsing" };
    for (size_t i = 0; i < FB_COUNT(below); i++) {
        snprintf(out, cap, "%s/%s", folder, below[i]);
        if (access(out, R_OK) == 0)
            return 0;
    }
    return -1;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return corpus_start("json");
    char folder[4096];
    DIR *d = find_folder(argv[1], folder, sizeof folder) < 0 ? NULL : opendir(folder);
    if (d == NULL) {
        printf("skipped: no test_parsing folder below %s\n", argv[1]);
        return 77;
    }
    struct corpus_count count = { 0 };
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (strchr("yni", e->d_name[0]) != NULL && e->d_name[1] == '_')
            one(&count, folder, e->d_name);
    }
    closedir(d);
    printf("%zu valid files refused on purpose (duplicate keys, NUL)\n", FB_COUNT(on_purpose));
    return corpus_end(&count);
}
