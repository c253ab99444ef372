/* Empty mount points that a run had to make in a workspace, remembered in its marker so that they go away also after the
 * launcher was killed. Layer: stack (L2). Thread: any. Source: [the Firma design, section 4, "protected names"]. */
#ifndef STACK_PLACEHOLDERS_H
#define STACK_PLACEHOLDERS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { ST_PLACEHOLDERS_MAX_BYTES = 4 << 20 };

struct st_placeholder {
    const char *path; /* absolute, without a line feed */
    bool is_dir;
};

/* Writes the list into the marker; an empty one writes nothing. */
int st_placeholders_save(int marker_fd, const struct st_placeholder *list, size_t n, struct fb_err *err);
/* Removes each listed place that is still empty; follows no link anywhere in the path. Never fails. */
void st_placeholders_clear(int marker_fd);

#endif
