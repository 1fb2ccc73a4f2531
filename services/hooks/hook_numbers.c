/*
 * hook_numbers: our own numbers and their menus, as a copy in memory that follows the database.
 *
 * While PostgreSQL fails the last good copy serves: a call is answered all the same. What cannot be used
 * (a menu that is none) is said once a load, and the default menu stands in.
 */
#include "hook_menu.h"
#include "hooks.h"

#include "alloc.h"
#include "follow.h"

#include <stdlib.h>

enum {
	COPY_BYTES = 64 << 20,
	LOAD_BYTES = 64 << 20,
	LOAD_DEADLINE_MS = 15000,
	MENU_MAX_BYTES = 256 << 10,
	MENU_DEPTH = 16,
};

/* One reading of the tables. */
struct copy {
	struct arena *arena;
	struct table *numbers; /* number -> hook_number */
	struct table *menus;   /* "enterprise name" -> menu */
};

struct hook_numbers {
	struct copy *copy; /* NULL: there was none yet */
	struct menu *fallback;
	struct arena *arena; /* of fallback */
	struct pg_listen *listen;
	struct follow *follow;
	struct flow_queue loaded;
	unsigned loads;
};

static void copy_free(struct copy **copy)
{
	size_t at = 0;
	void *menu;

	if (*copy == NULL)
		return;
	while (table_next((*copy)->menus, &at, NULL, &menu))
		menu_close(menu);
	table_free(&(*copy)->menus);
	table_free(&(*copy)->numbers);
	arena_free(&(*copy)->arena);
	free(*copy);
	*copy = NULL;
}

static struct copy *copy_new(void)
{
	struct copy *copy = alloc_zeroed(1, sizeof(*copy));

	copy->arena = arena_new(COPY_BYTES);
	copy->numbers = table_new();
	copy->menus = table_new();
	return copy;
}

/* -- rows --------------------------------------------------------------------------------------------- */

static const char sql_numbers[] =
	"SELECT n.number, n.enterprise_number, n.line, n.voice, n.menu, n.engine, n.dialogue, "
	"n.language, coalesce(n.operator, ''), n.own_confirmation, n.whatsapp "
	"FROM hook_numbers n JOIN enterprises e ON e.number = n.enterprise_number AND e.active "
	"ORDER BY n.number LIMIT 100000";

static const char sql_menus[] =
	"SELECT enterprise_number, name, menu::text FROM voice_menus ORDER BY 1, 2 LIMIT 100000";

static const char *keep(struct copy *copy, const struct pg_batch *batch, int row, int column)
{
	struct str text = pg_text(batch, 0, row, column);

	return arena_strndup(copy->arena, text.data != NULL ? text.data : "", text.size);
}

static void add_number(struct copy *copy, const struct pg_batch *batch, int row)
{
	struct hook_number *number = arena_alloc(copy->arena, sizeof(*number));

	*number = (struct hook_number){
		.number = keep(copy, batch, row, 0),
		.enterprise = keep(copy, batch, row, 1),
		.line = keep(copy, batch, row, 2),
		.voice = keep(copy, batch, row, 3),
		.menu = keep(copy, batch, row, 4),
		.engine = keep(copy, batch, row, 5),
		.dialogue = keep(copy, batch, row, 6),
		.language = keep(copy, batch, row, 7),
		.operator= keep(copy, batch, row, 8),
		.own_confirmation = pg_bool(batch, 0, row, 9),
		.whatsapp = pg_bool(batch, 0, row, 10),
	};
	if (number->line[0] == '\0')
		number->line = number->number;
	table_put(copy->numbers, str_from(number->number), number);
}

static const char *menu_name(struct arena *arena, struct str enterprise, struct str name)
{
	return arena_printf(arena, "%.*s %.*s", STR_ARG(enterprise), STR_ARG(name));
}

static void add_menu(
	struct copy *copy, const struct pg_batch *batch, int row, const struct log_context *log)
{
	const struct json_limits limits = {MENU_MAX_BYTES, MENU_DEPTH};
	struct str enterprise = pg_text(batch, 1, row, 0), name = pg_text(batch, 1, row, 1);
	struct error error;
	struct json *json = json_parse(pg_text(batch, 1, row, 2), limits, &error);
	struct menu *menu = json != NULL ? menu_read(json, copy->arena, &error) : NULL;

	json_free(&json);
	if (menu == NULL)
		log_warn(log, "menu %.*s of %.*s is left out: %s", STR_ARG(name),
			STR_ARG(enterprise), error.text);
	else
		table_put(copy->menus, str_from(menu_name(copy->arena, enterprise, name)), menu);
}

/* -- one load ------------------------------------------------------------------------------------------- */

