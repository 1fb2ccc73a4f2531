/*
 * admin: how the cache stands, and its levers: health, statistics, what is kept, read it anew.
 */
#include "answer.h"
#include "configs.h"
#include "customers.h"
#include "reload.h"

/* -- health --------------------------------------------------------------------------------------- */

/* "degraded": answers come, but perhaps old ones, or slower. */
static const char *health_of(const struct integration_cache *cache)
{
	bool redis = cache->redis == NULL || redis_ready(cache->redis);

	if (accounts_why_not(cache->accounts) != NULL)
		return "unhealthy";
	return accounts_fresh(cache->accounts) && pg_ready(cache->pg) && redis ? "healthy"
									       : "degraded";
}

static enum flow_status health_answer(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	const char *status = health_of(cache);
	struct answer answer;

	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "status", str_from(status));
	json_put_member_int(&answer.json, "cache_size", (int64_t)accounts_count(cache->accounts));
	json_put_member_bool(&answer.json, "database_connected", pg_ready(cache->pg));
	json_put_member_bool(
		&answer.json, "redis_connected", cache->redis != NULL && redis_ready(cache->redis));
	json_put_member_bool(&answer.json, "last_good_copy", !accounts_fresh(cache->accounts));
	answer_put_seconds(
		&answer.json, "uptime_seconds", clock_monotonic_ms() - cache->started_ms);
	return answer_send_object(flow, strcmp(status, "unhealthy") == 0 ? 503 : 200, &answer);
}

/* -- statistics ----------------------------------------------------------------------------------- */

/* In per cent with two digits. */
static void put_rate(struct json_writer *json, const char *name, int64_t hits, int64_t all)
{
	int64_t hundredths = all > 0 ? (hits * 10000 + all / 2) / all : 0;

	json_put_name(json, name);
	json_put_double(json, (double)hundredths / 100);
}

static void put_layer(struct json_writer *json, const char *name, const struct layer_stats *layer)
{
	json_put_name(json, name);
	json_open_object(json);
	json_put_member_int(json, "hits", layer->hits);
	json_put_member_int(json, "misses", layer->misses);
	json_put_member_int(json, "stale", layer->stale);
	json_close_object(json);
}

static void put_layers(struct json_writer *json, const struct customers_stats *stats,
	const struct layer_stats *memory)
{
	json_put_name(json, "layers");
	json_open_object(json);
	put_layer(json, "memory", memory);
	put_layer(json, "redis", &stats->redis);
	put_layer(json, "database", &stats->database);
	json_put_name(json, "crm");
	json_open_object(json);
	json_put_member_int(json, "asked", stats->crm_asked);
	json_put_member_int(json, "failed", stats->crm_failed);
	json_put_member_int(json, "dropped", stats->crm_dropped);
	json_close_object(json);
	json_close_object(json);
}

static unsigned transforms_of(const struct integration_cache *cache)
{
	const struct account *account;
	unsigned count = 0;
	size_t at = 0;

	while ((account = accounts_next(cache->accounts, &at)) != NULL) {
		size_t line = 0;
		void *value;

		while (table_next(account->lines, &line, NULL, &value)) {
			const struct account_line *found = value;

			count += found->transform[0] != '\0';
		}
	}
	return count;
}

/* Every look-up of any kind counts once: a hit was answered from memory, nobody had to wait. */
static struct layer_stats memory_stats(const struct integration_cache *cache)
{
	const struct cache_stats *own = &cache->stats;
	struct layer_stats all = customers_stats(cache->customers)->memory;

	all.hits += own->status_hits + own->config_hits + own->metadata_hits;
	all.misses += own->status_misses + own->config_misses + own->metadata_misses;
	return all;
}

