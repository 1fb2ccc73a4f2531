/*
 * customer: see customer.h. Two flows side by side; whichever is late is not waited for.
 */
#include "customer.h"

#include "json_put.h"
#include "pbx_api.h"

enum { ANSWER_MAX_BYTES = 64 << 10, ANSWER_DEPTH = 16, BODY_MAX_BYTES = 1024 };

struct part {
	const struct customer_ask *ask;
	struct customer_facts *facts;
	struct arena *arena; /* of the flow that waits */
	bool answered;
	struct http_call call;
	struct http_answer answer;
	struct pg_batch *batch;
};

static void keep(const struct part *part, struct str *to, struct str text)
{
	if (text.size > 0)
		*to = str_of(arena_strndup(part->arena, text.data, text.size), text.size);
}

/* -- integration-cache ---------------------------------------------------------------------------- */

struct responsible {
	struct str extension;
};

struct lookup {
	struct str name;
	struct responsible responsible;
};

static const struct json_field responsible_fields[] = {
	JSON_FIELD(struct responsible, extension, JSON_STRING, JSON_LAX),
	{0},
};

static const struct json_field lookup_fields[] = {
	JSON_FIELD(struct lookup, name, JSON_STRING, 0),
	{.name = "responsible",
		.type = JSON_NESTED,
		.offset = offsetof(struct lookup, responsible),
		.fields = responsible_fields,
		.size_bytes = sizeof(struct responsible)},
	{0},
};

static struct str lookup_body(const struct part *part)
{
	struct json_writer json;
	struct buf body;
	struct str text;

	buf_init(&body, BODY_MAX_BYTES);
	json_begin(&json, &body);
	json_open_object(&json);
	json_put_member_str(&json, "enterprise", str_from(part->ask->enterprise));
	json_put_member_str(&json, "phone", str_from(part->ask->phone));
	json_close_object(&json);
	text = str_of(arena_strndup(part->arena, body.data, body.size), body.size);
	buf_free(&body);
	return text;
}

static enum flow_status lookup_ask(struct flow *flow)
{
	const struct pbx_api *api = flow_context(flow);
	struct part *part = flow_state(flow);
	struct str secret = service_internal_secret(api->service);

	part->call = (struct http_call){
		.method = "POST",
		.url = arena_printf(flow_arena(flow), "%s/lookup", api->settings->cache_url),
		.content_type = "application/json",
		.body = lookup_body(part),
		.timeout_ms = api->settings->lookup_ms,
		.max_answer_bytes = ANSWER_MAX_BYTES,
	};
	if (secret.size > 0) {
		part->call.headers[0][0] = SERVICE_SECRET_HEADER;
		part->call.headers[0][1] = secret.data;
	}
	return await_http(flow, api->http, &part->call, &part->answer);
}

static enum flow_status lookup_read(struct flow *flow)
{
	const struct json_limits limits = {ANSWER_MAX_BYTES, ANSWER_DEPTH};
	struct part *part = flow_state(flow);
	struct lookup lookup = {0};
	struct error error;
	struct json *json;

	if (part->answer.reach != HTTP_ANSWERED)
		return flow_fail_error(flow, &part->answer.error);
	if (part->answer.status != 200)
		return flow_fail(flow, ERROR_UPSTREAM, "HTTP %d", part->answer.status);
	json = json_parse(part->answer.body, limits, &error);
	if (json == NULL)
		return flow_fail_error(flow, &error);
	if (json_read(json, lookup_fields, &lookup, part->arena, &error)) {
		keep(part, &part->facts->name, lookup.name);
		part->facts->responsible = lookup.responsible.extension;
		part->answered = true;
	}
	json_free(&json);
	return part->answered ? FLOW_END : flow_fail_error(flow, &error);
}

/* -- the database --------------------------------------------------------------------------------- */

/* Whoever called a customer without being answered counts, too: the customer calls back. Both ends of
 * the history are read from the index of a customer's calls, however long it is. */
