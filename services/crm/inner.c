/*
 * inner: see inner.h.
 */
#include "inner.h"

#include "json_put.h"
#include "phone.h"

enum { BODY_BYTES = 1 << 20, BODY_DEPTH = 32, ANSWER_BYTES = 8 << 20 };

/* Why nothing can be done now; NULL: it can. */
static const char *why_not(const struct adapter *adapter)
{
	const char *why = accounts_why_not(adapter->accounts);

	if (why == NULL && adapter->draining)
		why = "it is about to end";
	if (why == NULL && adapter->jobs >= adapter->config->max_jobs)
		why = "too many jobs are under way";
	return why;
}

static bool read_parameters(struct flow *flow, struct inner *inner, struct error *error)
{
	const struct http_request *request = http_request(flow);
	const struct args_source source = {
		.query = request->query,
		.content_type = http_request_header(flow, "Content-Type"),
		.body = request->body,
	};

	if (!args_read(&inner->args, &source, flow_arena(flow), error))
		return false;
	if (str_trim(request->body).size > 0)
		inner->json = json_parse(
			request->body, (struct json_limits){BODY_BYTES, BODY_DEPTH}, NULL);
	return true;
}

enum flow_status inner_begin(struct flow *flow, struct inner *inner)
{
	const struct adapter *adapter = flow_context(flow);
	struct str given = http_request_header(flow, SERVICE_SECRET_HEADER);
	struct error error;

	if (!str_equal_secret(given, service_internal_secret(adapter->service)))
		return inner_fail(flow, 403, "refused", "forbidden");
	if (!read_parameters(flow, inner, &error))
		return http_reply_detail(flow, 400, "%s", error.text);
	if (why_not(adapter) != NULL) {
		http_reply_header(flow, "Retry-After", "2");
		return http_reply_detail(flow, 503, "%s", why_not(adapter));
	}
	return FLOW_NEXT;
}

struct str inner_enterprise(const struct inner *inner)
{
	return args_has(&inner->args, "enterprise_number")
		       ? args_get(&inner->args, "enterprise_number")
		       : args_get(&inner->args, "enterprise");
}

bool inner_open(struct flow *flow, struct inner *inner, struct str enterprise, struct error *error)
{
	struct adapter *adapter = flow_context(flow);

	if (enterprise.size == 0)
		return error_set(error, ERROR_INPUT, "enterprise_number required");
	if (!portal_open(&inner->portal, adapter, enterprise, flow_arena(flow), error))
		return false;
	inner->has_portal = true;
	flow_set_enterprise(flow, inner->portal.account.number);
	if (!inner->portal.enabled)
		return error_set(error, ERROR_CONFLICT, "%s is switched off for enterprise %s",
			adapter->driver->title, inner->portal.account.number);
	return true;
}

struct str inner_phone(struct flow *flow, const struct inner *inner, struct str phone)
{
	char e164[PHONE_TEXT_BYTES];

	phone = str_trim(phone);
	if (!phone_e164(phone, inner->portal.account.country, e164))
		return phone;
	return str_from(arena_strdup(flow_arena(flow), e164));
}

void inner_attempt(struct flow *flow, struct inner *inner, enum crm_task task)
{
	attempt_init(&inner->attempt, flow, &inner->portal, task);
	inner->has_attempt = true;
}

void inner_free(struct inner *inner)
{
	if (inner->has_attempt)
		attempt_free(&inner->attempt);
	if (inner->has_portal)
		portal_close(&inner->portal);
	json_free(&inner->json);
}

struct str inner_verb(struct flow *flow)
{
	struct str rest = http_request(flow)->path, part = {0};

	while (rest.data != NULL)
		part = str_cut(&rest, '/');
	return part;
}

/* -- answers -------------------------------------------------------------------------------------- */

int inner_status(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_DONE:
	case OUTCOME_SKIPPED:
		return 200;
	case OUTCOME_SLOWER:
		return 503;
	case OUTCOME_LOCKED:
		return 409;
	case OUTCOME_REFUSED:
		return 422;
	case OUTCOME_GONE:
		return 410;
	case OUTCOME_AGAIN:
		break;
	}
	return 502;
}

int inner_status_of(const struct error *error)
{
	return error->kind == ERROR_INPUT ? 400 : error_http_status(error->kind);
}

struct json_writer *inner_answer_begin(struct inner_answer *answer)
{
	buf_init(&answer->text, ANSWER_BYTES);
	json_begin(&answer->writer, &answer->text);
	json_open_object(&answer->writer);
	return &answer->writer;
}

enum flow_status inner_answer_send(struct flow *flow, struct inner_answer *answer, int status)
{
	enum flow_status next;

	json_close_object(&answer->writer);
	if (answer->text.failed)
		next = http_reply_detail(flow, 500, "the answer is too long");
	else
		next = http_reply_json(flow, status, &answer->text);
	buf_free(&answer->text);
	return next;
}

enum flow_status inner_fail(struct flow *flow, int status, const char *outcome, const char *words)
{
	struct inner_answer answer;
	struct json_writer *writer = inner_answer_begin(&answer);

	json_put_member_bool(writer, "success", false);
	json_put_member_str(writer, "outcome", str_from(outcome));
	json_put_member_str(writer, "error", str_from(words));
	return inner_answer_send(flow, &answer, status);
}

enum flow_status inner_fail_attempt(struct flow *flow, const struct attempt *attempt)
{
	bool is_skipped = attempt->outcome == OUTCOME_SKIPPED; /* where something was expected */

	if (attempt->outcome == OUTCOME_SLOWER)
		http_reply_header(flow, "Retry-After", "1");
	return inner_fail(flow, is_skipped ? 409 : inner_status(attempt->outcome),
		outcome_name(attempt->outcome), attempt->reason);
}
