/*
 * customers_fetch: numbers that memory lacks, read from Redis and then from PostgreSQL, many at once.
 *
 * What is read goes into Redis for the other instances, under a generation: after a gap in the
 * announcements nobody knows which copies there are old, so whoever had the gap makes all of them
 * void by a new generation.
 */
#include "customers_private.h"

#define MAX_FETCHES	  4
#define FETCH_DEADLINE_MS 2000
#define REDIS_TIMEOUT_MS  50
#define FETCH_ARENA_BYTES ((size_t)16 << 20) /* a hundred of the largest records, twice */

static const char sql_customers[] =
	"SELECT coalesce(customer_shown(split_part(k, ' ', 1), split_part(k, ' ', 2))::text, "
	"'null')"
	" FROM unnest($1::text[]) WITH ORDINALITY AS x (k, n) ORDER BY n";

struct fetch {
	struct entry *entries[CUSTOMERS_BATCH];
	bool filled[CUSTOMERS_BATCH];
	unsigned count;
	unsigned generation; /* of customers when it began */
	struct str words[CUSTOMERS_BATCH + 2];
	struct redis_reply reply;
	struct pg_batch *batch;
	struct pg_array keys;
	unsigned asked[CUSTOMERS_BATCH]; /* rows of the batch -> entries */
	unsigned asked_count;
};

enum { FETCH_REDIS, FETCH_COPIES, FETCH_DATABASE, FETCH_ROWS };

static struct str entry_key(const struct entry *entry)
{
	return str_of(entry->key, entry->key_size);
}

static struct str redis_key(struct flow *flow, const struct entry *entry)
{
	return str_from(arena_printf(
		flow_arena(flow), CUSTOMERS_REDIS_PREFIX "%.*s", STR_ARG(entry_key(entry))));
}

/* While announcements do not come, copies of others may be old without our knowing. */
static bool may_use_redis(struct customers *customers)
{
	return customers->cache->redis != NULL && redis_ready(customers->cache->redis) &&
	       pg_listen_ready(customers->listen) && customers_void_redis(customers);
}

static enum flow_status fetch_redis(struct flow *flow)
{
	struct customers *customers = flow_context(flow);
	struct fetch *fetch = flow_state(flow);
	struct redis_command command = {.words = fetch->words, .timeout_ms = REDIS_TIMEOUT_MS};
	unsigned words = 0;

	fetch->generation = customers->generation;
	for (unsigned i = 0; i < fetch->count; i++)
		fetch->entries[i]->changed = false; /* what is announced from here on counts */
	if (!may_use_redis(customers))
		return flow_goto(flow, FETCH_DATABASE);
	fetch->words[words++] = STR("MGET");
	fetch->words[words++] = STR(CUSTOMERS_REDIS_GENERATION);
	for (unsigned i = 0; i < fetch->count; i++)
		fetch->words[words++] = redis_key(flow, fetch->entries[i]);
	command.count = words;
	return await_redis(flow, customers->cache->redis, &command, &fetch->reply);
}

/* Which generation holds: the one in Redis, else ours from now on. */
static bool same_generation(struct customers *customers, struct str there)
{
	if (there.size == 0) {
		struct str words[] = {STR("SET"), STR(CUSTOMERS_REDIS_GENERATION), {0}, STR("NX")};

		crypto_uuid4(customers->redis_generation);
		words[2] = str_from(customers->redis_generation);
		(void)redis_tell(customers->cache->redis, words, 4);
		customers->redis_generation[0] = '\0'; /* whose it became the next answer says */
		return false;
	}
	(void)str_copy(customers->redis_generation, sizeof(customers->redis_generation), there);
	return true;
}

/* "<generation> <record>" */
static void take_copy(struct customers *customers, struct fetch *fetch, unsigned i, struct str copy)
{
	struct entry *entry = fetch->entries[i];
	struct str record = copy;
	struct str generation = str_cut(&record, ' ');

	if (copy.size == 0 || entry->past_redis ||
		!str_equal(generation, str_from(customers->redis_generation)) ||
		!customers_fill(customers, entry, record)) {
		customers->stats.redis.misses++;
		metric_add(customers->meters.redis_misses, 1);
		return;
	}
	customers->stats.redis.hits++;
	metric_add(customers->meters.redis_hits, 1);
	fetch->filled[i] = true;
}

static enum flow_status fetch_copies(struct flow *flow)
{
	struct customers *customers = flow_context(flow);
	struct fetch *fetch = flow_state(flow);
	const struct redis_reply *reply = &fetch->reply;

	customers->redis_generation[0] = '\0';
	if (!reply->ok || reply->count != fetch->count + 1 ||
		!same_generation(customers, reply->items[0]))
		return FLOW_NEXT;
	for (unsigned i = 0; i < fetch->count; i++)
		take_copy(customers, fetch, i, reply->items[i + 1]);
	return FLOW_NEXT;
}

static enum flow_status fetch_database(struct flow *flow)
{
	struct customers *customers = flow_context(flow);
	struct fetch *fetch = flow_state(flow);
	struct pg_params params = {0};

	pg_array_text_init(&fetch->keys, 64 << 10);
	for (unsigned i = 0; i < fetch->count; i++) {
		if (fetch->filled[i])
			continue;
		pg_array_add_str(&fetch->keys, entry_key(fetch->entries[i]));
		fetch->asked[fetch->asked_count++] = i;
	}
	if (fetch->asked_count == 0)
		return FLOW_END;
	pg_put_array(&params, &fetch->keys);
	return await_pg_query(flow, customers->cache->pg, &fetch->batch, sql_customers, &params);
}

