/*
 * adapters: see adapters.h. Those that the setting does not name are on their own ports, here.
 */
#include "adapters.h"

#include "alloc.h"
#include "arena.h"
#include "crm_driver.h"
#include "service.h"
#include "table.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)64 << 10)

struct adapters {
	struct arena *arena;
	struct table *by_program; /* -> url */
	const char *secret;
};

static bool add(struct adapters *adapters, struct str item, struct error *error)
{
	struct str url = item;
	struct str program = str_cut(&url, '=');

	while (str_ends(url, STR("/")))
		url.size--;
	if (program.size == 0 ||
		!(str_starts(url, STR("http://")) || str_starts(url, STR("https://"))))
		return error_set(error, ERROR_INPUT,
			"CALLWEAVE_INTEGRATION_CACHE_ADAPTERS: \"%.*s\" is not like "
			"retailcrm=http://127.0.0.1:8019",
			STR_ARG(item));
	(void)table_put(
		adapters->by_program, program, arena_strndup(adapters->arena, url.data, url.size));
	return true;
}

struct adapters *adapters_new(struct str setting, const char *secret, struct error *error)
{
	struct adapters *adapters = alloc_zeroed(1, sizeof(*adapters));

	adapters->arena = arena_new(ARENA_BYTES);
	adapters->by_program = table_new();
	adapters->secret = secret;
	for (unsigned i = 0; crm_drivers[i] != NULL; i++)
		(void)table_put(adapters->by_program, str_from(crm_drivers[i]->program),
			arena_printf(adapters->arena, "http://127.0.0.1:%d", crm_drivers[i]->port));
	while (setting.size > 0) {
		struct str item = str_cut(&setting, ' ');

		if (item.size > 0 && !add(adapters, item, error)) {
			adapters_free(&adapters);
			return NULL;
		}
	}
	return adapters;
}

void adapters_free(struct adapters **adapters)
{
	if (*adapters == NULL)
		return;
	table_free(&(*adapters)->by_program);
	arena_free(&(*adapters)->arena);
	free(*adapters);
	*adapters = NULL;
}

const char *adapters_url(const struct adapters *adapters, struct str code)
{
	const struct crm_driver *driver = crm_driver_of_code(code);

	return table_get(adapters->by_program, driver != NULL ? str_from(driver->program) : code);
}

bool adapters_call(const struct adapters *adapters, struct str code, const char *path,
	struct arena *arena, struct http_call *call)
{
	const char *url = adapters_url(adapters, code);

	if (url == NULL)
		return false;
	*call = (struct http_call){
		.method = "POST",
		.url = arena_printf(arena, "%s%s", url, path),
		.content_type = "application/json",
		.headers = {{SERVICE_SECRET_HEADER, adapters->secret}},
	};
	return true;
}
