/*
 * directory: one flow loads, waits for a change, and loads again. Whole each time: it is small,
 * and a copy that is replaced whole cannot be half old.
 */
#include "directory.h"

#include "alloc.h"
#include "pg.h"
#include "pg_listen.h"

#include <stdlib.h>

/* All of the rows that the LIMITs below let through, at a usual length. */
#define ARENA_BYTES   (64u << 20)
#define READY_WAIT_MS 5000
#define RELOAD_MS     60000 /* also without a notice */
#define RETRY_MS      1000

struct directory {
	struct pg *pg;
	struct pg_listen *listen;
	struct flow *flow;
	struct arena *arena; /* of what is loaded now */
	struct directory_enterprise *enterprises;
	struct directory_line *lines;
	struct directory_manager *managers;
	size_t count, line_count, manager_count;
	bool loaded;
};

static const char *const channels[] = {"callweave_config", NULL};

enum { QUERY_ENTERPRISES, QUERY_LINES, QUERY_MANAGERS };

/* COLLATE "C" in all three: share_out() walks them side by side and compares bytes. */
static const char select_enterprises[] =
	"SELECT number, name, coalesce(name2, ''), zone, coalesce(chat_id, 0) FROM enterprises "
	"WHERE active ORDER BY number COLLATE \"C\" LIMIT 20000";
static const char select_lines[] =
	"SELECT * FROM (SELECT enterprise_number AS number, line_id AS id, "
	"coalesce(line_name, ''), coalesce(phone_number, ''), 'GSM' FROM gsm_lines UNION ALL "
	"SELECT enterprise_number, line_name, coalesce(info, ''), '', 'SIP' FROM sip_unit) l "
	"ORDER BY number COLLATE \"C\", id LIMIT 100000";
static const char select_managers[] =
	"SELECT p.enterprise_number, p.phone_number, "
	"trim(coalesce(u.last_name, '') || ' ' || coalesce(u.first_name, '')), "
	"coalesce(u.personal_phone, ''), coalesce(u.follow_me_number::text, ''), "
	"coalesce(u.follow_me_enabled, false) FROM user_internal_phones p "
	"LEFT JOIN users u ON u.id = p.user_id "
	"ORDER BY p.enterprise_number COLLATE \"C\", p.phone_number LIMIT 100000";

/* The answer lives from `ask` to `keep`, apart from what is loaded now: a failure leaves that as
 * it is. */
struct load {
	struct pg_batch *batch;
	struct arena *batch_arena;
};

static enum flow_status wait_ready(struct flow *flow)
{
	struct directory *directory = flow_context(flow);

	return await_pg_ready(flow, directory->pg, READY_WAIT_MS);
}

static enum flow_status ask(struct flow *flow)
{
	struct directory *directory = flow_context(flow);
	struct load *load = flow_state(flow);

	arena_free(&load->batch_arena);
	load->batch_arena = arena_new(ARENA_BYTES);
	load->batch = pg_batch_new(load->batch_arena);
	pg_batch_add(load->batch, select_enterprises, NULL);
	pg_batch_add(load->batch, select_lines, NULL);
	pg_batch_add(load->batch, select_managers, NULL);
	return await_pg(flow, directory->pg, load->batch);
}

struct cursor {
	const struct pg_batch *batch;
	struct arena *arena;
	int query, row;
};

static struct str text_at(const struct cursor *at, int column)
{
	struct str text = pg_text(at->batch, at->query, at->row, column);

	return str_of(arena_strndup(at->arena, text.data, text.size), text.size);
}

static void load_lines(struct directory *directory, struct cursor at)
{
	at.query = QUERY_LINES;
	directory->line_count = (size_t)pg_rows(at.batch, at.query);
	/* One more than there are, so that a pointer behind the last is valid to form. */
	directory->lines =
		arena_array(at.arena, directory->line_count + 1, sizeof(struct directory_line));
	for (at.row = 0; at.row < (int)directory->line_count; at.row++)
		directory->lines[at.row] = (struct directory_line){text_at(&at, 0), text_at(&at, 1),
			text_at(&at, 2), text_at(&at, 3), text_at(&at, 4)};
}

static void load_managers(struct directory *directory, struct cursor at)
{
	at.query = QUERY_MANAGERS;
	directory->manager_count = (size_t)pg_rows(at.batch, at.query);
	directory->managers = arena_array(
		at.arena, directory->manager_count + 1, sizeof(struct directory_manager));
	for (at.row = 0; at.row < (int)directory->manager_count; at.row++)
		directory->managers[at.row] = (struct directory_manager){text_at(&at, 0),
			text_at(&at, 1), text_at(&at, 2), text_at(&at, 3), text_at(&at, 4),
			pg_bool(at.batch, at.query, at.row, 5)};
}

