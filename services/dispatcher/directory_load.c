/*
 * directory_load: reads the directory from PostgreSQL, whole, on each change.
 *
 * Changes that come together (an import, a page that saves) make one reload. A copy that cannot be
 * read leaves the old one in its place.
 */
#include "dispatcher.h"

#define DIRECTORY_MAX_BYTES ((size_t)512 << 20)
#define DEBOUNCE_MS	    100
#define RETRY_MS	    1000
#define MAX_PHONES	    16 /* of a person; buttons show fewer */

enum { ROWS_TENANTS, ROWS_CHATS, ROWS_MANAGERS, ROWS_LINES, ROWS_USERS, ROWS_NUMBERS };

static const char sql_tenants[] =
	"SELECT number, name, coalesce(bot_token, ''),"
	" CASE WHEN chat_disabled_at IS NULL THEN chat_id END,"
	" CASE WHEN chat2_disabled_at IS NULL THEN chat_id2 END, zone, locale, country, active,"
	" settings, EXISTS (SELECT FROM jsonb_each(CASE jsonb_typeof(integrations_config)"
	" WHEN 'object' THEN integrations_config ELSE '{}' END) AS i"
	" WHERE jsonb_typeof(i.value) = 'object' AND i.value->>'enabled' = 'true')"
	" FROM enterprises";
static const char sql_chats[] = "SELECT bot_token, tg_id, only_mine FROM telegram_users"
				" WHERE disabled_at IS NULL ORDER BY bot_token, id";
static const char sql_managers[] =
	"SELECT p.enterprise_number, p.phone_number, u.last_name, u.first_name, u.patronymic"
	" FROM user_internal_phones p JOIN users u ON u.id = p.user_id";
static const char sql_lines[] =
	"SELECT enterprise_number, line_id, coalesce(line_name, '') FROM gsm_lines"
	" UNION ALL SELECT enterprise_number, line_name, coalesce(info, '') FROM sip_unit";
/* Extensions first: who has one is rather rung there. */
static const char sql_users[] =
	"SELECT u.enterprise_number, u.telegram_tg_id,"
	" CASE WHEN u.follow_me_enabled THEN u.follow_me_number::text ELSE '' END,"
	" concat_ws(',', string_agg(p.phone_number, ',' ORDER BY p.id), u.personal_phone)"
	" FROM users u LEFT JOIN user_internal_phones p ON p.user_id = u.id"
	" WHERE u.telegram_tg_id IS NOT NULL GROUP BY u.id";

struct load {
	struct arena *arena; /* of the answers; freed when they are copied */
	struct pg_batch *batch;
};

/* Answers go with their batch; the copy keeps its own texts. */
static const char *copied(
	struct directory *copy, const struct pg_batch *batch, int rows, int row, int column)
{
	struct str text = pg_text(batch, rows, row, column);
	return arena_strndup(copy->arena, text.size > 0 ? text.data : "", text.size);
}

/* Zones are files: read once for all enterprises, and kept over reloads. */
static const struct clock_zone *directory_zone(struct dispatcher *d, const char *name)
{
	struct clock_zone *zone = table_get(d->directory.zones, str_from(name));
	if (zone != NULL)
		return zone;
	zone = clock_zone_new(name);
	if (zone == NULL) {
		log_warn(&d->log, "directory: time zone \"%s\" is not known: UTC is used", name);
		return NULL;
	}
	table_put(d->directory.zones, str_from(name), zone);
	return zone;
}

/* What is wrong with it is said at each reload, until somebody mends it; calls are told meanwhile. */
static void load_settings(struct dispatcher *d, struct directory *copy, struct str json,
	struct directory_tenant *tenant)
{
	struct error error;
	tenant->tenant.settings = &tenant->settings;
	if (tenant_settings_read(json, copy->arena, &tenant->settings, &error))
		return;
	struct log_context log = d->log;
	log.enterprise = tenant->tenant.number;
	log_warn(&log, "directory: settings of enterprise %s are not used, the defaults are: %s",
		tenant->tenant.number, error.text);
}

