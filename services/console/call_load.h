/*
 * call_load: from rows of the database to a struct call_view, in three round trips.
 *
 * First what is known of the call, then the events of its channels, then those of its bridges, whose
 * ids only the second answer tells.
 */
#ifndef CONSOLE_CALL_LOAD_H
#define CONSOLE_CALL_LOAD_H

#include "call_link.h"
#include "call_view.h"

struct pg_batch *call_load_ask(const struct link *link, struct arena *arena);
/* False: there is no such call. */
bool call_load_take(struct call_view *view, const struct pg_batch *batch);

struct pg_batch *call_load_ask_events(const struct call_view *view);
void call_load_take_events(struct call_view *view, const struct pg_batch *batch);

/* NULL when none of the events names a bridge. */
struct pg_batch *call_load_ask_bridges(const struct call_view *view);

/* Put the events in order and draw them. */
void call_load_finish(struct call_view *view);

#endif
