/*
 * customers_warm: customers are in memory before anybody asks for them, enterprise by enterprise.
 *
 * Of an enterprise that fits all are there, so that a stranger, too, is known at once: he is nobody.
 * That holds as long as announcements come and none of them was evicted; it is read again from time to
 * time like everything. One enterprise at a time, on the connection that nobody waits for.
 */
#include "customers_private.h"

#include "alloc.h"

#include <stdlib.h>

#define WARM_ARENA_BYTES ((size_t)256 << 20) /* the answer for one enterprise */
#define WARM_DEADLINE_MS 15000
#define ROUND_MS	 1000 /* between looks for enterprises that are not read */
#define SPARE_PART	 4    /* a quarter of the places stays for those who are asked for */

static const char sql_customers[] =
	"SELECT k.enterprise_number || ' ' || k.phone_e164,"
	" coalesce(customer_shown(k.enterprise_number, k.phone_e164)::text, 'null')"
	" FROM customers k WHERE k.enterprise_number = $1 AND (k.black_list OR k.meta <> '{}'"
	" OR num_nonnulls(k.last_name, k.first_name, k.middle_name, k.enterprise_name) > 0)"
	" ORDER BY k.last_call_at DESC NULLS LAST LIMIT $2::int + 1";

/* -- what is known of whole enterprises ----------------------------------------------------------- */

struct whole *customers_whole(const struct customers *customers, struct str key)
{
	struct str rest = key;
	struct whole *whole = table_get(customers->wholes, str_cut(&rest, ' '));

	return whole != NULL && (whole->loading || whole->complete) ? whole : NULL;
}

bool customers_whole_holds(const struct customers *customers, const struct whole *whole)
{
	int64_t age_ms = loop_now_ms(customers->cache->loop) - whole->read_ms;

	return whole->complete && whole->generation == customers->generation &&
	       pg_listen_ready(customers->listen) &&
	       age_ms < customers->cache->settings->ttl_seconds * 1000;
}

static struct whole *whole_of(struct customers *customers, const char *number)
{
	struct whole *whole = table_get(customers->wholes, str_from(number));

	if (whole == NULL) {
		whole = alloc_zeroed(1, sizeof(*whole));
		(void)table_put(customers->wholes, str_from(number), whole);
	}
	return whole;
}

/* Again after a gap, and at half of the time that it holds. */
static bool is_due(struct customers *customers, const struct account *account)
{
	const struct whole *whole = table_get(customers->wholes, str_from(account->number));
	int64_t age_ms;

	if (!account->active)
		return false;
	if (whole == NULL || whole->read_ms == 0 || whole->generation != customers->generation)
		return true;
	age_ms = loop_now_ms(customers->cache->loop) - whole->read_ms;
	return age_ms >= customers->cache->settings->ttl_seconds * 1000 / 2;
}

static bool has_room(const struct customers *customers)
{
	size_t most = (size_t)customers->cache->settings->max_customers;

	return customers_count(customers) < most - most / SPARE_PART;
}

/* -- one enterprise ------------------------------------------------------------------------------- */

struct warm {
	struct str number;
	struct pg_batch *batch;
};

static enum flow_status warm_ask(struct flow *flow)
{
	struct customers *customers = flow_context(flow);
	struct warm *warm = flow_state(flow);
	struct pg_params params = {0};
	struct whole *whole = whole_of(customers, warm->number.data);

	*whole = (struct whole){.loading = true, .generation = customers->generation};
	pg_put_str(&params, flow_arena(flow), warm->number);
	pg_put_int(&params, flow_arena(flow), customers->cache->settings->warm_customers);
	return await_pg_query(
		flow, customers->cache->side_pg, &warm->batch, sql_customers, &params);
}

/* What was announced meanwhile, or is being read, is newer than these rows. */
static void take_row(struct customers *customers, struct str key, struct str record)
{
	struct entry *entry = customers_get(customers, key);

	if (entry != NULL && (entry->changed || entry->wanted || entry->fetching))
		return;
	entry = customers_make(customers, key, false);
	(void)customers_fill(customers, entry, record);
}

