/* HTTP/1 request heads against an independent parser (llhttp, strict): whatever we accept, it accepts too and reads
 * alike: the same number of fields, the same framing, the same end of the head. We may refuse more; it may not know a
 * method or a target that we hand through. Built only where Debian's node-llhttp has put its C source. */
#include "fuzz.h"

#include "net/h1.h"

#include <llhttp.h>

struct seen {
    size_t fields;
    size_t head_bytes;
    const char *start;
    bool complete;
};

static int on_field_end(llhttp_t *p)
{
    ((struct seen *)p->data)->fields++;
    return 0;
}

static int on_head_end(llhttp_t *p)
{
    ((struct seen *)p->data)->complete = true;
    return HPE_PAUSED;
}

static void compare(const struct fn_h1_head *head, llhttp_t *p, const struct seen *seen)
{
    FUZZ_CHECK(seen->fields == head->n_fields);
    FUZZ_CHECK(((p->flags & F_CHUNKED) != 0) == head->chunked);
    FUZZ_CHECK(((p->flags & F_CONTENT_LENGTH) != 0) == head->has_length);
    FUZZ_CHECK(!head->has_length || p->content_length == head->content_length);
    FUZZ_CHECK(p->http_major == 1 && p->http_minor == head->minor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fn_h1 h;
    struct fn_h1_field fields[FN_H1_FIELDS_MAX];
    const struct fn_h1_head *head;
    char *copy = fuzz_copy(data, size);
    fn_h1_init(&h, FN_H1_REQUEST, fields, FN_H1_FIELDS_MAX, 4096);
    /* llhttp does not take a tab for the blank that it is behind a number, so heads with tabs are left out. */
    bool has_tab = memchr(copy, '\t', size) != NULL;
    if (!has_tab && fn_h1_parse(&h, fb_str_n(copy, size), &head) == 0) {
        llhttp_settings_t settings;
        llhttp_t p;
        struct seen seen = { .start = copy };
        llhttp_settings_init(&settings);
        settings.on_header_value_complete = on_field_end;
        settings.on_headers_complete = on_head_end;
        llhttp_init(&p, HTTP_REQUEST, &settings);
        p.data = &seen;
        llhttp_errno_t rc = llhttp_execute(&p, copy, head->head_bytes);
        bool unknown = rc == HPE_INVALID_METHOD || rc == HPE_INVALID_URL;
        if (!unknown) {
            if (!seen.complete)
                fprintf(stderr, "llhttp: %s (%s)\n", llhttp_errno_name(rc), llhttp_get_error_reason(&p));
            FUZZ_CHECK(seen.complete);
            compare(head, &p, &seen);
        }
    }
    free(copy);
    return 0;
}