static void load_tenants(struct dispatcher *d, struct directory *copy, const struct pg_batch *batch)
{
	for (int row = 0; row < pg_rows(batch, ROWS_TENANTS); row++) {
		struct directory_tenant *tenant = arena_alloc(copy->arena, sizeof(*tenant));
		tenant->tenant.number = copied(copy, batch, ROWS_TENANTS, row, 0);
		tenant->tenant.name = copied(copy, batch, ROWS_TENANTS, row, 1);
		tenant->bot_token = copied(copy, batch, ROWS_TENANTS, row, 2);
		for (int i = 0; i < DIRECTORY_OWNER_CHATS; i++)
			tenant->owner_chats[i] = pg_int(batch, ROWS_TENANTS, row, 3 + i);
		tenant->tenant.zone = directory_zone(d, copied(copy, batch, ROWS_TENANTS, row, 5));
		tenant->tenant.locale = copied(copy, batch, ROWS_TENANTS, row, 6);
		tenant->tenant.country = copied(copy, batch, ROWS_TENANTS, row, 7);
		tenant->active = pg_bool(batch, ROWS_TENANTS, row, 8);
		tenant->has_crm = pg_bool(batch, ROWS_TENANTS, row, 10);
		tenant->tenant.recording_base = d->config->recording_base;
		load_settings(d, copy, pg_text(batch, ROWS_TENANTS, row, 9), tenant);
		table_put(copy->tenants, str_from(tenant->tenant.number), tenant);
	}
}

static struct str chat_key(const int64_t *chat_id)
{
	return str_of((const char *)chat_id, sizeof(*chat_id));
}

static void bot_add_chat(
	struct directory *copy, struct directory_bot *bot, struct directory_chat chat)
{
	if (bot->count == bot->capacity) {
		unsigned capacity = bot->capacity > 0 ? bot->capacity * 2 : 4;
		struct directory_chat *chats = arena_array(copy->arena, capacity, sizeof(*chats));
		if (bot->count > 0)
			memcpy(chats, bot->chats, bot->count * sizeof(*chats));
		bot->chats = chats;
		bot->capacity = capacity;
	}
	bot->chats[bot->count++] = chat;
}

static void load_chats(struct directory *copy, const struct pg_batch *batch)
{
	for (int row = 0; row < pg_rows(batch, ROWS_CHATS); row++) {
		struct str token = pg_text(batch, ROWS_CHATS, row, 0);
		struct directory_bot *bot = table_get(copy->bots, token);
		if (bot == NULL) {
			bot = arena_alloc(copy->arena, sizeof(*bot));
			bot->by_chat = table_new();
			table_put(copy->bots, token, bot);
		}
		const struct directory_chat chat = {.id = pg_int(batch, ROWS_CHATS, row, 1),
			.only_mine = pg_bool(batch, ROWS_CHATS, row, 2)};
		bot_add_chat(copy, bot, chat);
		table_put(bot->by_chat, chat_key(&chat.id), bot);
	}
}

/* Digits only; what has none is no phone. */
static void user_add_phone(struct directory *copy, struct directory_user *user, struct str text)
{
	char *phone = arena_alloc(copy->arena, text.size + 1);
	size_t digits = 0;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] >= '0' && text.data[i] <= '9')
			phone[digits++] = text.data[i];
	}
	phone[digits] = '\0';
	if (digits > 0 && user->count < user->capacity)
		user->phones[user->count++] = phone;
}

/* Two people may share a chat: it then is the one's as much as the other's. */
static void load_users(struct directory *copy, const struct pg_batch *batch)
{
	for (int row = 0; row < pg_rows(batch, ROWS_USERS); row++) {
		struct directory_tenant *tenant =
			table_get(copy->tenants, pg_text(batch, ROWS_USERS, row, 0));
		int64_t chat_id = pg_int(batch, ROWS_USERS, row, 1);
		if (tenant == NULL)
			continue;
		if (tenant->users == NULL)
			tenant->users = table_new();
		struct directory_user *user = table_get(tenant->users, chat_key(&chat_id));
		if (user == NULL) {
			user = arena_alloc(copy->arena, sizeof(*user));
			user->capacity = MAX_PHONES;
			user->phones = arena_array(copy->arena, MAX_PHONES, sizeof(*user->phones));
			table_put(tenant->users, chat_key(&chat_id), user);
		}
		user->follow_me = copied(copy, batch, ROWS_USERS, row, 2);
		struct str rest = pg_text(batch, ROWS_USERS, row, 3);
		while (rest.size > 0)
			user_add_phone(copy, user, str_cut(&rest, ','));
	}
}

static void load_managers(struct directory *copy, const struct pg_batch *batch)
{
	for (int row = 0; row < pg_rows(batch, ROWS_MANAGERS); row++) {
		struct directory_tenant *tenant =
			table_get(copy->tenants, pg_text(batch, ROWS_MANAGERS, row, 0));
		if (tenant == NULL)
			continue;
		if (tenant->managers == NULL)
			tenant->tenant.managers = tenant->managers = table_new();
		struct tenant_manager *manager = arena_alloc(copy->arena, sizeof(*manager));
		manager->last_name = copied(copy, batch, ROWS_MANAGERS, row, 2);
		manager->first_name = copied(copy, batch, ROWS_MANAGERS, row, 3);
		manager->patronymic = copied(copy, batch, ROWS_MANAGERS, row, 4);
		table_put(tenant->managers, pg_text(batch, ROWS_MANAGERS, row, 1), manager);
	}
}

