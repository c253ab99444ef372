/* The list of routed names, and matching against it. */
#include "run/routes.h"

#include <stdlib.h>

static size_t count_lines(struct fb_str text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

int run_routes_set(struct run_routes *r, struct fb_str text, struct fb_err *err)
{
    size_t lines = count_lines(text);
    if (lines > RUN_ROUTES_MAX)
        return fb_err_set(err, FB_E_LIMIT, "more than %d routed names", RUN_ROUTES_MAX);
    struct run_routes fresh = { .text = fb_str_dupz(text), .patterns = calloc(lines, sizeof *fresh.patterns) };
    if (fresh.text == NULL || fresh.patterns == NULL) {
        run_routes_done(&fresh);
        return fb_err_set(err, FB_E_NOMEM, "out of memory for the routed names");
    }
    struct fb_str rest = fb_str_n(fresh.text, text.n);
    struct fb_str line;
    while (fb_str_split(&rest, '\n', &line)) {
        line = fb_str_trim(line);
        if (line.n > 0)
            fresh.patterns[fresh.count++] = line;
    }
    run_routes_done(r);
    *r = fresh;
    return 0;
}

void run_routes_done(struct run_routes *r)
{
    free(r->text);
    free(r->patterns);
    *r = (struct run_routes){ 0 };
}

/* `*` stands for any run; one place to go back to is enough, because a later star can do all that an earlier could. */
static bool glob_match(struct fb_str pattern, struct fb_str name)
{
    size_t p = 0;
    size_t i = 0;
    size_t star = pattern.n;
    size_t resume = 0;
    while (i < name.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            resume = i;
        } else if (p < pattern.n && pattern.p[p] == name.p[i]) {
            p++;
            i++;
        } else if (star < pattern.n) {
            p = star + 1;
            i = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

bool run_routes_match(const struct run_routes *r, struct fb_str name)
{
    for (size_t i = 0; i < r->count; i++)
        if (!fb_str_eqz(r->patterns[i], "*") && glob_match(r->patterns[i], name))
            return true;
    return false;
}
