/* JSON: no input crashes the wrapper, and what it accepts means the same after being written and read again. */
#include "fuzz.h"

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *value = NULL;
    if (fb_json_load(fb_str_n((const char *)data, size), "in", 1 << 16, &value, NULL) != 0) {
        FUZZ_CHECK(value == NULL);
        return 0;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    FUZZ_CHECK(text != NULL);
    json_t *again = NULL;
    FUZZ_CHECK(fb_json_load(fb_str_of(text), "again", 0, &again, NULL) == 0);
    FUZZ_CHECK(json_equal(value, again));
    json_decref(again);
    free(text);
    json_decref(value);
    return 0;
}
