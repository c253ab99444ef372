/* Settles for each action class whether the bundle's schema can be served and what a context must hold.
 * Layer: enforce (L2), private to bundle.c. */
#ifndef ENFORCE_PLAN_H
#define ENFORCE_PLAN_H

#include "enforce/bundle.h"

/* Fills in plans, attrs and constants of a bundle whose set and schema are parsed. FB_E_NOMEM. */
int fe_plan_make(struct fe_bundle *b, struct fb_err *err);

#endif
