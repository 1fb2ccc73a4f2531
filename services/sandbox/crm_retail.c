/*
 * crm_retail: RetailCRM's API v5 as an outside service: keys, routes, errors, pages.
 *
 * Shapes follow its PHP SDK (retailcrm/api-client-php) and docs.retailcrm.ru; forms carry JSON in
 * their fields, and a JSON body is no form.
 */
#include "crm_retail.h"

#include "http_server.h"
#include "json_put.h"

#include <stdio.h>

enum { LIMIT_API, LIMIT_TELEPHONY };

static const struct crm_route routes[] = {
	{"POST", "/v5/telephony/call/event", retail_call_event, LIMIT_TELEPHONY},
	{"POST", "/v5/telephony/calls/upload", retail_calls_upload, LIMIT_TELEPHONY},
	{"GET", "/v5/telephony/manager", retail_manager, LIMIT_TELEPHONY},
	{"GET", "/v5/integration-modules/{}", retail_module, LIMIT_API},
	{"POST", "/v5/integration-modules/{}/edit", retail_module_edit, LIMIT_API},
	{"GET", "/v5/customers", retail_customers, LIMIT_API},
	{"GET", "/v5/customers/history", retail_history, LIMIT_API},
	{"POST", "/v5/customers/create", retail_customer_create, LIMIT_API},
	{"GET", "/v5/customers/{}", retail_customer, LIMIT_API},
	{"POST", "/v5/customers/{}/edit", retail_customer_edit, LIMIT_API},
	{"GET", "/v5/customers-corporate", retail_companies, LIMIT_API},
	{"GET", "/v5/customers-corporate/{}/contacts", retail_company_contacts, LIMIT_API},
	{"GET", "/v5/users", retail_users, LIMIT_API},
	{"GET", "/v5/users/{}", retail_user, LIMIT_API},
	{"GET", "/v5/user-groups", retail_groups, LIMIT_API},
	{"GET", "/v5/reference/sites", retail_sites, LIMIT_API},
	{"GET", "/credentials", retail_credentials, LIMIT_API},
	{NULL},
};

static bool owns(struct str path)
{
	return str_starts(path, STR("/api/v5/")) || str_equal(path, STR("/api/credentials"));
}

static void refuse(struct outside_call *call, int status, const char *code, struct str words)
{
	struct json_writer writer;

	crm_open_answer(call, status, &writer);
	json_put_member_bool(&writer, "success", false);
	json_put_member_str(&writer, "errorMsg", words);
	if (code[0] != '\0')
		json_put_member_raw(&writer, "errors", str_from(code));
	json_close_object(&writer);
}

static const struct crm_spec spec = {
	.name = "retailcrm",
	.routes = routes,
	.limits =
		{
			[LIMIT_API] = {"api", .per_second = 10, .burst = 10},
			[LIMIT_TELEPHONY] = {"telephony", .per_second = 40, .burst = 40},
		},
	.refuse = refuse,
	/* It has no Retry-After; its clients know that 503 means "slower". */
	.too_fast = {503, "", "API requests limit exceeded. Try again later"},
};

static void *start(struct sandbox *sandbox)
{
	return crm_start(sandbox, &spec);
}

static struct str key_of(const struct outside_call *call)
{
	struct str key = http_request_header(call->flow, "X-API-KEY");

	return key.size > 0 ? key : crm_secret(call, "apiKey");
}

static void read_call(void *state, struct outside_call *call)
{
	static const char *const secrets[] = {"apiKey", NULL};

	call->method = call->http_method;
	call->shown_path = call->path;
	crm_read_args(call, secrets);
	if (crm_key_is_well_formed(key_of(call)))
		(void)crm_enter(state, call, key_of(call), LIMIT_API);
}