struct load {
	struct pg_batch *batch;
};

static enum flow_status load_ask(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);
	struct load *load = flow_state(flow);
	struct pg_params none = {0};

	load->batch = pg_batch_new(flow_arena(flow));
	pg_batch_add(load->batch, sql_numbers, &none);
	pg_batch_add(load->batch, sql_menus, &none);
	return await_pg(flow, hooks->pg, load->batch);
}

static enum flow_status load_use(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);
	struct load *load = flow_state(flow);
	struct copy *copy;
	struct error error;

	if (!pg_batch_ok(load->batch, &error)) {
		log_warn(flow_log(flow), "numbers: not read: %s", error.text);
		return flow_fail_error(flow, &error);
	}
	copy = copy_new();
	for (int row = 0; row < pg_rows(load->batch, 0); row++)
		add_number(copy, load->batch, row);
	for (int row = 0; row < pg_rows(load->batch, 1); row++)
		add_menu(copy, load->batch, row, flow_log(flow));
	copy_free(&hooks->numbers->copy);
	hooks->numbers->copy = copy;
	hooks->numbers->loads++;
	flow_queue_wake_all(&hooks->numbers->loaded);
	return FLOW_END;
}

static const struct flow_step load_steps[] = {
	{"ask", load_ask},
	{"use", load_use},
	{NULL, NULL},
};

static const struct flow_spec load_flow = {
	.name = "numbers",
	.steps = load_steps,
	.state_bytes = sizeof(struct load),
	.arena_max_bytes = LOAD_BYTES,
	.deadline_ms = LOAD_DEADLINE_MS,
};

/* -- for the others ---------------------------------------------------------------------------------------- */

struct hook_numbers *hook_numbers_new(struct hooks *hooks)
{
	static const char *const channels[] = {"callweave_config", NULL};
	static const char *const tables[] = {"enterprises", "hook_numbers", "voice_menus", NULL};
	const struct pg_options listen = {
		.url = service_database_url(hooks->service),
		.application_name = "callweave hooks listen",
		.log = *service_log(hooks->service),
	};
	struct hook_numbers *numbers = alloc_zeroed(1, sizeof(*numbers));

	numbers->arena = arena_new(COPY_BYTES);
	numbers->fallback = menu_default(numbers->arena);
	flow_queue_init(&numbers->loaded);
	numbers->listen = pg_listen_new(hooks->loop, &listen, channels);
	numbers->follow = follow_start(hooks->loop, &(struct follow_options){
							    .schema = hooks->schema,
							    .listen = numbers->listen,
							    .tables = tables,
							    .load = &load_flow,
							    .context = hooks,
							    .log = *service_log(hooks->service),
						    });
	return numbers;
}

void hook_numbers_free(struct hook_numbers **numbers)
{
	if (*numbers == NULL)
		return;
	follow_stop(&(*numbers)->follow);
	pg_listen_free(&(*numbers)->listen);
	copy_free(&(*numbers)->copy);
	arena_free(&(*numbers)->arena);
	free(*numbers);
	*numbers = NULL;
}

const char *hook_numbers_why_not(const struct hook_numbers *numbers)
{
	return numbers->copy != NULL ? NULL : "the table of numbers was not read yet";
}

const struct hook_number *hook_number_find(const struct hooks *hooks, struct str number)
{
	const struct copy *copy = hooks->numbers->copy;

	if (str_starts(number, STR("whatsapp:")))
		number = str_of(number.data + 9, number.size - 9);
	return copy != NULL && number.size > 0 ? table_get(copy->numbers, number) : NULL;
}

const struct menu *hook_number_menu(const struct hooks *hooks, const struct hook_number *number)
{
	const struct hook_numbers *numbers = hooks->numbers;
	const struct menu *menu = NULL;
	struct buf name;

	buf_init(&name, 1024);
	buf_add(&name, str_from(number->enterprise));
	buf_add_char(&name, ' ');
	buf_add(&name, str_from(number->menu));
	if (numbers->copy != NULL)
		menu = table_get(numbers->copy->menus, buf_str(&name));
	buf_free(&name);
	return menu != NULL ? menu : numbers->fallback;
}

const struct hook_number *hook_numbers_next(const struct hooks *hooks, size_t *at)
{
	void *number = NULL;

	if (hooks->numbers->copy == NULL ||
		!table_next(hooks->numbers->copy->numbers, at, NULL, &number))
		return NULL;
	return number;
}

struct flow_queue *hook_numbers_loaded(struct hook_numbers *numbers)
{
	return &numbers->loaded;
}

unsigned hook_numbers_loads(const struct hook_numbers *numbers)
{
	return numbers->loads;
}
