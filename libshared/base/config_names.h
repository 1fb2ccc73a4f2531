/*
 * config_names: which names belong to a service, so that misspelt ones are found. Private to base.
 */
#ifndef CALLWEAVE_CONFIG_NAMES_H
#define CALLWEAVE_CONFIG_NAMES_H

#include "config.h"

/* True for the types whose value may come from NAME_FILE. */
bool config_names_takes_file(const struct config_field *field);

/* True for a setting of the tables, and for NAME_FILE of a TEXT or SECRET. */
bool config_names_know(const struct config_field *const *tables, struct str name);

/* True for an unknown CALLWEAVE_* name that begins with the words shared by one of the tables. */
bool config_names_misspelt(const struct config_field *const *tables, struct str name);

#endif
