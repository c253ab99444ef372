/* Asks a set of policies one question: authorize POLICIES ENTITIES USER ACTION DOCUMENT HOUR
 * Prints the decision and the policies behind it. Exit status: 0 allow, 1 deny, 2 it could not be decided. */
#include <cedar/cedar.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 1 << 20, MESSAGE_MAX = 2048 };

struct input {
    struct cedar_policy_set *set;
    struct cedar_entities *ents;
    struct cedar_scratch *scratch;
};

/* The whole file on the heap; NULL, with a message, when it cannot be read or is too large. */
static char *read_file(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    char *text = file == NULL ? NULL : malloc(FILE_MAX_BYTES + 1);
    if (text == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    } else {
        *ret_len = fread(text, 1, FILE_MAX_BYTES + 1, file);
        if (ferror(file) || *ret_len > FILE_MAX_BYTES) {
            fprintf(stderr, "%s: cannot be read, or is too large\n", path);
            free(text);
            text = NULL;
        }
    }
    if (file != NULL)
        fclose(file);
    return text;
}

static void complain(const struct cedar_error *err, const char *name, const char *text, size_t len)
{
    char message[MESSAGE_MAX];
    cedar_error_render(err, name, text, len, message, sizeof message);
    fprintf(stderr, "%s\n", message);
}

static int load_policies(struct input *in, const char *path)
{
    struct cedar_error err;
    size_t len = 0;
    char *text = read_file(path, &len);
    if (text == NULL)
        return -1;
    int rc = cedar_policy_set_parse(text, len, &in->set, &err);
    if (rc != 0)
        complain(&err, path, text, len);
    free(text); /* the set keeps its own copy */
    return rc;
}

static int load_entities(struct input *in, const char *path)
{
    struct cedar_error err;
    size_t len = 0;
    char *text = read_file(path, &len);
    if (text == NULL)
        return -1;
    int rc = cedar_entities_from_json(text, len, NULL, &in->ents, &err);
    if (rc != 0)
        complain(&err, path, text, len);
    free(text);
    return rc;
}

static void print_policy(const struct cedar_policy_set *set, size_t index, const char *tail)
{
    struct cedar_str name = { NULL, 0 };
    if (!cedar_policy_annotation(set, index, "id", &name))
        name = cedar_policy_id(set, index);
    printf("  %.*s (line %u)%s\n", (int)name.len, name.ptr, (unsigned)cedar_policy_line(set, index), tail);
}

/* 0 allow, 1 deny, 2 when there is no answer: a caller must read that as deny. */
static int decide(const struct input *in, char **words, long hour)
{
    struct cedar_scratch *s = in->scratch;
    struct cedar_field field = { cedar_str_c("hour"), cedar_value_long(s, hour) };
    struct cedar_request req = {
        .principal = cedar_value_entity(s, cedar_str_c("User"), cedar_str_c(words[0])),
        .action = cedar_value_entity(s, cedar_str_c("Action"), cedar_str_c(words[1])),
        .resource = cedar_value_entity(s, cedar_str_c("Document"), cedar_str_c(words[2])),
        .context = cedar_value_record(s, &field, 1),
    };
    /* One check for all the builders above. */
    if (cedar_scratch_status(s) != 0) {
        complain(cedar_scratch_error(s), "request", NULL, 0);
        return 2;
    }
    struct cedar_answer answer;
    int rc = cedar_authorize(in->set, &req, in->ents, s, &answer);
    if (rc != 0) {
        fprintf(stderr, "no decision: %s\n", cedar_code_name(rc));
        return 2;
    }
    printf("%s\n", answer.decision == CEDAR_ALLOW ? "allow" : "deny");
    for (size_t i = 0; i < answer.n_reasons; i++)
        print_policy(in->set, answer.reasons[i], "");
    for (size_t i = 0; i < answer.n_errors; i++)
        print_policy(in->set, answer.errors[i].policy, " erred and was left out");
    return answer.decision == CEDAR_ALLOW ? 0 : 1;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    long hour = argc == 7 ? strtol(argv[6], &end, 10) : -1;
    if (argc != 7 || end == argv[6] || *end != '\0' || hour < 0 || hour > 23) {
        fprintf(stderr, "usage: authorize POLICIES ENTITIES USER ACTION DOCUMENT HOUR\n");
        return 2;
    }
    struct input in = { .scratch = cedar_scratch_new(0) };
    int status = 2;
    if (in.scratch != NULL && load_policies(&in, argv[1]) == 0 && load_entities(&in, argv[2]) == 0)
        status = decide(&in, argv + 3, hour);
    cedar_entities_free(in.ents);
    cedar_policy_set_free(in.set);
    cedar_scratch_free(in.scratch);
    return status;
}
