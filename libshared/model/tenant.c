/*
 * tenant: names of people and lines, as messages show them.
 */
#include "tenant.h"

/* A placeholder that some exports put where a name should be. */
static const struct str no_name = {"Доб.", sizeof("Доб.") - 1};

static const struct tenant_manager *find_manager(const struct tenant *tenant, const char *extension)
{
	return tenant->managers != NULL ? table_get(tenant->managers, str_from(extension)) : NULL;
}

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

const char *tenant_machine_name(const struct tenant *tenant, const char *extension, bool genitive)
{
	bool english = str_equal(str_from(tenant->locale), STR("en"));
	bool agent = str_equal(str_from(extension), STR("agent"));

	if (english)
		return agent ? "Voice agent" : "Voice menu";
	if (genitive)
		return agent ? "голосового помощника" : "голосового меню";
	return agent ? "Голосовой помощник" : "Голосовое меню";
}

void tenant_manager_name(
	const struct tenant *tenant, const char *extension, char *to, size_t capacity)
{
	const struct tenant_manager *manager = find_manager(tenant, extension);

	to[0] = '\0';
	if (manager == NULL && number_is_machine(str_from(extension)))
		add_part(to, capacity, tenant_machine_name(tenant, extension, false));
	if (manager == NULL)
		return;
	add_part(to, capacity, manager->last_name);
	add_part(to, capacity, manager->first_name);
	add_part(to, capacity, manager->patronymic);
	if (str_starts(str_from(to), no_name))
		to[0] = '\0';
}

void tenant_manager_surname(
	const struct tenant *tenant, const char *extension, char *to, size_t capacity)
{
	const struct tenant_manager *manager = find_manager(tenant, extension);

	to[0] = '\0';
	if (manager != NULL && !str_starts(str_from(manager->last_name), no_name))
		str_copy(to, capacity, str_from(manager->last_name));
}

bool tenant_is_extension(const struct tenant *tenant, const char *number)
{
	const struct tenant_settings *settings = tenant->settings;
	struct str text = str_from(number);

	if (number_is_line(tenant->numbers, text))
		return false;
	if (number_is_internal(tenant->numbers, text) || find_manager(tenant, number) != NULL)
		return true;
	for (size_t i = 0; settings != NULL && i < settings->extensions.count; i++) {
		if (str_equal(settings->extensions.items[i], text))
			return true;
	}
	return false;
}

const char *tenant_line_name(const struct tenant *tenant, const char *line)
{
	const struct tenant_line *found = NULL;

	if (tenant->lines != NULL)
		found = table_get(tenant->lines, str_from(line));
	return found != NULL ? found->name : "";
}
