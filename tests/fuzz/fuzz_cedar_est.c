/* Any bytes as a policy in JSON and as policy text: what is accepted comes back the same through both forms. */
#include <cedar/cedar.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* text -> JSON -> set -> JSON must stand still, as must text -> text. A tree may be deeper than JSON is allowed to
 * nest: that refusal is fine. */
static void round_trip(const struct cedar_policy_set *set, size_t i)
{
    struct cedar_text json, text, again;
    struct cedar_policy_set *other;
    struct cedar_error err;
    if (cedar_policy_to_json(set, i, &json) || cedar_policy_to_text(set, i, &text))
        abort();
    int rc = cedar_policy_from_json(json.ptr, json.len, &other, &err);
    if (rc && rc != CEDAR_E_LIMIT)
        abort();
    if (!rc) {
        if (cedar_policy_to_json(other, 0, &again) || strcmp(json.ptr, again.ptr) != 0)
            abort();
        cedar_text_free(&again);
        cedar_policy_set_free(other);
    }
    rc = cedar_policy_set_parse(text.ptr, text.len, &other, &err);
    if (rc && rc != CEDAR_E_LIMIT)
        abort();
    if (!rc) {
        if (cedar_policy_to_json(other, 0, &again) || strcmp(json.ptr, again.ptr) != 0)
            abort();
        cedar_text_free(&again);
        cedar_policy_set_free(other);
    }
    cedar_text_free(&json);
    cedar_text_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cedar_policy_set *set;
    struct cedar_error err;
    const char *text = (const char *)data;
    for (int form = 0; form < 3; form++) {
        int rc = form == 0   ? cedar_policy_from_json(text, size, &set, &err)
                 : form == 1 ? cedar_policy_set_from_json(text, size, &set, &err)
                             : cedar_policy_set_parse(text, size, &set, &err);
        if (rc) {
            if (!err.msg[0] || err.offset + err.length > size)
                abort();
            continue;
        }
        for (size_t i = 0; i < cedar_policy_set_count(set) && i < 4; i++)
            round_trip(set, i);
        cedar_policy_set_free(set);
    }
    return 0;
}
