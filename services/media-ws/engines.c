/*
 * engines: the list of engines.def as a table.
 */
#include "engine.h"

#define ENGINE_DRIVER(symbol) extern const struct engine_driver symbol##_engine;
#include "engines.def"
#undef ENGINE_DRIVER

#define ENGINE_DRIVER(symbol) &symbol##_engine,
const struct engine_driver *const engine_drivers[] = {
#include "engines.def"
	NULL,
};
#undef ENGINE_DRIVER

const struct engine_driver *engine_driver_find(struct str name)
{
	for (unsigned i = 0; engine_drivers[i] != NULL; i++) {
		if (str_equal(name, str_from(engine_drivers[i]->name)))
			return engine_drivers[i];
	}
	return NULL;
}
