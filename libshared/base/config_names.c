/*
 * config_names: one environment file serves many services; each answers for its own names only.
 */
#include "config_names.h"

/* NAME_FILE, as Docker secrets and systemd credentials want it; a number or a switch is no
 * secret. */
bool config_names_takes_file(const struct config_field *field)
{
	return field->type == CONFIG_TEXT || field->type == CONFIG_SECRET;
}

static bool is_name_of(const struct config_field *field, struct str name)
{
	struct str plain = str_from(field->name);

	if (str_equal(name, plain))
		return true;
	return config_names_takes_file(field) && str_starts(name, plain) &&
	       str_equal(str_of(name.data + plain.size, name.size - plain.size), STR("_FILE"));
}

bool config_names_know(const struct config_field *const *tables, struct str name)
{
	for (; *tables != NULL; tables++) {
		for (const struct config_field *field = *tables; field->name != NULL; field++) {
			if (is_name_of(field, name))
				return true;
		}
	}
	return false;
}

/* "CALLWEAVE_INGEST_" of CALLWEAVE_INGEST_PORT; empty when there is no third word. */
static struct str first_two_words(struct str name)
{
	struct str rest = name;

	if (!str_starts(name, STR("CALLWEAVE_")))
		return str_of(NULL, 0);
	str_cut(&rest, '_');
	str_cut(&rest, '_');
	return str_of(name.data, rest.data != NULL ? name.size - rest.size : 0);
}

/* Empty when the names of the table do not share their first two words. */
static struct str shared_words(const struct config_field *table)
{
	struct str shared = first_two_words(str_from(table->name));

	for (; table->name != NULL; table++) {
		if (!str_starts(str_from(table->name), shared))
			return str_of(NULL, 0);
	}
	return shared;
}

/* A name that begins like ours and is not known is a slip; a name of another service has another
 * second word and is left alone. */
bool config_names_misspelt(const struct config_field *const *tables, struct str name)
{
	if (config_names_know(tables, name))
		return false;
	for (; *tables != NULL; tables++) {
		struct str shared = shared_words(*tables);

		if (shared.size > 0 && str_starts(name, shared))
			return true;
	}
	return false;
}
