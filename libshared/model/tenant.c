/*
 * tenant: names of people and lines, as messages show them.
 */
#include "tenant.h"

#include <stdio.h>

/* With one space between; what does not fit is cut, at a character. */
static void add_part(char *to, size_t capacity, const char *part)
{
	size_t used = strlen(to);

	if (part[0] == '\0' || used + 2 > capacity)
		return;
	if (used > 0)
		to[used++] = ' ';
	str_copy(to + used, capacity - used, str_from(part));
}

void tenant_manager_name(
	const struct tenant *tenant, const char *extension, char *to, size_t capacity)
{
	const struct tenant_manager *manager = NULL;

	to[0] = '\0';
	if (tenant->managers != NULL)
		manager = table_get(tenant->managers, str_from(extension));
	if (manager == NULL)
		return;
	add_part(to, capacity, manager->last_name);
	add_part(to, capacity, manager->first_name);
	add_part(to, capacity, manager->patronymic);
	/* A placeholder that some exports put where a name should be. */
	if (str_starts(str_from(to), STR("Доб.")))
		to[0] = '\0';
}

const char *tenant_line_name(const struct tenant *tenant, const char *line)
{
	const struct tenant_line *found = NULL;

	if (tenant->lines != NULL)
		found = table_get(tenant->lines, str_from(line));
	return found != NULL ? found->name : "";
}