static void keep_in_redis(struct flow *flow, const struct entry *entry, struct str record)
{
	struct customers *customers = flow_context(flow);
	const char *ttl = arena_printf(
		flow_arena(flow), "%lld", (long long)customers->cache->settings->ttl_seconds);
	struct str words[] = {STR("SET"), redis_key(flow, entry), {0}, STR("EX"), str_from(ttl)};

	if (!may_use_redis(customers) || customers->redis_generation[0] == '\0' || entry->changed)
		return;
	words[2] = str_from(arena_printf(
		flow_arena(flow), "%s %.*s", customers->redis_generation, STR_ARG(record)));
	(void)redis_tell(customers->cache->redis, words, 5);
}

static void count_row(struct customers *customers, bool known)
{
	struct layer_stats *database = &customers->stats.database;

	*(known ? &database->hits : &database->misses) += 1;
	metric_add(known ? customers->meters.database_hits : customers->meters.database_misses, 1);
}

static enum flow_status fetch_rows(struct flow *flow)
{
	struct customers *customers = flow_context(flow);
	struct fetch *fetch = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(fetch->batch, &error))
		return flow_fail_error(flow, &error);
	for (int row = 0; row < pg_rows(fetch->batch, 0) && row < (int)fetch->asked_count; row++) {
		unsigned i = fetch->asked[row];
		struct entry *entry = fetch->entries[i];
		struct str record = pg_text(fetch->batch, 0, row, 0);

		fetch->filled[i] = customers_fill(customers, entry, record);
		if (!fetch->filled[i])
			continue;
		entry->past_redis = false;
		count_row(customers, entry->customer.known);
		keep_in_redis(flow, entry, record);
	}
	return FLOW_END;
}

/* Whoever waited goes on, with what there is. */
static void fetch_finally(struct flow *flow)
{
	struct customers *customers = flow_context(flow);
	struct fetch *fetch = flow_state(flow);

	for (unsigned i = 0; i < fetch->count; i++) {
		struct entry *entry = fetch->entries[i];
		struct str rest = entry_key(entry);
		struct str enterprise = str_cut(&rest, ' ');

		entry->fetching = false;
		/* Not read, or perhaps before a change that we missed: the next look-up asks. */
		if (!fetch->filled[i] || fetch->generation != customers->generation)
			entry->changed = true;
		if (fetch->filled[i])
			customers_learn(customers,
				accounts_find(customers->cache->accounts, enterprise), entry);
		(void)flow_queue_wake_all(&entry->waiting);
	}
	if (flow_error(flow) != NULL)
		customers->failed_ms = loop_now_ms(customers->cache->loop);
	pg_array_free(&fetch->keys);
	(void)flow_queue_wake_all(&customers->wake);
}

static const struct flow_step fetch_steps[] = {
	[FETCH_REDIS] = {"redis", fetch_redis},
	[FETCH_COPIES] = {"copies", fetch_copies},
	[FETCH_DATABASE] = {"database", fetch_database},
	[FETCH_ROWS] = {"rows", fetch_rows},
	{NULL, NULL},
};

static const struct flow_spec fetch_flow = {
	.name = "customers-fetch",
	.steps = fetch_steps,
	.finally = fetch_finally,
	.state_bytes = sizeof(struct fetch),
	.arena_max_bytes = FETCH_ARENA_BYTES,
	.deadline_ms = FETCH_DEADLINE_MS,
};

/* -- for ever ------------------------------------------------------------------------------------- */

enum { FETCHER_WAIT, FETCHER_START };

static enum flow_status fetcher_wait(struct flow *flow)
{
	struct customers *customers = flow_context(flow);

	if (customers->first_wanted != NULL && flow_children(flow) < MAX_FETCHES)
		return FLOW_NEXT;
	flow_goto(flow, FETCHER_WAIT);
	return await_queue(flow, &customers->wake);
}

static enum flow_status fetcher_start(struct flow *flow)
{
	struct customers *customers = flow_context(flow);
	struct fetch *fetch = flow_state(flow_spawn(flow, &fetch_flow));

	while (customers->first_wanted != NULL && fetch->count < CUSTOMERS_BATCH) {
		struct entry *entry = customers->first_wanted;

		customers->first_wanted = entry->next_wanted;
		entry->wanted = false;
		entry->fetching = true;
		fetch->entries[fetch->count++] = entry;
	}
	return flow_goto(flow, FETCHER_WAIT);
}

static const struct flow_step fetcher_steps[] = {
	[FETCHER_WAIT] = {"wait", fetcher_wait},
	[FETCHER_START] = {"start", fetcher_start},
	{NULL, NULL},
};

static void fetcher_finally(struct flow *flow)
{
	struct customers *customers = flow_context(flow);

	customers->fetcher = NULL;
}

static const struct flow_spec fetcher_flow = {
	.name = "customers-fetcher",
	.steps = fetcher_steps,
	.finally = fetcher_finally,
	.deadline_ms = FLOW_FOREVER,
};

void customers_fetch_start(struct customers *customers)
{
	customers->fetcher =
		flow_start(customers->cache->loop, &fetcher_flow, customers, customers->cache->log);
}
