/*
 * refold_tenants: what the fold has to know of the enterprises, read from the database for a run.
 *
 * A copy of its own: a run outlives the reloads of a daemon's directory.
 */
#ifndef CALLWEAVE_REFOLD_TENANTS_H
#define CALLWEAVE_REFOLD_TENANTS_H

#include "refold.h"

/* Three statements; NULL enterprise: all. */
void refold_tenants_query(struct pg_batch *batch, struct arena *arena, const char *enterprise);

/* number -> struct refold_tenant. Texts live in the arena, the rest until refold_tenants_free(). */
struct table *refold_tenants_take(const struct pg_batch *batch, struct arena *arena);
void refold_tenants_free(struct table **tenants);

#endif
