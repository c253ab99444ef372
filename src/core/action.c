#include "core/action.h"

#include "base/nearest.h"

#include <stdint.h>

static const struct fc_action actions[] = {
#define FC_ACTION(name, risk, meaning) { name, FC_RISK_##risk, meaning },
#include "core/action_table.inc"
#undef FC_ACTION
};

/* Perfect hash: the generator looked for a seed under which no two names meet. */
#define FC_ACTION_HASH
#include "core/action_table.inc"
#undef FC_ACTION_HASH

static uint32_t hash_name(struct fb_str name, uint32_t seed)
{
    uint32_t h = seed;
    for (size_t i = 0; i < name.n; i++)
        h = (h ^ (unsigned char)name.p[i]) * 16777619u;
    return h ^ (h >> 15);
}

size_t fc_action_count(void)
{
    return FB_COUNT(actions);
}

const struct fc_action *fc_action_at(size_t index)
{
    return index < FB_COUNT(actions) ? &actions[index] : NULL;
}

size_t fc_action_find(struct fb_str name)
{
    if (name.n == 0 || name.n > FC_ACTION_NAME_MAX_BYTES)
        return FB_COUNT(actions);
    size_t i = slots[hash_name(name, hash_seed) % FB_COUNT(slots)];
    if (i < FB_COUNT(actions) && fb_str_eqz(name, actions[i].name))
        return i;
    return FB_COUNT(actions);
}

const char *fc_action_nearest(struct fb_str name)
{
    const char *names[FB_COUNT(actions)];
    for (size_t i = 0; i < FB_COUNT(actions); i++)
        names[i] = actions[i].name;
    return fb_nearest(name, names, FB_COUNT(names));
}

static bool word_valid(struct fb_str word)
{
    if (word.n == 0 || word.p[0] < 'a' || word.p[0] > 'z')
        return false;
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

bool fc_action_name_valid(struct fb_str name)
{
    if (name.n == 0 || name.n > FC_ACTION_NAME_MAX_BYTES || name.p[name.n - 1] == '.')
        return false;
    size_t words = 0;
    struct fb_str rest = name;
    struct fb_str word;
    while (fb_str_split(&rest, '.', &word)) {
        if (!word_valid(word))
            return false;
        words++;
    }
    return words >= 2 && words <= 4;
}

const char *fc_action_risk_name(enum fc_risk risk)
{
    static const char *const names[] = { "low", "medium", "high", "critical" };
    return (unsigned)risk < FB_COUNT(names) ? names[risk] : "critical";
}
