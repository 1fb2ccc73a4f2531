/*
 * lookups: who has this number, asked of the CRM while somebody waits: a name, a profile, whose customer
 * it is. Paths and shapes are those of the services that this one replaces; what failed has an "error"
 * beside them and is never 200.
 */
#include "inner.h"

#include "customers.h"
#include "json_put.h"

enum { LOOKUP_MS = 2400, DEADLINE_MS = 5000, ID_DIGITS = 18 };

struct lookup {
	struct inner inner;
	struct str phone;
};

/* -- shapes --------------------------------------------------------------------------------------- */

static void put_text(struct json_writer *writer, const char *name, struct str text)
{
	if (text.size > 0)
		json_put_member_str(writer, name, text);
	else {
		json_put_name(writer, name);
		json_put_null(writer);
	}
}

/* Ids of some CRMs are numbers, and were always shown as such. */
static void put_id(struct json_writer *writer, const char *name, struct str id)
{
	int64_t number;

	if (id.size <= ID_DIGITS && str_is_digits(id) && str_to_int64(id, &number))
		json_put_member_int(writer, name, number);
	else
		put_text(writer, name, id);
}

static void put_names(struct json_writer *writer, const struct crm_customer *customer)
{
	put_text(writer, "last_name", customer->last_name);
	put_text(writer, "first_name", customer->first_name);
	put_text(writer, "middle_name", customer->middle_name);
	put_text(writer, "enterprise_name", customer->enterprise_name);
}

static void put_source(
	struct json_writer *writer, const char *code, const struct crm_customer *customer)
{
	json_put_name(writer, "source");
	json_open_object(writer);
	json_put_member_str(writer, "type", str_from(code));
	json_put_member_bool(writer, "corporate", customer->company);
	json_put_name(writer, "raw");
	json_open_object(writer);
	put_id(writer, "id", customer->id);
	json_put_name(writer, "phones");
	json_open_array(writer);
	for (size_t i = 0; i < customer->phones.count; i++)
		json_put_str(writer, customer->phones.items[i]);
	json_close_array(writer);
	json_close_object(writer);
	json_close_object(writer);
}

typedef void put_fn(
	struct flow *flow, struct json_writer *writer, const struct crm_customer *found);

static void put_name(
	struct flow *flow, struct json_writer *writer, const struct crm_customer *found)
{
	put_text(writer, "name", customer_display_name(found, flow_arena(flow)));
}

static void put_profile(
	struct flow *flow, struct json_writer *writer, const struct crm_customer *found)
{
	const struct adapter *adapter = flow_context(flow);

	put_names(writer, found);
	if (found->id.size > 0)
		put_source(writer, adapter->driver->code, found);
}

static void put_by_phone(
	struct flow *flow, struct json_writer *writer, const struct crm_customer *found)
{
	const struct lookup *lookup = flow_state(flow);
	const struct adapter *adapter = flow_context(flow);

	json_put_member_str(writer, "phone", lookup->phone);
	json_put_name(writer, "profile");
	if (found->id.size == 0) {
		json_put_null(writer);
		return;
	}
	json_open_object(writer);
	put_text(writer, "display_name", customer_display_name(found, flow_arena(flow)));
	put_names(writer, found);
	json_close_object(writer);
	put_source(writer, adapter->driver->code, found);
}

static void put_responsible(
	struct flow *flow, struct json_writer *writer, const struct crm_customer *found)
{
	const struct lookup *lookup = flow_state(flow);
	struct str extension = {0};

	if (found->manager_id.size > 0 && lookup->inner.has_portal)
		extension = crm_extension_of(
			&lookup->inner.portal.account, found->manager_id, flow_arena(flow));
	put_text(writer, "extension", extension);
	put_id(writer, "manager_id", found->manager_id);
}

static const struct {
	const char *verb;
	put_fn *put;
} shapes[] = {
	{"customer-name", put_name},
	{"customer-profile", put_profile},
	{"customer-by-phone", put_by_phone},
	{"responsible-extension", put_responsible},
};

static enum flow_status answer(
	struct flow *flow, int status, const struct crm_customer *found, const char *error)
{
	static const struct crm_customer nobody;
	struct inner_answer answer;
	struct json_writer *writer = inner_answer_begin(&answer);
	struct str verb = inner_verb(flow);

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (str_equal(verb, str_from(shapes[i].verb)))
			shapes[i].put(flow, writer, found != NULL ? found : &nobody);
	}
	if (error != NULL)
		json_put_member_str(writer, "error", str_from(error));
	return inner_answer_send(flow, &answer, status);
}

/* -- the steps ------------------------------------------------------------------------------------ */

static enum flow_status lookup_ask(struct flow *flow)
{
	struct lookup *lookup = flow_state(flow);
	struct inner *inner = &lookup->inner;
	enum flow_status next = inner_begin(flow, inner);
	struct error error = {0};

	if (next != FLOW_NEXT)
		return next;
	lookup->phone = args_get(&inner->args, "phone");
	if (lookup->phone.size == 0)
		return http_reply_detail(flow, 400, "phone required");
	if (!inner_open(flow, inner, inner_enterprise(inner), &error))
		return answer(flow, inner_status_of(&error), NULL, error.text);
	inner_attempt(flow, inner, CRM_FIND);
	inner->attempt.time_ms = LOOKUP_MS;
	inner->attempt.job.phone = inner_phone(flow, inner, lookup->phone);
	attempt_start(flow, &inner->attempt);
	return await_children(flow);
}

static enum flow_status lookup_answer(struct flow *flow)
{
	const struct lookup *lookup = flow_state(flow);
	const struct attempt *attempt = &lookup->inner.attempt;
	int status = inner_status(attempt->outcome);

	if (status != 200)
		return answer(flow, status, NULL, attempt->reason);
	return answer(flow, 200,
		customers_best(attempt->job.customers, attempt->job.customer_count), NULL);
}

static void lookup_finally(struct flow *flow)
{
	struct lookup *lookup = flow_state(flow);

	inner_free(&lookup->inner);
}

static const struct flow_step lookup_steps[] = {
	{"ask", lookup_ask},
	{"answer", lookup_answer},
	{NULL, NULL},
};

const struct flow_spec lookup_flow = {
	.name = "lookup",
	.steps = lookup_steps,
	.finally = lookup_finally,
	.state_bytes = sizeof(struct lookup),
	.arena_max_bytes = ATTEMPT_ARENA_BYTES,
	.deadline_ms = DEADLINE_MS,
};