static enum flow_status warm_take(struct flow *flow)
{
	struct customers *customers = flow_context(flow);
	struct warm *warm = flow_state(flow);
	int64_t most = customers->cache->settings->warm_customers;
	struct whole *whole = table_get(customers->wholes, warm->number);
	int rows = pg_rows(warm->batch, 0);
	struct error error;

	if (!pg_batch_ok(warm->batch, &error))
		return flow_fail_error(flow, &error);
	if (whole->generation != customers->generation)
		return flow_fail(flow, ERROR_BUSY, "announcements were missed meanwhile");
	for (int row = 0; row < rows && has_room(customers); row++)
		take_row(customers, pg_text(warm->batch, 0, row, 0),
			pg_text(warm->batch, 0, row, 1));
	whole->read_ms = loop_now_ms(customers->cache->loop);
	/* loading is false by now when one of them was evicted again. */
	whole->complete = whole->loading && rows <= most && has_room(customers);
	whole->loading = false;
	return FLOW_END;
}

static void warm_finally(struct flow *flow)
{
	struct customers *customers = flow_context(flow);
	const struct warm *warm = flow_state(flow);
	struct whole *whole = table_get(customers->wholes, warm->number);

	if (whole != NULL && flow_error(flow) != NULL)
		whole->loading = false;
}

static const struct flow_step warm_steps[] = {
	{"ask", warm_ask},
	{"take", warm_take},
	{NULL, NULL},
};

static const struct flow_spec warm_flow = {
	.name = "customers-warm",
	.steps = warm_steps,
	.finally = warm_finally,
	.state_bytes = sizeof(struct warm),
	.arena_max_bytes = WARM_ARENA_BYTES,
	.deadline_ms = WARM_DEADLINE_MS,
};

/* -- for ever ------------------------------------------------------------------------------------- */

static const struct account *next_due(struct customers *customers)
{
	const struct accounts *accounts = customers->cache->accounts;
	const struct account *account;
	size_t at = 0;

	if (customers->cache->settings->warm_customers == 0 || !has_room(customers) ||
		!pg_ready(customers->cache->side_pg) || !pg_listen_ready(customers->listen))
		return NULL;
	while ((account = accounts_next(accounts, &at)) != NULL) {
		if (is_due(customers, account))
			return account;
	}
	return NULL;
}

static enum flow_status warmer_next(struct flow *flow)
{
	struct customers *customers = flow_context(flow);
	const struct account *account = next_due(customers);
	struct flow *child;
	struct warm *warm;

	if (account == NULL)
		return await_sleep(flow, ROUND_MS);
	child = flow_spawn(flow, &warm_flow);
	warm = flow_state(child);
	warm->number = str_from(arena_strdup(flow_arena(child), account->number));
	return await_children(flow);
}

/* After a failure not at once again. */
static enum flow_status warmer_again(struct flow *flow)
{
	unsigned *failed = flow_state(flow);
	bool again = flow_failed_children(flow) > *failed;

	*failed = flow_failed_children(flow);
	flow_goto(flow, 0);
	return again ? await_sleep(flow, ROUND_MS) : FLOW_NEXT;
}

static const struct flow_step warmer_steps[] = {
	{"next", warmer_next},
	{"again", warmer_again},
	{NULL, NULL},
};

static void warmer_finally(struct flow *flow)
{
	struct customers *customers = flow_context(flow);

	customers->warmer = NULL;
}

static const struct flow_spec warmer_flow = {
	.name = "customers-warmer",
	.steps = warmer_steps,
	.finally = warmer_finally,
	.state_bytes = sizeof(unsigned),
	.deadline_ms = FLOW_FOREVER,
};

void customers_warm_start(struct customers *customers)
{
	customers->warmer =
		flow_start(customers->cache->loop, &warmer_flow, customers, customers->cache->log);
}

void customers_warm_free(struct customers *customers)
{
	size_t at = 0;
	void *value;

	if (customers->warmer != NULL)
		flow_cancel(customers->warmer);
	while (table_next(customers->wholes, &at, NULL, &value))
		free(value);
	table_free(&customers->wholes);
}