static void act(void *state, struct outside_call *call)
{
	struct crm_request request = crm_request_of(state, call);

	if (key_of(call).size == 0)
		refuse(call, 403, "", STR("\"apiKey\" is missing."));
	else if (request.office == NULL || request.office->revoked)
		refuse(call, 403, "", STR("Wrong \"apiKey\" value."));
	else /* behind "/api" */
		crm_serve(&request, str_of(call->path.data + 4, call->path.size - 4));
}

/* For faults that name a status only. */
static void refuse_fault(
	struct outside_call *call, int status, int64_t retry_after_s, struct str words)
{
	call->retry_after_s = retry_after_s;
	if (words.size == 0)
		words = status == spec.too_fast.status ? str_from(spec.too_fast.words)
						       : STR("Internal server error");
	refuse(call, status, "", words);
}

const struct outside_service crm_retail_service = {
	.name = "retailcrm",
	CRM_SERVICE_COMMON,
	.owns = owns,
	.start = start,
	.read = read_call,
	.act = act,
	.refuse = refuse_fault,
};

/* -- for the routes --------------------------------------------------------------------------------- */

struct json *retail_form_json(struct crm_request *request, const char *name, enum json_kind kind)
{
	struct outside_call *call = request->call;
	bool is_form = str_starts(call->content_type, STR("application/x-www-form-urlencoded"));
	struct str text = is_form ? crm_arg(request, name) : (struct str){0};
	struct json *json;

	if (text.size == 0) {
		crm_refuse(request, 400, "", "Parameter '%s' is missing", name);
		return NULL;
	}
	json = json_parse(text, (struct json_limits){1 << 20, 16}, NULL);
	if (json != NULL && json_kind(json) == kind)
		return json;
	json_free(&json);
	crm_refuse(request, 400, "", "Parameter '%s' contains invalid JSON", name);
	return NULL;
}

/* One without declared sites takes any, as with users. */
bool retail_knows_site(const struct office *office, struct str site)
{
	bool any = false;

	for (const struct card *at = office->first[CARD_CHOICE]; at != NULL; at = at->next) {
		if (!card_is(at, "type", "site"))
			continue;
		any = true;
		if (str_equal(card_get(at, "id"), site))
			return true;
	}
	return !any;
}

void retail_begin(struct crm_request *request, int status)
{
	crm_begin(request, status);
	json_put_member_bool(&request->out, "success", true);
}

static bool read_page(struct crm_request *request, struct retail_page *page)
{
	page->limit = crm_arg_int(request, "limit", 20);
	page->page = crm_arg_int(request, "page", 1);
	if (page->limit != 20 && page->limit != 50 && page->limit != 100) {
		crm_refuse(request, 400, "{\"limit\":\"This value is not valid.\"}",
			"Errors in the input parameters");
		return false;
	}
	if (page->page < 1 || page->page > 1000000) {
		crm_refuse(request, 400, "{\"page\":\"This value is not valid.\"}",
			"Errors in the input parameters");
		return false;
	}
	page->from = (page->page - 1) * page->limit;
	page->to = page->from + page->limit;
	return true;
}

bool retail_begin_list(struct crm_request *request, struct retail_page *page, const char *name)
{
	*page = (struct retail_page){0};
	if (!read_page(request, page))
		return false;
	retail_begin(request, 200);
	json_put_name(&request->out, name);
	json_open_array(&request->out);
	return true;
}

bool retail_shows_next(struct retail_page *page)
{
	int64_t at = page->total++;

	return at >= page->from && at < page->to;
}

void retail_end_list(struct crm_request *request, const struct retail_page *page)
{
	json_close_array(&request->out);
	json_put_name(&request->out, "pagination");
	json_open_object(&request->out);
	json_put_member_int(&request->out, "limit", page->limit);
	json_put_member_int(&request->out, "totalCount", page->total);
	json_put_member_int(&request->out, "currentPage", page->page);
	json_put_member_int(
		&request->out, "totalPageCount", (page->total + page->limit - 1) / page->limit);
	json_close_object(&request->out);
	crm_end(request);
}
