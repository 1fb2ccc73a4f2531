/*
 * people: managers and lines of an enterprise, as they are shown. SIP passwords are not even read.
 */
#ifndef INTEGRATION_CACHE_PEOPLE_H
#define INTEGRATION_CACHE_PEOPLE_H

#include "accounts.h"

/* "Last First Patronymic", "Доб.150" of a phone without a person; in the arena. */
struct str manager_full_name(const struct account_manager *manager, struct arena *arena);
/* "Last F.P." */
struct str manager_short_name(const struct account_manager *manager, struct arena *arena);
/* "МТС", "A1", "life:)" by the line's name, else "GSM" or "SIP". */
const char *line_operator(const struct account_line *line);

/* Members of an object that is open: what /metadata/{ent}/manager/{ext} says of him. */
void people_put_manager(
	struct json_writer *json, const struct account_manager *manager, struct arena *arena);

#endif
