/* JSON: limits first, then jansson. */
#include "base/json.h"

/* Depth and count of values, without a judgement on the syntax: a text that jansson accepts has been counted right, of
 * any other the count does not matter. */
static int check_limits(struct fb_str text, const char *name, struct fb_err *err)
{
    size_t depth = 0;
    size_t values = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
            continue;
        }
        if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            values++;
            if (++depth > FB_JSON_DEPTH_MAX)
                return fb_err_set(err, FB_E_LIMIT, "%s: nested deeper than %d levels", name, FB_JSON_DEPTH_MAX);
        } else if (c == ']' || c == '}') {
            depth -= depth > 0;
        } else if (c == ',') {
            values++;
        }
        if (values > FB_JSON_VALUES_MAX)
            return fb_err_set(err, FB_E_LIMIT, "%s: more than %d values", name, FB_JSON_VALUES_MAX);
    }
    return 0;
}

int fb_json_load(struct fb_str text, const char *name, size_t max_bytes, json_t **ret, struct fb_err *err)
{
    if (max_bytes == 0 || max_bytes > FB_JSON_MAX_BYTES)
        max_bytes = FB_JSON_MAX_BYTES;
    if (text.n > max_bytes)
        return fb_err_set(err, FB_E_LIMIT, "%s: longer than %zu bytes", name, max_bytes);
    /* jansson takes a NUL between tokens for the end of the text and would not look at the rest. */
    if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
        return fb_err_set(err, FB_E_PARSE, "%s: a NUL byte in the text", name);
    int rc = check_limits(text, name, err);
    if (rc < 0)
        return rc;
    json_error_t why;
    json_t *value = json_loadb(text.n == 0 ? "" : text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (value == NULL)
        return fb_err_set(err, FB_E_PARSE, "%s:%d:%d: %s", name, why.line, why.column, why.text);
    *ret = value;
    return 0;
}
