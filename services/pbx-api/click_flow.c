/*
 * click_flow: somebody clicked on a number in a CRM: the PBX calls that person's phone, then the number.
 *
 * The answer says what became of it. A click that is repeated while the first is under way waits for
 * that one's outcome. `clientId` stands in the URL by the vendors' design: it is never logged.
 */
#include "click_pbx.h"
#include "click_words.h"
#include "click_write.h"
#include "customer.h"
#include "pbx_api.h"

#include "args.h"
#include "clock.h"
#include "phone.h"

enum { MAX_CODE_BYTES = 20, MAX_PHONE_BYTES = 40, MAX_ORIGIN_BYTES = 20, MAX_CALL_BYTES = 200 };
enum { NOTE_MS = 1000, BEFORE_MS = 15000 }; /* what may pass before the phone rings */

struct click_state {
	struct args args;
	struct click_answer answer;
	struct click_want want;
	struct click_origin origin;
	struct customer_ask ask;
	struct customer_facts facts;
	struct ami_call call;
	struct error not_set_up;
	struct click *click;
	bool first; /* this one makes the call */
};

enum { CLICK_READ, CLICK_NOTE, CLICK_CALL, CLICK_TELL, CLICK_ANSWER };

/* -- who asks for what ------------------------------------------------------------------------------ */

static bool is_ours(struct flow *flow)
{
	return http_request_header(flow, SERVICE_SECRET_HEADER).size > 0;
}

/* Our own adapters show the secret of our processes and name the enterprise. */
static const struct account *asked_by_us(struct flow *flow, const struct args *args)
{
	const struct pbx_api *api = flow_context(flow);
	struct str secret = service_internal_secret(api->service);
	const struct account *account;

	if (secret.size == 0 ||
		!str_equal_secret(http_request_header(flow, SERVICE_SECRET_HEADER), secret))
		return NULL;
	account = accounts_find(api->accounts, args_get(args, "enterprise"));
	return account != NULL && account->active ? account : NULL;
}

static const char *what_is_missing(struct flow *flow, const struct args *args)
{
	const char *who = is_ours(flow) ? "enterprise" : "clientId";
	const char *const names[] = {"code", "phone", who};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (args_get(args, names[i]).size == 0)
			return names[i];
	}
	return NULL;
}

static bool is_own_extension(const struct account *account, struct str extension)
{
	const struct json *more =
		account->settings != NULL ? json_member(account->settings, "extensions") : NULL;

	if (table_get(account->managers, extension) != NULL)
		return true;
	for (const struct json *at = json_first(more); at != NULL; at = json_next(at)) {
		if (str_equal(json_text(at), extension))
			return true;
	}
	return false;
}

/* NULL, or what is wrong with it. */
static const char *read_want(struct flow *flow, const struct account *account)
{
	struct click_state *state = flow_state(flow);
	struct str code = str_trim(args_get(&state->args, "code"));
	struct str phone = str_trim(args_get(&state->args, "phone"));
	char e164[PHONE_TEXT_BYTES];

	if (is_ours(flow)) { /* only our adapters know which CRM it was */
		state->origin.crm = args_get(&state->args, "origin");
		state->origin.call = args_get(&state->args, "origin_call");
	}
	if (!str_is_digits(code) || code.size > MAX_CODE_BYTES || !is_own_extension(account, code))
		return "code: not an extension of this enterprise";
	if (phone.size > MAX_PHONE_BYTES || !phone_e164(phone, account->country, e164))
		return "phone: not a telephone number";
	if (state->origin.crm.size > MAX_ORIGIN_BYTES || state->origin.call.size > MAX_CALL_BYTES)
		return "origin: too long";
	state->want.extension = code;
	state->want.sent = phone;
	state->want.phone = str_from(arena_strdup(flow_arena(flow), e164));
	return NULL;
}

/* The account's texts are borrowed until the next wait. */
static void keep_account(struct flow *flow, const struct account *account)
{
	struct click_state *state = flow_state(flow);
	struct arena *arena = flow_arena(flow);

	state->answer.enterprise = arena_strdup(arena, account->name);
	state->answer.number = arena_strdup(arena, account->number);
	state->answer.host =
		arena_strdup(arena, account->ip[0] != '\0' ? account->ip : account->host);
	state->answer.locale = arena_strdup(arena, account->locale);
	state->answer.want = &state->want;
	state->ask.enterprise = state->answer.number;
	state->ask.phone = state->want.phone.data;
	flow_set_enterprise(flow, account->number);
}

/* -- the first click, or one of its repetitions ------------------------------------------------------ */

static int64_t wait_ms(const struct pbx_api *api, const struct args *args)
{
	int64_t seconds = api->settings->wait_seconds;

	if (args_has(args, "wait") && (!args_int(args, "wait", &seconds) || seconds < 0 ||
					      seconds > api->settings->wait_seconds))
		seconds = api->settings->wait_seconds;
	return seconds * 1000;
}

static enum flow_status begin_first(struct flow *flow, const struct account *account)
{
	const struct pbx_api *api = flow_context(flow);
	struct click_state *state = flow_state(flow);

