/*
 * dispatch: the story of one request: read it, see which CRMs want it, wait for the commit, answer.
 */
#include "dispatch.h"

#include "cache.h"
#include "crm_driver.h"
#include "customers.h"
#include "gateway_parts.h"

enum { DEADLINE_MS = 30000, TRACE_MAX_BYTES = 100, MAX_CRMS = 32 };
#define PAYLOAD_MAX_BYTES ((size_t)128 << 10)

struct dispatch_request {
	struct dispatch_batch *batch; /* our reference; NULL: none */
	unsigned from, count;	      /* our rows in it */
};

static enum flow_status refuse(struct flow *flow, const struct error *error)
{
	if (error->kind == ERROR_INPUT) {
		log_info(flow_log(flow), "dispatch: invalid payload: %s", error->text);
		return http_reply_detail(flow, 400, "invalid payload");
	}
	return flow_fail_error(flow, error);
}

static enum flow_status answer_queued(struct flow *flow, unsigned queued)
{
	struct buf json;
	enum flow_status status;

	buf_init(&json, 100);
	(void)buf_printf(&json, "{\"success\":true,\"queued\":%u}", queued);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

/* -- for whom --------------------------------------------------------------------------------------- */

static bool wants(const struct account_integration *integration, enum crm_kind kind)
{
	const struct crm_driver *driver = crm_driver_of_code(str_from(integration->code));

	return integration->enabled && driver != NULL &&
	       str_equal(str_from(driver->code), str_from(integration->code)) &&
	       (driver->kinds & 1u << kind) != 0;
}

static unsigned find_crms(const struct dispatch *dispatch, struct str codes[MAX_CRMS])
{
	const struct account *account = dispatch->account;
	unsigned count = 0;

	for (unsigned i = 0; i < account->integration_count && count < MAX_CRMS; i++) {
		if (wants(&account->integrations[i], dispatch->kind))
			codes[count++] = str_from(account->integrations[i].code);
	}
	return count;
}

/* A trace goes into logs and headers: what is no plain word is not ours. */
static struct str checked_trace(struct flow *flow, struct str trace)
{
	if (trace.size == 0 || trace.size > TRACE_MAX_BYTES)
		return str_from(http_request(flow)->trace);
	for (size_t i = 0; i < trace.size; i++) {
		if (trace.data[i] <= ' ' || trace.data[i] > '~')
			return str_from(http_request(flow)->trace);
	}
	return trace;
}

static void add_rows(struct flow *flow, struct gateway *gateway, const struct dispatch *dispatch,
	const struct str codes[MAX_CRMS])
{
	struct dispatch_request *request = flow_state(flow);
	struct delivery row = {
		.enterprise = str_from(dispatch->account->number),
		.call_key = dispatch->call.key,
		.kind = str_from(dispatch->kind_text),
		.trace = checked_trace(flow, dispatch->trace),
	};
	struct buf payload;

	buf_init(&payload, PAYLOAD_MAX_BYTES);
	crm_call_write(&payload, &dispatch->call);
	row.payload = buf_str(&payload);
	request->from = request->batch->count;
	for (unsigned i = 0; i < request->count; i++) {
		row.crm = codes[i];
		dispatch_line_add(&gateway->line, request->batch, delivery_new(&row));
	}
	buf_free(&payload);
}

/* -- the steps -------------------------------------------------------------------------------------- */

static enum flow_status dispatch_take(struct flow *flow)
{
	struct integration_cache *cache = flow_context(flow);
	struct dispatch_request *request = flow_state(flow);
	struct gateway *gateway = cache->gateway;
	struct str codes[MAX_CRMS];
	struct dispatch dispatch;
	struct error error;

	if (!dispatch_read(
		    cache->accounts, http_request(flow)->body, flow_arena(flow), &dispatch, &error))
		return refuse(flow, &error);
	/* Who it is, is known by the time that somebody asks. */
	if (dispatch.external && dispatch.kind == CRM_RINGING)
		customers_expect(cache->customers, dispatch.account, dispatch.call.phone);
	request->count = dispatch.external ? find_crms(&dispatch, codes) : 0;
	if (request->count == 0)
		return answer_queued(flow, 0);
	request->batch = dispatch_line_open(&gateway->line, request->count);
	if (request->batch == NULL) {
		http_reply_header(flow, "Retry-After", "1");
		return http_reply_detail(flow, 503, "too many calls are waiting to be stored");
	}
	add_rows(flow, gateway, &dispatch, codes);
	return await_queue(flow, &request->batch->waiters);
}

static enum flow_status dispatch_answer(struct flow *flow)
{
	struct dispatch_request *request = flow_state(flow);
	const struct dispatch_batch *batch = request->batch;
	unsigned queued = 0;

	if (batch->state != DISPATCH_STORED) {
		http_reply_header(flow, "Retry-After", "1");
		return http_reply_detail(flow, 503, "not stored: the database does not answer");
	}
	for (unsigned i = request->from; i < request->from + request->count; i++)
		queued += batch->inserted[i];
	if (queued == 0)
		return http_reply(flow, 200, "application/json",
			STR("{\"status\":\"ignored\",\"reason\":\"duplicate\"}"));
	return answer_queued(flow, queued);
}

static void dispatch_finally(struct flow *flow)
{
	struct dispatch_request *request = flow_state(flow);

	if (request->batch != NULL)
		dispatch_batch_release(request->batch);
}

static const struct flow_step dispatch_steps[] = {
	{"take", dispatch_take},
	{"answer", dispatch_answer},
	{NULL, NULL},
};

const struct flow_spec dispatch_flow = {
	.name = "dispatch",
	.steps = dispatch_steps,
	.finally = dispatch_finally,
	.state_bytes = sizeof(struct dispatch_request),
	.deadline_ms = DEADLINE_MS,
};