static void put_stats(struct json_writer *json, const struct integration_cache *cache)
{
	const struct cache_stats *own = &cache->stats;
	const struct accounts_stats accounts = accounts_stats(cache->accounts);
	struct layer_stats memory = memory_stats(cache);
	int64_t count = (int64_t)accounts_count(cache->accounts);

	json_put_member_int(json, "hits", memory.hits);
	json_put_member_int(json, "misses", memory.misses);
	json_put_member_int(json, "refreshes", accounts.loads);
	json_put_member_int(json, "cache_size", count);
	json_put_member_int(json, "config_hits", own->config_hits);
	json_put_member_int(json, "config_misses", own->config_misses);
	json_put_member_int(json, "config_cache_size", count);
	answer_put_time(json, "last_full_refresh", accounts.last_load_ms);
	json_put_member_int(json, "total_requests", memory.hits + memory.misses);
	put_rate(json, "hit_rate_percent", memory.hits, memory.hits + memory.misses);
	put_rate(json, "config_hit_rate_percent", own->config_hits,
		own->config_hits + own->config_misses);
	json_put_member_int(json, "cache_entries", count);
	json_put_member_int(json, "config_cache_entries", count);
	json_put_member_int(json, "incoming_transform_cached", transforms_of(cache));
	json_put_member_int(json, "customers", (int64_t)customers_count(cache->customers));
	json_put_member_int(json, "notices", accounts.notices);
	json_put_member_int(json, "failed_refreshes", accounts.failed_loads);
	put_layers(json, customers_stats(cache->customers), &memory);
}

static enum flow_status stats_answer(struct flow *flow)
{
	struct answer answer;

	answer_begin_object(&answer);
	put_stats(&answer.json, flow_context(flow));
	return answer_send_object(flow, 200, &answer);
}

/* -- levers --------------------------------------------------------------------------------------- */

static enum flow_status answer_message(struct flow *flow, const char *message)
{
	struct answer answer;

	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "message", str_from(message));
	return answer_send_object(flow, 200, &answer);
}

static enum flow_status invalidate_forget(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	struct path_parts path = answer_path(flow);
	const struct account *account = answer_account(flow, path.items[0]);

	if (path.count != 1)
		return answer_no_such_path(flow);
	if (account == NULL) /* perhaps it is so new that nobody heard of it */
		return await_reload(flow, path.items[0]);
	customers_forget_all(cache->customers, str_from(account->number));
	return await_reload(flow, str_from(account->number));
}

static enum flow_status invalidate_answer(struct flow *flow)
{
	struct path_parts path = answer_path(flow);

	return answer_message(
		flow, arena_printf(flow_arena(flow), "Cache invalidated for enterprise %.*s",
			      STR_ARG(path.items[0])));
}

static enum flow_status refresh_read(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);

	customers_forget_all(cache->customers, str_of(NULL, 0));
	return await_reload(flow, str_of(NULL, 0));
}

static enum flow_status refresh_answer(struct flow *flow)
{
	if (reload_failed(flow))
		return http_reply_detail(flow, 503, "not refreshed: the database does not answer");
	return answer_message(flow, "Cache refreshed successfully");
}

static enum flow_status entries_answer(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	const struct account *account;
	struct answer answer;
	size_t at = 0;

	answer_begin_object(&answer);
	while ((account = accounts_next(cache->accounts, &at)) != NULL) {
		if (!account->active)
			continue;
		json_put_name(&answer.json, account->number);
		configs_put_entry(&answer.json, cache, account);
	}
	return answer_send_object(flow, 200, &answer);
}

/* -- the routes ----------------------------------------------------------------------------------- */

static const struct flow_step health_steps[] = {{"answer", health_answer}, {NULL, NULL}};
const struct flow_spec health_flow = {
	.name = "health", .steps = health_steps, .deadline_ms = 10000};

static const struct flow_step stats_steps[] = {{"answer", stats_answer}, {NULL, NULL}};
const struct flow_spec stats_flow = {.name = "stats", .steps = stats_steps, .deadline_ms = 10000};

static const struct flow_step invalidate_steps[] = {
	{"forget", invalidate_forget},
	{"answer", invalidate_answer},
	{NULL, NULL},
};
const struct flow_spec invalidate_flow = {
	.name = "invalidate", .steps = invalidate_steps, .deadline_ms = 10000};

static const struct flow_step refresh_steps[] = {
	{"read", refresh_read},
	{"answer", refresh_answer},
	{NULL, NULL},
};
const struct flow_spec refresh_flow = {
	.name = "refresh", .steps = refresh_steps, .deadline_ms = 40000};

static const struct flow_step entries_steps[] = {{"answer", entries_answer}, {NULL, NULL}};
const struct flow_spec entries_flow = {
	.name = "entries", .steps = entries_steps, .deadline_ms = 10000};
