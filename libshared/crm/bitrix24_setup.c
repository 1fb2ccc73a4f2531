/*
 * bitrix24_setup: what the application has bound and which lines it has: looked up first, so that
 * registering twice does nothing twice. And its rights.
 */
#include "bitrix24.h"

#include "json_put.h"

/* Each may be a request. */
enum { MAX_LINES = 20 };

static const char *const events[] = {"ONEXTERNALCALLSTART", "ONCRMCONTACTADD", "ONCRMCONTACTUPDATE",
	"ONCRMCONTACTDELETE", "ONCRMCOMPANYADD", "ONCRMCOMPANYUPDATE", "ONCRMCOMPANYDELETE",
	"ONAPPUNINSTALL", NULL};

/* Rights that are used; without telephony nothing works. */
static const char *const scopes[] = {"telephony", "crm", "user", NULL};

/* "" when nobody can reach us. */
static const char *handler(struct crm_job *job)
{
	struct str uuid = crm_config_text(job->account, "webhook_uuid", NULL, job->arena);

	if (job->account->hook_url == NULL || job->account->hook_url[0] == '\0' || uuid.size == 0)
		return "";
	return arena_printf(
		job->arena, "%s/api/bitrix24-crm/%.*s", job->account->hook_url, STR_ARG(uuid));
}

/* What has to be bound is known when the list of what is bound has come. */
int bitrix24_plan_register(struct crm_job *job, bool on)
{
	struct crm_steps *steps = &bitrix24_own(job)->steps;

	if (handler(job)[0] == '\0')
		return crm_stop(job, "there is no address at which Bitrix24 could reach us");
	crm_steps_add(steps, B24_EVENTS, str_of(NULL, 0));
	if (on)
		crm_steps_add(steps, B24_LINES, str_of(NULL, 0));
	return 0;
}

/* Nothing but the token. */
bool bitrix24_build_plain(struct crm_job *job, struct crm_request *request)
{
	struct json_writer writer;
	struct buf body;

	bitrix24_begin(&writer, &body);
	return bitrix24_end(&writer, job, request);
}

/* -- events -------------------------------------------------------------------------------------- */

/* By this very address: another installation of ours may have bound the same events. */
static bool is_bound(const struct json *bound, const char *event, const char *address)
{
	const struct json *row = json_kind(bound) == JSON_ARRAY ? json_first(bound) : NULL;

	for (; row != NULL; row = json_next(row)) {
		if (str_equal_nocase(json_text(json_member(row, "event")), str_from(event)) &&
			str_equal(json_text(json_member(row, "handler")), str_from(address)))
			return true;
	}
	return false;
}

enum crm_verdict bitrix24_read_events(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict = bitrix24_verdict(job, reply, wait_ms);
	const struct json *bound = json_member(reply->json, "result");
	bool on = job->task == CRM_REGISTER;

	if (verdict != CRM_WELL)
		return verdict;
	for (size_t i = 0; events[i] != NULL; i++) {
		if (is_bound(bound, events[i], handler(job)) != on)
			crm_steps_add(&bitrix24_own(job)->steps, on ? B24_BIND : B24_UNBIND,
				str_from(events[i]));
	}
	return bitrix24_on(job);
}

bool bitrix24_build_bind(struct crm_job *job, struct crm_request *request)
{
	struct json_writer writer;
	struct buf body;

	bitrix24_begin(&writer, &body);
	json_put_member_str(&writer, "event", crm_steps_now(&bitrix24_own(job)->steps)->who);
	json_put_member_str(&writer, "handler", str_from(handler(job)));
	return bitrix24_end(&writer, job, request);
}

/* What is there already is as good as made. */
enum crm_verdict bitrix24_read_bind(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict = bitrix24_verdict(job, reply, wait_ms);
	struct str code = json_text(json_member(reply->json, "error"));

	if (verdict == CRM_REFUSED && (str_equal(code, STR("ERROR_EVENT_BINDING_EXISTS")) ||
					      bitrix24_says(reply, "already")))
		job->why = (struct error){0};
	else if (verdict != CRM_WELL)
		return verdict;
	return bitrix24_on(job);
}

/* -- lines --------------------------------------------------------------------------------------- */

static bool is_known_line(const struct json *lines, struct str number, struct arena *arena)
{
	const struct json *row = json_kind(lines) == JSON_ARRAY ? json_first(lines) : NULL;

	for (; row != NULL; row = json_next(row)) {
		if (str_equal(crm_id(json_member(row, "NUMBER"), arena), number))
			return true;
	}
	return false;
}

/* `lines` of the config: {"<number>": "<name>"}. */
enum crm_verdict bitrix24_read_lines(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict = bitrix24_verdict(job, reply, wait_ms);
	const struct json *known = json_member(reply->json, "result");
	const struct json *lines = json_member(job->account->config, "lines");
	const struct json *line = json_kind(lines) == JSON_OBJECT ? json_first(lines) : NULL;

	if (verdict != CRM_WELL)
		return verdict;
	for (unsigned i = 0; line != NULL && i < MAX_LINES; i++, line = json_next(line)) {
		struct str number = str_from(json_name(line));

		if (!is_known_line(known, number, job->arena))
			crm_steps_add(&bitrix24_own(job)->steps, B24_ADD_LINE, number);
	}
	return bitrix24_on(job);
}

/* For people who choose a line in the portal. */
static struct str line_name(const struct crm_job *job, struct str number)
{
	const struct json *lines = json_member(job->account->config, "lines");
	const struct json *line = json_kind(lines) == JSON_OBJECT ? json_first(lines) : NULL;

	for (; line != NULL; line = json_next(line)) {
		if (str_equal(str_from(json_name(line)), number))
			return json_text(line);
	}
	return str_of(NULL, 0);
}

bool bitrix24_build_line(struct crm_job *job, struct crm_request *request)
{
	struct str number = crm_steps_now(&bitrix24_own(job)->steps)->who;
	bool creates = crm_config_bool(job->account, "crm_create", false);
	struct json_writer writer;
	struct buf body;

	bitrix24_begin(&writer, &body);
	json_put_member_str(&writer, "NUMBER", number);
	json_put_member_str(&writer, "NAME", line_name(job, number));
	json_put_member_str(&writer, "CRM_AUTO_CREATE", creates ? STR("Y") : STR("N"));
	return bitrix24_end(&writer, job, request);
}

/* -- rights -------------------------------------------------------------------------------------- */

static bool has_scope(const struct json *granted, const char *scope)
{
	const struct json *at = json_kind(granted) == JSON_ARRAY ? json_first(granted) : NULL;

	for (; at != NULL; at = json_next(at)) {
		struct str text = json_text(at);

		/* "user" is also given as user_basic, user_brief. */
		if (str_starts(text, str_from(scope)))
			return true;
	}
	return false;
}

enum crm_verdict bitrix24_read_scope(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict = bitrix24_verdict(job, reply, wait_ms);
	const struct json *granted = json_member(reply->json, "result");

	if (verdict != CRM_WELL)
		return verdict;
	for (const char *const *scope = scopes; *scope != NULL; scope++) {
		if (has_scope(granted, *scope))
			continue;
		error_set(&job->why, ERROR_AUTH, "the application lacks the right \"%s\"", *scope);
		return CRM_LOCKED;
	}
	return bitrix24_on(job);
}
