/* Matching of resource scopes. */
#include "token/scope.h"

#include "base/utf8.h"
#include "token/claims.h"

static bool has_star(struct fb_str s)
{
    return fb_str_index(s, '*') < s.n;
}

/* What stands behind @head in @s; false when @s does not begin with it. */
static bool cut_head(struct fb_str s, struct fb_str head, struct fb_str *ret_rest)
{
    if (!fb_str_starts(s, head))
        return false;
    *ret_rest = fb_str_n(s.p + head.n, s.n - head.n);
    return true;
}

bool tk_scope_match(struct fb_str scope, struct fb_str resource)
{
    struct fb_str rest;
    if (fb_str_eqz(scope, "*"))
        return true;
    if (scope.n == 0 || fb_str_contains(scope, FB_STR("://")))
        return false;
    if (fb_str_ends(scope, FB_STR("/*"))) {
        scope.n -= 2;
        return scope.n > 0 && !has_star(scope) && cut_head(resource, scope, &rest) && (rest.n == 0 || rest.p[0] == '/');
    }
    if (scope.p[scope.n - 1] == '*')
        scope.n--;
    /* A star elsewhere is refused at load; should one come through, it covers nothing rather than being taken
     * literally. */
    if (has_star(scope))
        return false;
    return cut_head(resource, scope, &rest) && (rest.n == 0 || rest.p[0] == '/' || rest.p[0] == '?');
}

int tk_scope_check(struct fb_str scope, struct fb_err *err)
{
    if (scope.n > TK_SCOPE_MAX_BYTES)
        return fb_err_set(err, FB_E_LIMIT, "resource_scope is longer than %d bytes", TK_SCOPE_MAX_BYTES);
    if (!fb_utf8_valid(scope))
        return fb_err_set(err, FB_E_PARSE, "resource_scope is not UTF-8");
    for (size_t i = 0; i < scope.n; i++)
        if ((unsigned char)scope.p[i] < 0x20 || scope.p[i] == 0x7f)
            return fb_err_set(err, FB_E_PARSE, "resource_scope holds a control character");
    if (fb_str_eqz(scope, "*"))
        return 0;
    if (scope.n > 0 && fb_str_index(scope, '*') < scope.n - 1)
        return fb_err_set(err, FB_E_PARSE, "resource_scope '%.*s' has a star that is not its last character",
                          FB_STR_ARG(scope));
    if (scope.n == 0) {
        (void)fb_err_set(err, FB_OK, "resource_scope is empty: it matches no resource");
        return TK_SCOPE_NEVER;
    }
    if (fb_str_contains(scope, FB_STR("://"))) {
        (void)fb_err_set(err, FB_OK, "resource_scope '%.*s' has a scheme: it matches no resource", FB_STR_ARG(scope));
        return TK_SCOPE_NEVER;
    }
    if (fb_str_eqz(scope, "/*")) {
        (void)fb_err_set(err, FB_OK, "resource_scope '/*' has no host: it matches no resource");
        return TK_SCOPE_NEVER;
    }
    return 0;
}
