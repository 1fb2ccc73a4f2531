/*
 * crm_uon: U-ON.Travel's API as an outside service: https://api.u-on.ru/<key>/<entity>/<method>.json.
 *
 * Shapes follow third-party extractions of api.u-on.ru/doc. Forms and JSON bodies are the same to it,
 * ids are texts, an empty list is a 404, and over the limit it says 429 without a Retry-After.
 */
#include "crm_uon.h"

#include "json_put.h"

#include <stdio.h>

static const struct crm_route routes[] = {
	{"POST", "call_history/create", uon_call_create, 0},
	{"GET", "call_history/{}", uon_calls, 0},
	{"GET", "call_history_by_user/{}", uon_calls_by_user, 0},
	{"GET", "call_history_by_user/{}/{}", uon_calls_by_user, 0},
	{"GET", "user/phone/{}", uon_user_by_phone, 0},
	{"GET", "user/phone/{}/{}", uon_user_by_phone, 0},
	{"POST", "user/create", uon_user_create, 0},
	{"POST", "user/search", uon_user_search, 0},
	{"POST", "user/update/{}", uon_user_update, 0},
	{"GET", "user/{}", uon_user, 0},
	{"GET", "users", uon_users, 0},
	{"GET", "users/{}", uon_users, 0},
	{"POST", "lead/create", uon_lead_create, 0},
	{"GET", "lead-by-client/{}", uon_leads_by_client, 0},
	{"GET", "lead-by-client/{}/{}", uon_leads_by_client, 0},
	{"POST", "request/update/{}", uon_request_update, 0},
	{"POST", "request-action/create", uon_action_create, 0},
	{"POST", "reminder/create", uon_reminder_create, 0},
	{"POST", "notification/create", uon_notification_create, 0},
	{"GET", "manager", uon_managers, 0},
	{"GET", "manager/{}", uon_manager, 0},
	{"GET", "status_lead", uon_choices, 0},
	{"GET", "status", uon_choices, 0},
	{"GET", "source", uon_choices, 0},
	{"POST", "webhook/create", uon_webhook_create, 0},
	{"GET", "webhook", uon_webhooks, 0},
	{"GET", "webhook/{}", uon_webhooks, 0},
	{"POST", "webhook/update/{}", uon_webhook_update, 0},
	{"POST", "webhook/delete/{}", uon_webhook_delete, 0},
	{NULL},
};

/* Asked last: whatever ends so and has a key before it. */
static bool owns(struct str path)
{
	struct str rest = path;

	(void)str_cut(&rest, '/');
	(void)str_cut(&rest, '/');
	return rest.size > 0 && (str_ends(path, STR(".json")) || str_ends(path, STR(".xml")));
}

static void refuse(struct outside_call *call, int status, const char *code, struct str words)
{
	struct json_writer writer;

	(void)code;
	crm_open_answer(call, status, &writer);
	json_put_member_int(&writer, "result", status);
	json_put_member_str(&writer, "error", words);
	json_close_object(&writer);
}

static const struct crm_spec spec = {
	.name = "uon",
	.routes = routes,
	.limits = {{"api", .per_second = 10, .burst = 10}},
	.refuse = refuse,
	.too_fast = {429, "", "Too Many Requests"},
};

static void *start(struct sandbox *sandbox)
{
	return crm_start(sandbox, &spec);
}

/* "/<key>/<rest>" */
static struct str key_of(const struct outside_call *call, struct str *rest)
{
	*rest = call->path;
	(void)str_cut(rest, '/');
	return str_cut(rest, '/');
}

static void read_call(void *state, struct outside_call *call)
{
	struct str rest, key = key_of(call, &rest);

	call->method = call->http_method;
	call->shown_path = str_from(arena_printf(call->arena, "/***/%.*s", STR_ARG(rest)));
	crm_read_args(call, NULL);
	if (crm_key_is_well_formed(key))
		(void)crm_enter(state, call, key, 0);
}

static void act(void *state, struct outside_call *call)
{
	struct crm_request request = crm_request_of(state, call);
	struct str rest;

	(void)key_of(call, &rest);
	if (request.office == NULL || request.office->revoked)
		refuse(call, 403, "", STR("Wrong API key"));
	else if (!str_ends(rest, STR(".json")))
		refuse(call, 400, "", STR("The sandbox speaks JSON only"));
	else
		crm_serve(&request, str_of(rest.data, rest.size - 5));
}

static void refuse_fault(
	struct outside_call *call, int status, int64_t retry_after_s, struct str words)
{
	call->retry_after_s = retry_after_s;
	if (words.size == 0)
		words = status == spec.too_fast.status ? str_from(spec.too_fast.words)
						       : STR("Internal Server Error");
	refuse(call, status, "", words);
}

const struct outside_service crm_uon_service = {
	.name = "uon",
	CRM_SERVICE_COMMON,
	.owns = owns,
	.start = start,
	.read = read_call,
	.act = act,
	.refuse = refuse_fault,
};

/* -- for the routes --------------------------------------------------------------------------------- */

void uon_give_id(struct card *card)
{
	char id[24];

	snprintf(id, sizeof(id), "%lld", (long long)card->id);
	card_set(card, "id", str_from(id));
}

void uon_say_id(struct crm_request *request, const struct card *card)
{
	crm_begin(request, 200);
	json_put_member_int(&request->out, "result", 200);
	json_put_member_str(&request->out, "id", card_get(card, "id"));
	crm_end(request);
}

void uon_begin_list(struct crm_request *request, const char *name)
{
	crm_begin(request, 200);
	json_put_name(&request->out, name);
	json_open_array(&request->out);
}

void uon_end_list(struct crm_request *request)
{
	json_close_array(&request->out);
	crm_end(request);
}

bool uon_check(struct crm_request *request, const struct check_field *fields)
{
	struct check_problem problem;

	if (check_args(request->args, fields, &problem))
		return true;
	crm_refuse_problem(request, "", &problem);
	return false;
}

void uon_keep(struct crm_request *request, struct card *card, const struct check_field *fields)
{
	for (; fields->name != NULL; fields++) {
		if (args_has(request->args, fields->name))
			card_set(card, fields->name, crm_arg(request, fields->name));
	}
}

int64_t uon_page(struct crm_request *request, struct str part)
{
	int64_t page = 1;

	if (part.size == 0 || (str_to_int64(part, &page) && page >= 1 && page < 1000000))
		return page;
	crm_refuse(request, 400, "", "Wrong page");
	return 0;
}

void uon_nothing(struct crm_request *request)
{
	crm_refuse(request, 404, "", "Not found");
}