static int compare(struct str a, struct str b)
{
	int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* Everything is sorted by enterprise, so each gets the next stretch of lines and managers. */
struct share {
	size_t line, manager;
};

static void share_out(
	struct directory *directory, struct directory_enterprise *enterprise, struct share *at)
{
	const struct directory_line *lines = directory->lines;
	const struct directory_manager *managers = directory->managers;

	while (at->line < directory->line_count &&
		compare(lines[at->line].enterprise, enterprise->number) < 0)
		at->line++;
	enterprise->lines = &lines[at->line];
	while (at->line < directory->line_count &&
		str_equal(lines[at->line].enterprise, enterprise->number))
		at->line++;
	enterprise->line_count = (size_t)(&lines[at->line] - enterprise->lines);
	while (at->manager < directory->manager_count &&
		compare(managers[at->manager].enterprise, enterprise->number) < 0)
		at->manager++;
	enterprise->managers = &managers[at->manager];
	while (at->manager < directory->manager_count &&
		str_equal(managers[at->manager].enterprise, enterprise->number))
		at->manager++;
	enterprise->manager_count = (size_t)(&managers[at->manager] - enterprise->managers);
}

static void load_enterprises(struct directory *directory, struct cursor at)
{
	struct share share = {0, 0};

	at.query = QUERY_ENTERPRISES;
	directory->count = (size_t)pg_rows(at.batch, at.query);
	directory->enterprises =
		arena_array(at.arena, directory->count + 1, sizeof(struct directory_enterprise));
	for (at.row = 0; at.row < (int)directory->count; at.row++) {
		directory->enterprises[at.row] =
			(struct directory_enterprise){.number = text_at(&at, 0),
				.name = text_at(&at, 1),
				.token = text_at(&at, 2),
				.zone = text_at(&at, 3),
				.chat_id = pg_int(at.batch, at.query, at.row, 4)};
		share_out(directory, &directory->enterprises[at.row], &share);
	}
}

static enum flow_status keep(struct flow *flow)
{
	struct directory *directory = flow_context(flow);
	struct load *load = flow_state(flow);
	struct error error;

	directory->loaded = pg_batch_ok(load->batch, &error);
	if (!directory->loaded) {
		log_warn(flow_log(flow), "enterprises not loaded: %s", error.text);
		arena_free(&load->batch_arena);
		return await_sleep(flow, RETRY_MS);
	}
	/* Nobody waits with a pointer into it: see the rule in directory.h. */
	arena_free(&directory->arena);
	directory->arena = arena_new(ARENA_BYTES);
	/* Enterprises last: each takes its stretch of lines and managers. */
	load_lines(directory, (struct cursor){load->batch, directory->arena, 0, 0});
	load_managers(directory, (struct cursor){load->batch, directory->arena, 0, 0});
	load_enterprises(directory, (struct cursor){load->batch, directory->arena, 0, 0});
	arena_free(&load->batch_arena);
	return await_pg_notice(flow, directory->listen, RELOAD_MS);
}

static enum flow_status again(struct flow *flow)
{
	struct directory *directory = flow_context(flow);
	struct pg_notice notice;

	/* Several changes at once are one reload. */
	while (pg_listen_take(directory->listen, &notice))
		continue;
	return flow_goto(flow, 0);
}

static void finish(struct flow *flow)
{
	struct load *load = flow_state(flow);

	arena_free(&load->batch_arena);
}

static const struct flow_step load_steps[] = {
	{"wait_ready", wait_ready},
	{"ask", ask},
	{"keep", keep},
	{"again", again},
	{NULL, NULL},
};

static const struct flow_spec load_flow = {
	.name = "directory",
	.steps = load_steps,
	.finally = finish,
	.state_bytes = sizeof(struct load),
	.deadline_ms = FLOW_FOREVER,
};

struct directory *directory_new(
	struct loop *loop, const char *database_url, const struct log_context *log)
{
	struct directory *directory = alloc_zeroed(1, sizeof(*directory));
	struct pg_options options = {
		.url = database_url, .application_name = "callweave emulator", .log = *log};

	directory->pg = pg_new(loop, &options);
	directory->listen = pg_listen_new(loop, &options, channels);
	directory->flow = flow_start(loop, &load_flow, directory, log);
	return directory;
}

void directory_free(struct directory **directory)
{
	if (*directory == NULL)
		return;
	/* Before the connections that it waits for. */
	flow_cancel((*directory)->flow);
	pg_listen_free(&(*directory)->listen);
	pg_free(&(*directory)->pg);
	arena_free(&(*directory)->arena);
	free(*directory);
	*directory = NULL;
}

const char *directory_why_not(const struct directory *directory)
{
	if (!pg_ready(directory->pg))
		return pg_last_error(directory->pg);
	return directory->loaded ? NULL : "not loaded";
}

bool directory_known(const struct directory *directory)
{
	return directory->arena != NULL;
}

size_t directory_count(const struct directory *directory)
{
	return directory->count;
}

size_t directory_line_count(const struct directory *directory)
{
	return directory->line_count;
}

size_t directory_manager_count(const struct directory *directory)
{
	return directory->manager_count;
}

const struct directory_enterprise *directory_at(const struct directory *directory, size_t index)
{
	return index < directory->count ? &directory->enterprises[index] : NULL;
}

const struct directory_enterprise *directory_find(
	const struct directory *directory, struct str number)
{
	for (size_t i = 0; i < directory->count; i++) {
		if (str_equal(directory->enterprises[i].number, number))
			return &directory->enterprises[i];
	}
	return NULL;
}
