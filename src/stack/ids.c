/* Identifier grammars: an id becomes a file name, so the list of characters is closed. */
#include "stack/ids.h"

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool st_ids_sandbox_ok(struct fb_str id)
{
    if (id.n == 0 || id.n > ST_IDS_SANDBOX_MAX_BYTES)
        return false;
    for (size_t i = 0; i < id.n; i++)
        if (!is_word(id.p[i]) && id.p[i] != '.')
            return false;
    return !fb_str_eqz(id, ".") && !fb_str_eqz(id, "..") && !fb_str_starts(id, FB_STR(".new-"));
}

bool st_ids_name_ok(struct fb_str id)
{
    if (id.n == 0 || id.n > ST_IDS_NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < id.n; i++)
        if (!is_word(id.p[i]))
            return false;
    return true;
}
