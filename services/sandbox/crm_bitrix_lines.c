/*
 * crm_bitrix_lines: external lines, event handlers and what an application may ask of itself.
 */
#include "crm_bitrix.h"

#include "json_put.h"

static const char *const yes_no[] = {"Y", "N", NULL};
static const struct check_field line_fields[] = {MUST("NUMBER", CHECK_TEXT),
	MAY("NAME", CHECK_STRING), MAY_BE("CRM_AUTO_CREATE", yes_no), {NULL}};
static const struct check_field handler_fields[] = {
	MUST("EVENT", CHECK_TEXT), MUST("HANDLER", CHECK_URL), {NULL}};

/* -- lines ------------------------------------------------------------------------------------------ */

static struct card *find_line(struct crm_request *request)
{
	return office_by_id(request->office, CARD_LINE, crm_arg(request, "NUMBER"));
}

static void set_line(struct crm_request *request, struct card *line)
{
	struct str create = crm_arg(request, "CRM_AUTO_CREATE");

	card_set(line, "id", crm_arg(request, "NUMBER"));
	if (args_has(request->args, "NAME"))
		card_set(line, "name", crm_arg(request, "NAME"));
	if (create.size > 0 || !card_has(line, "crm_auto_create"))
		card_set(line, "crm_auto_create", create.size > 0 ? create : STR("Y"));
}

static void say_line(struct crm_request *request, const struct card *line)
{
	bitrix_begin(request);
	json_open_object(&request->out);
	json_put_member_int(&request->out, "ID", line->id);
	json_close_object(&request->out);
	bitrix_end(request);
}

/* Adding a number that is there changes it: so says its documentation. */
void bitrix_line_add(struct crm_request *request)
{
	struct card *line = find_line(request);

	if (!bitrix_check(request, line_fields))
		return;
	if (line == NULL)
		line = office_add(request->office, CARD_LINE, request->now_ms);
	else
		line->updates++;
	line->entries++;
	set_line(request, line);
	say_line(request, line);
}

static struct card *known_line(struct crm_request *request)
{
	struct card *line = bitrix_check(request, line_fields) ? find_line(request) : NULL;

	if (line == NULL && request->call->status == 0)
		crm_refuse(request, 400, "ERROR_NOT_FOUND", "Line is not found");
	return line;
}

void bitrix_line_update(struct crm_request *request)
{
	struct card *line = known_line(request);

	if (line == NULL)
		return;
	set_line(request, line);
	line->updates++;
	say_line(request, line);
}

void bitrix_line_delete(struct crm_request *request)
{
	struct card *line = known_line(request);

	if (line == NULL)
		return;
	office_remove(request->office, line);
	bitrix_say(request, "true");
}

void bitrix_line_get(struct crm_request *request)
{
	bitrix_begin(request);
	json_open_array(&request->out);
	for (const struct card *at = request->office->first[CARD_LINE]; at != NULL; at = at->next) {
		json_open_object(&request->out);
		json_put_member_str(&request->out, "NUMBER", card_get(at, "id"));
		json_put_member_str(&request->out, "NAME", card_get(at, "name"));
		json_put_member_str(
			&request->out, "CRM_AUTO_CREATE", card_get(at, "crm_auto_create"));
		json_close_object(&request->out);
	}
	json_close_array(&request->out);
	bitrix_end(request);
}

/* -- events ----------------------------------------------------------------------------------------- */

/* Parameters of events come in any case. */
static struct str either(const struct crm_request *request, const char *upper, const char *lower)
{
	return args_has(request->args, upper) ? crm_arg(request, upper) : crm_arg(request, lower);
}

static struct card *find_handler(struct crm_request *request, struct str event, struct str url)
{
	for (struct card *at = request->office->first[CARD_WEBHOOK]; at != NULL; at = at->next) {
		if (str_equal_nocase(card_get(at, "event"), event) &&
			(url.size == 0 || str_equal(card_get(at, "url"), url)))
			return at;
	}
	return NULL;
}

void bitrix_event_bind(struct crm_request *request)
{
	struct str event = either(request, "EVENT", "event");
	struct str url = either(request, "HANDLER", "handler");
	struct card *handler;

	if (!args_has(request->args, "event") && !bitrix_check(request, handler_fields))
		return;
	if (event.size == 0 || !str_starts(url, STR("http"))) {
		crm_refuse(request, 400, "ERROR_ARGUMENT", "Argument 'HANDLER' has a wrong value");
		return;
	}
	if (find_handler(request, event, url) != NULL) {
		crm_refuse(request, 400, "ERROR_EVENT_BINDING_EXISTS",
			"Unable to set event handler: Handler already binded");
		return;
	}
	handler = office_add(request->office, CARD_WEBHOOK, request->now_ms);
	handler->entries = 1;
	card_set(handler, "event", event);
	card_set(handler, "url", url);
	bitrix_say(request, "true");
}

void bitrix_event_unbind(struct crm_request *request)
{
	struct str event = either(request, "EVENT", "event");
	struct str url = either(request, "HANDLER", "handler");
	struct card *handler = find_handler(request, event, url);

	bitrix_say(request, handler != NULL ? "{\"count\":1}" : "{\"count\":0}");
	if (handler != NULL)
		office_remove(request->office, handler);
}

void bitrix_event_get(struct crm_request *request)
{
	bitrix_begin(request);
	json_open_array(&request->out);
	for (const struct card *at = request->office->first[CARD_WEBHOOK]; at != NULL;
		at = at->next) {
		json_open_object(&request->out);
		json_put_member_str(&request->out, "event", card_get(at, "event"));
		json_put_member_str(&request->out, "handler", card_get(at, "url"));
		json_put_member_str(&request->out, "auth_type", STR("0"));
		json_put_member_str(&request->out, "offline", STR("0"));
		json_close_object(&request->out);
	}
	json_close_array(&request->out);
	bitrix_end(request);
}

/* -- the application -------------------------------------------------------------------------------- */

void bitrix_app_info(struct crm_request *request)
{
	bitrix_say(request, "{\"ID\":1,\"CODE\":\"callweave\",\"VERSION\":1,\"STATUS\":\"L\","
			    "\"INSTALLED\":true,\"LICENSE\":\"ru_basic\",\"LANGUAGE_ID\":\"ru\"}");
}

void bitrix_scope(struct crm_request *request)
{
	bitrix_say(request, "[\"crm\",\"telephony\",\"user\"]");
}
