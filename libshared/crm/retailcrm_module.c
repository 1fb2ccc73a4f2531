/*
 * retailcrm_module: our module in RetailCRM, and what it asks of us: GET makeCallUrl when somebody
 * clicks on a number, GET changeUserStatusUrl.
 *
 * clientId is the secret of these requests: random, never the enterprise's number.
 */
#include "retailcrm.h"

#define MODULE_CODE "vochi-telephony" /* by which customers' accounts know it */

int retail_plan_module(struct crm_job *job)
{
	struct retailcrm *own = job->own;

	if (job->account->hook_url[0] == '\0')
		return crm_stop(
			job, "CALLWEAVE_CRM_HOOK_URL is not set: RetailCRM could not reach us");
	if (crm_config_key(job->account, "client_id", job->arena) == NULL)
		return crm_stop(job, "client_id: missing");
	crm_steps_add(&own->steps, RETAIL_MODULE, STR(""));
	return 0;
}

static void put_url(
	struct json_writer *writer, const struct crm_job *job, const char *name, const char *path)
{
	json_put_member_str(writer, name,
		str_from(arena_printf(job->arena, "%s%s", job->account->hook_url, path)));
}

static void put_codes(struct json_writer *writer, const struct crm_job *job)
{
	const struct json *map = json_member(job->account->config, "user_extensions");

	json_put_name(writer, "additionalCodes");
	json_open_array(writer);
	for (const struct json *at = json_kind(map) == JSON_OBJECT ? json_first(map) : NULL;
		at != NULL; at = json_next(at)) {
		struct str code = crm_id(at, job->arena);

		if (code.size == 0)
			continue;
		json_open_object(writer);
		json_put_member_str(writer, "userId", str_from(json_name(at)));
		json_put_member_str(writer, "code", code);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void put_lines(struct json_writer *writer, const struct crm_job *job)
{
	const struct json *lines = json_member(job->account->config, "external_phones");
	struct str site = crm_config_text(job->account, "site", NULL, job->arena);

	json_put_name(writer, "externalPhones");
	json_open_array(writer);
	for (const struct json *at = json_kind(lines) == JSON_OBJECT ? json_first(lines) : NULL;
		at != NULL; at = json_next(at)) {
		struct str number = crm_id(at, job->arena);

		if (number.size == 0)
			continue;
		json_open_object(writer);
		if (site.size > 0)
			json_put_member_str(writer, "siteCode", site);
		json_put_member_str(writer, "externalPhone", number);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void put_telephony(struct json_writer *writer, const struct crm_job *job)
{
	json_put_name(writer, "integrations");
	json_open_object(writer);
	json_put_name(writer, "telephony");
	json_open_object(writer);
	put_url(writer, job, "makeCallUrl", "/retailcrm/make-call");
	put_url(writer, job, "changeUserStatusUrl", "/retailcrm/status");
	json_put_member_bool(writer, "allowEdit", false);
	json_put_member_bool(writer, "inputEventSupported", true);
	json_put_member_bool(writer, "outputEventSupported", true);
	json_put_member_bool(writer, "hangupEventSupported", true);
	put_codes(writer, job);
	put_lines(writer, job);
	json_close_object(writer);
	json_close_object(writer);
}

/* "actions" is refused by the CRM, a logo must be SVG, baseUrl may not be blank: experience of the
 * system before this one. */
bool retail_build_module(struct crm_job *job, struct crm_request *request)
{
	struct str logo = crm_config_text(job->account, "logo_url", NULL, job->arena);
	struct json_writer writer;
	struct buf buf;

	crm_json_begin(&writer, &buf);
	json_put_member_str(&writer, "code", STR(MODULE_CODE));
	json_put_member_str(&writer, "integrationCode", STR(MODULE_CODE));
	json_put_member_bool(&writer, "active", job->task == CRM_REGISTER);
	json_put_member_str(&writer, "name", STR("Vochi-CRM"));
	if (logo.size > 0)
		json_put_member_str(&writer, "logo", logo);
	json_put_member_str(
		&writer, "clientId", crm_config_text(job->account, "client_id", NULL, job->arena));
	put_url(&writer, job, "baseUrl", "");
	put_url(&writer, job, "accountUrl", "");
	put_telephony(&writer, job);
	json_close_object(&writer);
	return retail_post(job, request, "/api/v5/integration-modules/" MODULE_CODE "/edit",
		"integrationModule", &buf);
}

bool retail_build_credentials(struct crm_job *job, struct crm_request *request)
{
	retail_get(job, request, "/api/credentials");
	return true;
}

/* -- what it asks of us -------------------------------------------------------------------------- */

const struct crm_hook_route retail_hooks[] = {
	{"GET", "/retailcrm/make-call"},
	{"GET", "/retailcrm/status"},
	{NULL, NULL},
};

bool retail_owner(const struct crm_hook *hook, struct crm_hook_owner *owner)
{
	owner->member = "client_id";
	owner->value = args_get(&hook->args, "clientId");
	return owner->value.size > 0;
}

static void answer(struct crm_heard *heard, int status, const char *text)
{
	heard->status = status;
	heard->content_type = "text/plain";
	heard->answer = str_from(text);
	if (status >= 400)
		error_set(&heard->why, status == 401 ? ERROR_AUTH : ERROR_INPUT, "%s", text);
}

/* The enterprise's own map counts before the code that RetailCRM remembers. */
static void hear_call(
	const struct crm_account *account, const struct crm_hook *hook, struct crm_heard *heard)
{
	struct str user = args_get(&hook->args, "userId");
	struct str extension = crm_extension_of(account, user, heard->arena);

	if (extension.size == 0)
		extension = args_get(&hook->args, "code");
	if (extension.size == 0) {
		if (user.size > 32)
			user.size = 32;
		answer(heard, 400,
			arena_printf(heard->arena, "No extension configured for user %.*s",
				STR_ARG(user)));
		return;
	}
	heard->phone = args_get(&hook->args, "phone");
	if (crm_digits(heard->phone, heard->arena)[0] == '\0') {
		heard->phone = str_of(NULL, 0);
		answer(heard, 400, "phone: missing");
		return;
	}
	heard->kind = CRM_HEARD_CALL;
	heard->user = user;
	heard->extension = extension;
	answer(heard, 200, "OK");
}

void retail_hear(
	const struct crm_account *account, const struct crm_hook *hook, struct crm_heard *heard)
{
	if (account == NULL)
		answer(heard, 401, "Unauthorized: Invalid clientId");
	else if (str_ends(hook->path, STR("/make-call")))
		hear_call(account, hook, heard);
	else
		answer(heard, 200, "OK"); /* who is at his desk is nothing to us */
}