	state->first = true;
	state->call.ring_ms = api->settings->ring_seconds * 1000;
	state->call.wait_ms = wait_ms(api, &state->args);
	state->call.caller_number = state->want.phone;
	const struct click_source source = {account, &state->want, api->settings->secrets_folder};
	if (!click_pbx_read(&source, flow_arena(flow), &state->call, &state->not_set_up)) {
		state->click->not_set_up = true;
		return flow_goto(flow, CLICK_TELL);
	}
	return await_customer(flow, &state->ask, &state->facts);
}

static enum flow_status begin(struct flow *flow, const struct account *account)
{
	const struct pbx_api *api = flow_context(flow);
	struct click_state *state = flow_state(flow);
	int64_t limit_ms = BEFORE_MS + api->settings->wait_seconds * 1000;
	const struct click_key key = {
		str_from(account->number), state->want.extension, state->want.phone};

	flow_set_deadline(flow, limit_ms);
	switch (clicks_begin(api->clicks, &key, loop_now_ms(flow_loop(flow)), &state->click)) {
	case CLICKS_FIRST:
		return begin_first(flow, account);
	case CLICKS_SAME:
		(void)flow_goto(flow, CLICK_ANSWER);
		return state->click->over ? FLOW_NEXT
					  : await_queue_for(flow, &state->click->waiting, limit_ms);
	case CLICKS_TOO_FAST:
		return click_refuse(flow, 429, "too many clicks of this enterprise in a minute");
	case CLICKS_TOO_MANY:
		break;
	}
	return click_refuse(flow, 429, "too many calls of this enterprise are being made");
}

static enum flow_status click_read(struct flow *flow)
{
	const struct pbx_api *api = flow_context(flow);
	const struct http_request *request = http_request(flow);
	const struct args_source source = {.query = request->query,
		.content_type = http_request_header(flow, "Content-Type"),
		.body = request->body};
	struct click_state *state = flow_state(flow);
	const struct account *account;
	const char *words;
	struct error error;

	state->answer.begun_ms = clock_monotonic_ms();
	if (!args_read(&state->args, &source, flow_arena(flow), &error))
		return click_refuse(flow, 400, error.text);
	words = what_is_missing(flow, &state->args);
	if (words != NULL)
		return click_refuse(
			flow, 400, arena_printf(flow_arena(flow), "%s: missing", words));
	words = accounts_why_not(api->accounts);
	if (words != NULL)
		return click_refuse(flow, 503, words);
	account = is_ours(flow) ? asked_by_us(flow, &state->args)
				: pbx_api_by_secret(api, args_get(&state->args, "clientId"));
	if (account == NULL)
		return click_refuse(flow, 401, "Invalid clientId");
	words = read_want(flow, account);
	if (words != NULL)
		return click_refuse(flow, 422, words);
	keep_account(flow, account);
	return begin(flow, account);
}

/* -- the call ---------------------------------------------------------------------------------------- */

static enum flow_status click_note(struct flow *flow)
{
	struct click_state *state = flow_state(flow);

	state->origin.enterprise = state->answer.number;
	state->origin.extension = state->want.extension;
	state->origin.phone = state->want.phone;
	state->call.caller_name = pbx_api_shown_name(state->facts.name, flow_arena(flow));
	str_copy(state->click->shown, sizeof(state->click->shown), state->call.caller_name);
	return state->origin.crm.size > 0 ? await_click_note(flow, &state->origin, NOTE_MS)
					  : FLOW_NEXT;
}

static enum flow_status click_call(struct flow *flow)
{
	struct click_state *state = flow_state(flow);

	return await_ami_originate(flow, &state->call, &state->click->outcome);
}

static enum flow_status click_tell(struct flow *flow)
{
	const struct pbx_api *api = flow_context(flow);
	struct click_state *state = flow_state(flow);
	const struct ami_outcome *outcome = &state->click->outcome;

	if (state->click->not_set_up) {
		log_warn(flow_log(flow), "click on extension %.*s: %s",
			STR_ARG(state->want.extension), state->not_set_up.text);
	} else {
		metric_add(api->results[outcome->result], 1);
		log_info(flow_log(flow), "click: %.*s calls %.*s: %s%s%s",
			STR_ARG(state->want.extension), STR_ARG(state->want.phone),
			ami_result_name(outcome->result), outcome->words[0] != '\0' ? ": " : "",
			outcome->words);
	}
	clicks_end(state->click);
	return FLOW_NEXT;
}

static enum flow_status click_answer(struct flow *flow)
{
	struct click_state *state = flow_state(flow);

	return click_reply(flow, &state->answer, state->click);
}

static void click_over(struct flow *flow)
{
	struct click_state *state = flow_state(flow);

	if (state->click == NULL)
		return;
	if (state->first && !state->click->over) {
		state->click->outcome.result = AMI_UNKNOWN;
		clicks_end(state->click);
	}
	clicks_leave(state->click);
}

static const struct flow_step click_steps[] = {
	[CLICK_READ] = {"read", click_read},
	[CLICK_NOTE] = {"note", click_note},
	[CLICK_CALL] = {"call", click_call},
	[CLICK_TELL] = {"tell", click_tell},
	[CLICK_ANSWER] = {"answer", click_answer},
	{NULL, NULL},
};

const struct flow_spec click_flow = {
	.name = "click",
	.steps = click_steps,
	.finally = click_over,
	.state_bytes = sizeof(struct click_state),
	.deadline_ms = BEFORE_MS,
};
