/*
 * told: see told.h. The shapes are those of the former services (docs/protocol/integrations.md).
 */
#include "told.h"

#include "crm_raw.h"
#include "phone.h"

typedef bool read_fn(
	struct told *told, const struct account *account, struct arena *arena, struct error *error);

static read_fn read_raw, read_plain;

static const struct told_way {
	const char *code, *verb;
	enum told_style style;
	enum crm_kind kind; /* where the body does not say */
	bool by_token;
	read_fn *read;
} ways[] = {
	{"retailcrm", "call-event", TOLD_PLAIN, CRM_RINGING, true, read_raw},
	{"uon", "notify-incoming", TOLD_WITH_STATUS, CRM_RINGING, false, read_plain},
	{"uon", "log-call", TOLD_WITH_STATUS, CRM_HANGUP, false, read_plain},
	{"ms", "incoming-call", TOLD_IN_WORDS, CRM_RINGING, false, read_raw},
	{"ms", "hangup-call", TOLD_IN_WORDS, CRM_HANGUP, false, read_raw},
	{"ms", "recovery-call", TOLD_IN_WORDS, CRM_RECOVERED, false, read_raw},
	{"bitrix24", "send-call-event", TOLD_IN_WORDS, CRM_RINGING, false, read_raw},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

const char *told_verb(struct str code, size_t index)
{
	for (size_t i = 0; i < WAYS; i++) {
		if (str_equal(code, str_from(ways[i].code)) && index-- == 0)
			return ways[i].verb;
	}
	return NULL;
}

/* -- whose ---------------------------------------------------------------------------------------- */

static struct str first_of(const struct args *args, const char *one, const char *other)
{
	return args_has(args, one) ? args_get(args, one) : args_get(args, other);
}

bool told_find(struct told *told, struct str verb, const struct args *args, const struct json *json,
	struct error *error)
{
	for (size_t i = 0; i < WAYS; i++) {
		if (str_equal(verb, str_from(ways[i].verb)))
			told->way = &ways[i];
	}
	told->style = told->way->style;
	told->kind = told->way->kind;
	told->args = args;
	told->json = json;
	if (json_kind(json) != JSON_OBJECT)
		return error_set(error, ERROR_INPUT, "invalid json");
	told->enterprise = args_get(args, told->way->by_token ? "token" : "enterprise_number");
	if (told->enterprise.size == 0)
		return error_set(error, ERROR_INPUT, "invalid payload");
	return true;
}

bool told_read(
	struct told *told, const struct account *account, struct arena *arena, struct error *error)
{
	return told->way->read(told, account, arena, error);
}

/* -- raw events ----------------------------------------------------------------------------------- */

static bool read_raw(
	struct told *told, const struct account *account, struct arena *arena, struct error *error)
{
	const struct json *event = json_member(told->json, "event_data");
	const struct json *outer = json_kind(event) == JSON_OBJECT ? event : told->json;
	struct str type = json_text(json_member(outer, "event_type"));
	struct str id = json_text(json_member(outer, "uniqueId"));
	struct crm_raw_source source = {
		.unique_id = id.size > 0 ? id : json_text(json_member(outer, "unique_id")),
		.raw = json_member(outer, "raw"),
		.country = account->country,
		.zone = account->zone,
		.numbers = account->numbers,
		.record_url = json_text(json_member(outer, "record_url")),
	};

	if (told->kind == CRM_RINGING && str_equal(type, STR("hangup")))
		told->kind = CRM_HANGUP;
	source.over = told->kind != CRM_RINGING;
	if (source.unique_id.size == 0 || json_kind(source.raw) != JSON_OBJECT)
		return error_set(error, ERROR_INPUT, "invalid payload");
	switch (crm_raw_read(&source, arena, &told->call, error)) {
	case CRM_RAW_CALL:
		return true;
	case CRM_RAW_INTERNAL:
		told->is_internal = true;
		return true;
	case CRM_RAW_WRONG:
		break;
	}
	return false;
}

/* -- a few plain members -------------------------------------------------------------------------- */

static void read_people(struct told *told, struct arena *arena)
{
	struct crm_call *call = &told->call;
	const struct json *all = json_member(told->json, "extensions_all");
	size_t most = json_kind(all) == JSON_ARRAY ? json_count(all) + 1 : 1;

	call->extension = args_get(told->args, "extension");
	call->rang.items = arena_array(arena, most, sizeof(struct str));
	if (call->extension.size > 0)
		call->rang.items[call->rang.count++] = call->extension;
	for (const struct json *at = most > 1 ? json_first(all) : NULL; at != NULL;
		at = json_next(at)) {
		if (json_text(at).size > 0 && !str_equal(json_text(at), call->extension))
			call->rang.items[call->rang.count++] = json_text(at);
	}
	call->ringing = call->rang;
}

/* The time of the call in ms, when it is one. */
static void read_times(struct told *told, const struct account *account)
{
	struct crm_call *call = &told->call;
	int64_t seconds = 0;
	bool is_answered = str_equal(args_get(told->args, "call_status"), STR("отвеченный"));

	call->wait_seconds = call->talk_seconds = -1;
	if (!clock_parse(args_get(told->args, "start"), account->zone, &call->started_ms))
		call->started_ms = clock_wall_ms();
	if (told->kind == CRM_RINGING)
		return;
	(void)args_int(told->args, "duration", &seconds);
	call->ended_ms = call->started_ms + (seconds > 0 ? seconds * 1000 : 0);
	call->result = is_answered ? CRM_TALKED : CRM_NO_ANSWER;
	call->talk_seconds = is_answered ? seconds : 0;
	if (is_answered && call->extension.size > 0)
		call->talkers = (struct json_strings){.items = call->rang.items, .count = 1};
}

/* Without an id of the call there is one made of what is the same when it is told again. */
static struct str made_key(const struct told *told, struct arena *arena)
{
	struct str id = first_of(told->args, "unique_id", "uniqueId");

	if (id.size > 0)
		return id;
	return str_from(arena_printf(arena, "%.*s-%lld", STR_ARG(told->call.phone),
		(long long)(told->call.started_ms / 1000)));
}

static bool read_plain(
	struct told *told, const struct account *account, struct arena *arena, struct error *error)
{
	struct str direction = args_get(told->args, "direction");
	struct str phone = args_get(told->args, "phone");
	char e164[PHONE_TEXT_BYTES];

	if (phone.size == 0)
		return error_set(error, ERROR_INPUT, "phone: missing");
	if (str_equal(args_get(told->args, "origin"), STR("download")))
		told->kind = CRM_RECOVERED;
	told->call.outgoing = str_starts(direction, STR("out"));
	told->call.hidden = phone_is_hidden(phone);
	if (!told->call.hidden)
		told->call.phone = phone_e164(phone, account->country, e164)
					   ? str_from(arena_strdup(arena, e164))
					   : phone;
	told->call.record_url = args_get(told->args, "record_url");
	read_people(told, arena);
	read_times(told, account);
	told->call.key = made_key(told, arena);
	return true;
}