/* GSM lines and SIP lines share one name space: the Trunk of an event is either. */
static void load_lines(struct directory *copy, const struct pg_batch *batch)
{
	for (int row = 0; row < pg_rows(batch, ROWS_LINES); row++) {
		struct directory_tenant *tenant =
			table_get(copy->tenants, pg_text(batch, ROWS_LINES, row, 0));
		if (tenant == NULL)
			continue;
		if (tenant->lines == NULL)
			tenant->tenant.lines = tenant->lines = table_new();
		struct tenant_line *line = arena_alloc(copy->arena, sizeof(*line));
		line->name = copied(copy, batch, ROWS_LINES, row, 2);
		table_put(tenant->lines, pg_text(batch, ROWS_LINES, row, 1), line);
	}
}

static enum flow_status directory_wait(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	return d->directory.wanted ? FLOW_NEXT : await_queue(flow, &d->directory.wake);
}

/* The first copy is waited for by everybody; later ones collect what changes together. */
static enum flow_status directory_debounce(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	return d->directory.loads == 0 ? FLOW_NEXT : await_sleep(flow, DEBOUNCE_MS);
}

static enum flow_status directory_query(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct load *load = flow_state(flow);
	struct pg_params none = {0};
	d->directory.wanted = false;
	load->arena = arena_new(DIRECTORY_MAX_BYTES);
	load->batch = pg_batch_new(load->arena);
	pg_batch_add(load->batch, sql_tenants, &none);
	pg_batch_add(load->batch, sql_chats, &none);
	pg_batch_add(load->batch, sql_managers, &none);
	pg_batch_add(load->batch, sql_lines, &none);
	pg_batch_add(load->batch, sql_users, &none);
	directory_numbers_query(load->batch);
	return await_pg(flow, d->side_pg, load->batch);
}

static enum flow_status directory_take(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct load *load = flow_state(flow);
	struct error error;
	bool ok = pg_batch_ok(load->batch, &error);
	if (ok) {
		struct directory copy = {.arena = arena_new(DIRECTORY_MAX_BYTES),
			.tenants = table_new(),
			.bots = table_new()};
		load_tenants(d, &copy, load->batch);
		load_chats(&copy, load->batch);
		load_managers(&copy, load->batch);
		load_lines(&copy, load->batch);
		load_users(&copy, load->batch);
		directory_numbers_take(d, &copy, load->batch, ROWS_NUMBERS);
		folding_retire_numbers(d);
		directory_replace(&d->directory, &copy);
		folding_set_numbers(d);
		flow_queue_wake_all(&d->recovery.wake);
		log_info(flow_log(flow), "directory: %zu enterprises", table_count(copy.tenants));
	} else {
		log_warn(flow_log(flow), "directory: not read, the last copy serves: %s",
			error.text);
		d->directory.wanted = true;
	}
	load->batch = NULL;
	arena_free(&load->arena);
	return ok ? FLOW_NEXT : await_pg_again(flow, d->side_pg, RETRY_MS);
}

enum { DIRECTORY_WAIT, DIRECTORY_DEBOUNCE, DIRECTORY_QUERY, DIRECTORY_TAKE, DIRECTORY_AGAIN };

static enum flow_status directory_again(struct flow *flow)
{
	return flow_goto(flow, DIRECTORY_WAIT);
}

static void directory_finally(struct flow *flow)
{
	struct load *load = flow_state(flow);
	if (load->arena != NULL)
		arena_free(&load->arena);
}

static const struct flow_step directory_steps[] = {
	[DIRECTORY_WAIT] = {"wait", directory_wait},
	[DIRECTORY_DEBOUNCE] = {"debounce", directory_debounce},
	[DIRECTORY_QUERY] = {"query", directory_query},
	[DIRECTORY_TAKE] = {"take", directory_take},
	[DIRECTORY_AGAIN] = {"again", directory_again},
	{NULL, NULL},
};

const struct flow_spec directory_flow = {
	.name = "directory",
	.steps = directory_steps,
	.finally = directory_finally,
	.state_bytes = sizeof(struct load),
	.deadline_ms = FLOW_FOREVER,
};