#define FIRST_TALKER "CASE WHEN c.answered THEN c.talkers[1] ELSE c.caller END"
#define HISTORY_OF(agent, order)                                                                   \
	"CASE WHEN $4::boolean THEN (SELECT " agent " FROM calls c"                                \
	" WHERE c.enterprise_id = $1 AND c.phone_number = $2 AND c.start_time IS NOT NULL"         \
	" AND c.direction = ANY ('{incoming,outgoing}')"                                           \
	" AND (c.answered OR c.direction = 'outgoing')"                                            \
	" ORDER BY c.start_time " order " LIMIT 1) END"

#define FIRST_AGENT HISTORY_OF(FIRST_TALKER, "ASC")
#define LAST_AGENT  HISTORY_OF("customer_agent(c)", "DESC")

static const char history_sql[] =
	"SELECT customer_name(k), k.meta -> 'responsible' ->> $3::text,"
	" " FIRST_AGENT ", " LAST_AGENT " FROM (SELECT) AS one LEFT JOIN customers k"
	" ON k.enterprise_number = $1 AND k.phone_e164 = $2";

static enum flow_status history_ask(struct flow *flow)
{
	const struct pbx_api *api = flow_context(flow);
	struct part *part = flow_state(flow);
	struct pg_params params = {0};

	if (!pg_ready(api->pg))
		return flow_fail(flow, ERROR_BUSY, "the database does not answer");
	pg_put_text(&params, part->ask->enterprise);
	pg_put_text(&params, part->ask->phone);
	pg_put_str(&params, flow_arena(flow), part->ask->crm);
	pg_put_bool(&params, part->ask->history);
	return await_pg_query(flow, api->pg, &part->batch, history_sql, &params);
}

/* What the cache answered is newer than the tables, or made of them. */
static enum flow_status history_read(struct flow *flow)
{
	struct part *part = flow_state(flow);
	struct customer_facts *facts = part->facts;
	struct error error;

	if (!pg_batch_ok(part->batch, &error))
		return flow_fail_error(flow, &error);
	if (facts->name.size == 0)
		keep(part, &facts->name, pg_text(part->batch, 0, 0, 0));
	keep(part, &facts->manager, pg_text(part->batch, 0, 0, 1));
	keep(part, &facts->first, pg_text(part->batch, 0, 0, 2));
	keep(part, &facts->last, pg_text(part->batch, 0, 0, 3));
	part->answered = true;
	return FLOW_END;
}

/* -- both ----------------------------------------------------------------------------------------- */

static const struct flow_step lookup_steps[] = {
	{"ask", lookup_ask},
	{"read", lookup_read},
	{NULL, NULL},
};

static const struct flow_step history_steps[] = {
	{"ask", history_ask},
	{"read", history_read},
	{NULL, NULL},
};

static void part_over(struct flow *flow)
{
	const struct part *part = flow_state(flow);

	if (!part->answered)
		part->facts->complete = false;
	if (flow_error(flow) != NULL)
		log_debug(flow_log(flow), "no names from there: %s", flow_error(flow)->text);
}

static const struct flow_spec lookup_flow = {
	.name = "lookup",
	.steps = lookup_steps,
	.finally = part_over,
	.state_bytes = sizeof(struct part),
};

static const struct flow_spec history_flow = {
	.name = "history",
	.steps = history_steps,
	.finally = part_over,
	.state_bytes = sizeof(struct part),
};

static void spawn(struct flow *flow, const struct flow_spec *spec, const struct customer_ask *ask,
	struct customer_facts *facts)
{
	const struct pbx_api *api = flow_context(flow);
	struct flow *child = flow_spawn(flow, spec);
	struct part *part = flow_state(child);

	part->ask = ask;
	part->facts = facts;
	part->arena = flow_arena(flow);
	flow_set_deadline(child, api->settings->lookup_ms);
}

enum flow_status await_customer(
	struct flow *flow, const struct customer_ask *ask, struct customer_facts *facts)
{
	const struct pbx_api *api = flow_context(flow);

	*facts = (struct customer_facts){.complete = true};
	spawn(flow, &history_flow, ask, facts);
	if (api->settings->cache_url[0] != '\0')
		spawn(flow, &lookup_flow, ask, facts);
	return await_children(flow);
}
