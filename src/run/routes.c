/* The list of routed names, and matching against it. */
#include "run/routes.h"

#include "enforce/glob.h"

#include <stdlib.h>

/* Characters that one name may cost; past it the name is not routed. */
#define MATCH_STEPS UINT64_C(2000000)

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

bool run_routes_match(const struct run_routes *r, struct fb_str name)
{
    uint64_t steps = MATCH_STEPS;
    for (size_t i = 0; i < r->count; i++)
        if (!fb_str_eqz(r->patterns[i], "*") && fe_glob_segment(r->patterns[i], name, ".", &steps) == FE_GLOB_YES)
            return true;
    return false;
}
