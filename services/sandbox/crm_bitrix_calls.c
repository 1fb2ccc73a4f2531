/*
 * crm_bitrix_calls: telephony.externalCall of Bitrix24: register, show, hide, finish, attachRecord.
 *
 * The same call registered again within half an hour, with the same user, number, line and
 * EXTERNAL_CALL_ID, keeps its CALL_ID; anything else of it that differs makes a second call.
 */
#include "crm_bitrix.h"

#include "crypto.h"
#include "json_put.h"

#include <stdio.h>

#define SAME_CALL_MS ((int64_t)30 * 60 * 1000)
#define MAX_USERS    100

static const char *const types[] = {"1", "2", "3", "4", "5", NULL};
static const char *const flags[] = {"0", "1", NULL};
static const char *const entity_types[] = {"CONTACT", "COMPANY", "LEAD", NULL};
static const char *const codes[] = {"200", "304", "603", "603-S", "403", "404", "486", "484", "503",
	"480", "402", "423", "OTHER", NULL};

static const struct check_field register_fields[] = {
	MUST("PHONE_NUMBER", CHECK_PHONE),
	MUST_BE("TYPE", types),
	MAY("CALL_START_DATE", CHECK_TIME_ISO),
	MAY_BE("CRM_CREATE", flags),
	MAY("CRM_SOURCE", CHECK_STRING),
	MAY_BE("CRM_ENTITY_TYPE", entity_types),
	MAY("CRM_ENTITY_ID", CHECK_INT),
	MAY_BE("SHOW", flags),
	MAY_BE("ADD_TO_CHAT", flags),
	MAY("LINE_NUMBER", CHECK_TEXT),
	MAY("EXTERNAL_CALL_ID", CHECK_TEXT),
	{NULL},
};
static const struct check_field finish_fields[] = {
	MUST("CALL_ID", CHECK_TEXT),
	MAY("DURATION", CHECK_INT),
	MAY_BE("STATUS_CODE", codes),
	MAY("FAILED_REASON", CHECK_STRING),
	MAY("RECORD_URL", CHECK_URL),
	MAY("VOTE", CHECK_INT),
	MAY_BE("ADD_TO_CHAT", flags),
	{NULL},
};
static const struct check_field attach_fields[] = {MUST("CALL_ID", CHECK_TEXT),
	MAY("RECORD_URL", CHECK_URL), MAY("FILENAME", CHECK_TEXT), MAY("FILE_CONTENT", CHECK_TEXT),
	{NULL}};
static const struct check_field call_fields[] = {MUST("CALL_ID", CHECK_TEXT), {NULL}};

/* -- who and which ---------------------------------------------------------------------------------- */

/* USER_ID, or whoever has USER_PHONE_INNER; empty and the request is refused when there is nobody. */
static struct str user_of(struct crm_request *request)
{
	struct str inner = crm_arg(request, "USER_PHONE_INNER"), id = {0};
	const struct card *user;

	if (bitrix_users_of(request, &id, 1) == 0 && inner.size == 0) {
		crm_refuse(request, 400, "ERROR_ARGUMENT",
			"Argument 'USER_ID' or 'USER_PHONE_INNER' is missing");
		return (struct str){0};
	}
	if (id.size == 0) {
		user = crm_user_of_extension(request->office, inner);
		id = user != NULL ? card_get(user, "id") : (struct str){0};
	}
	if (str_is_digits(id) && crm_takes_user(request->office, id))
		return id;
	crm_refuse(request, 400, "ERROR_CORE", "User is not found or is not active");
	return (struct str){0};
}

static struct str extension_of(const struct crm_request *request, struct str user)
{
	const struct card *card = office_by_id(request->office, CARD_USER, user);

	return card != NULL ? card_get(card, "code") : (struct str){0};
}

static struct card *find(struct crm_request *request)
{
	struct str id = crm_arg(request, "CALL_ID");
	struct card *call = office_find(request->office, CARD_CALL, "call_id", id);

	if (call == NULL)
		crm_refuse(request, 400, "ERROR_CORE", "Call is not found (CALL_ID: %.*s)",
			STR_ARG(id));
	return call;
}

/* -- register --------------------------------------------------------------------------------------- */

static struct str identity_of(const struct crm_request *request, struct str user)
{
	return str_from(arena_printf(request->call->arena, "%.*s|%.*s|%.*s|%.*s|%.*s",
		STR_ARG(crm_arg(request, "EXTERNAL_CALL_ID")),
		STR_ARG(crm_arg(request, "PHONE_NUMBER")), STR_ARG(crm_arg(request, "TYPE")),
		STR_ARG(user), STR_ARG(crm_arg(request, "LINE_NUMBER"))));
}

static void link_customer(struct crm_request *request, struct card *call)
{
	const struct card *customer =
		office_customer(request->office, crm_arg(request, "PHONE_NUMBER"), NULL);

	card_set(call, "entity_type", crm_arg(request, "CRM_ENTITY_TYPE"));
	card_set(call, "entity_id", crm_arg(request, "CRM_ENTITY_ID"));
	if (customer == NULL || crm_arg(request, "CRM_ENTITY_ID").size > 0)
		return;
	card_set(call, "entity_type",
		card_is(customer, "company", "true") ? STR("COMPANY") : STR("CONTACT"));
	card_set(call, "entity_id", card_get(customer, "id"));
}

/* For a number that nobody has, when it is wished: a lead of the one who took the call. */
static struct card *create_lead(struct crm_request *request, struct card *call, struct str user)
{
	struct card *lead;
	char id[24];

	if (!str_equal(crm_arg(request, "CRM_CREATE"), STR("1")) ||
		card_get(call, "entity_id").size > 0)
		return NULL;
	lead = office_add(request->office, CARD_LEAD, request->now_ms);
	snprintf(id, sizeof(id), "%lld", (long long)lead->id);
	lead->entries = 1;
	card_set(lead, "id", str_from(id));
	card_set(lead, "phone", crm_arg(request, "PHONE_NUMBER"));
	card_set(lead, "manager_id", user);
	card_set(call, "lead", str_from(id));
	card_set(call, "entity_type", STR("LEAD"));
	card_set(call, "entity_id", str_from(id));
	return lead;
}

static struct str new_call_id(struct crm_request *request)
{
	unsigned char digest[CRYPTO_MD5_BYTES];
	char hex[2 * CRYPTO_MD5_BYTES + 1];

	crypto_random(digest, sizeof(digest));
	crypto_hex(digest, sizeof(digest), hex);
	return str_from(arena_printf(request->call->arena, "externalCall.%s.%lld", hex,
		(long long)request->now_ms / 1000));
}

static struct card *register_new(struct crm_request *request, struct str identity, struct str user)
{
	struct card *call = office_add(request->office, CARD_CALL, request->now_ms);
	struct str type = crm_arg(request, "TYPE");

	card_set_key(request->office, call, "identity", identity);
	card_set_key(request->office, call, "call_id", new_call_id(request));
	card_set(call, "external_id", crm_arg(request, "EXTERNAL_CALL_ID"));
	card_set(call, "direction", str_equal(type, STR("1")) ? STR("out") : STR("in"));
	card_set(call, "phone", crm_arg(request, "PHONE_NUMBER"));
	card_set(call, "started", crm_arg(request, "CALL_START_DATE"));
	card_set(call, "line", crm_arg(request, "LINE_NUMBER"));
	card_set(call, "registered_user", user);
	link_customer(request, call);
	return call;
}

static void put_registered(struct crm_request *request, const struct card *call)
{
	struct str lead = card_get(call, "lead");

	bitrix_begin(request);
	json_open_object(&request->out);
	json_put_member_str(&request->out, "CALL_ID", card_get(call, "call_id"));
	json_put_name(&request->out, "CRM_CREATED_LEAD");
	if (lead.size > 0)
		json_put_raw(&request->out, lead);
	else
		json_put_null(&request->out);
	json_put_name(&request->out, "CRM_CREATED_ENTITIES");
	json_open_array(&request->out);
	if (lead.size > 0) {
		json_open_object(&request->out);
		json_put_member_str(&request->out, "ENTITY_TYPE", STR("LEAD"));
		json_put_member_raw(&request->out, "ENTITY_ID", lead);
		json_close_object(&request->out);
	}
	json_close_array(&request->out);
	json_put_member_str(&request->out, "CRM_ENTITY_TYPE", card_get(call, "entity_type"));
	crm_put_number(request, "CRM_ENTITY_ID", card_get(call, "entity_id"));
	json_close_object(&request->out);
	bitrix_end(request);
}

void bitrix_call_register(struct crm_request *request)
{
	struct str user, identity, external = crm_arg(request, "EXTERNAL_CALL_ID");
	struct card *call;

	if (!bitrix_check(request, register_fields))
		return;
	user = user_of(request);
	if (user.size == 0)
		return;
	identity = identity_of(request, user);
	call = office_find(request->office, CARD_CALL, "identity", identity);
	if (call == NULL || request->now_ms - call->at_ms > SAME_CALL_MS || external.size == 0) {
		call = register_new(request, identity, user);
		(void)create_lead(request, call, user);
	}
	card_told(call, STR("register"), request->now_ms);
	if (!str_equal(crm_arg(request, "SHOW"), STR("0")))
		popup_show(call, user, extension_of(request, user), request->now_ms);
	put_registered(request, call);
}

/* -- show, hide ------------------------------------------------------------------------------------- */

static void show_or_hide(struct crm_request *request, bool show)
{
	struct card *call = bitrix_check(request, call_fields) ? find(request) : NULL;
	struct str users[MAX_USERS];
	unsigned count;

	if (call == NULL)
		return;
	count = bitrix_users_of(request, users, MAX_USERS);
	for (unsigned i = 0; i < count; i++) {
		if (crm_takes_user(request->office, users[i]) && str_is_digits(users[i]))
			continue;
		crm_refuse(request, 400, "ERROR_CORE", "User is not found or is not active");
		return;
	}
	card_told(call, show ? STR("show") : STR("hide"), request->now_ms);
	/* Without users: the one for whom it was registered. */
	if (count == 0)
		users[count++] = card_get(call, "registered_user");
	for (unsigned i = 0; i < count; i++) {
		struct str extension = extension_of(request, users[i]);
		if (show)
			popup_show(call, users[i], extension, request->now_ms);
		else
			popup_hide(call, users[i], extension, request->now_ms);
	}
	bitrix_say(request, "true");
}

void bitrix_call_show(struct crm_request *request)
{
	show_or_hide(request, true);
}

void bitrix_call_hide(struct crm_request *request)
{
	show_or_hide(request, false);
}

/* -- finish ----------------------------------------------------------------------------------------- */

static void put_statistics(struct crm_request *request, const struct card *call)
{
	static const char *const texts[][2] = {{"CALL_ID", "call_id"},
		{"EXTERNAL_CALL_ID", "external_id"}, {"PHONE_NUMBER", "phone"},
		{"PORTAL_NUMBER", "line"}, {"CALL_START_DATE", "started"},
		{"CALL_FAILED_CODE", "result"}, {"CALL_FAILED_REASON", "failed_reason"},
		{"CRM_ENTITY_TYPE", "entity_type"}};

	bitrix_begin(request);
	json_open_object(&request->out);
	json_put_member_int(&request->out, "ID", call->id);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		json_put_member_str(&request->out, texts[i][0], card_get(call, texts[i][1]));
	json_put_member_str(&request->out, "PORTAL_USER_ID", card_get(call, "user"));
	json_put_member_raw(&request->out, "CALL_DURATION", card_get(call, "duration"));
	json_put_member_str(
		&request->out, "INCOMING", card_is(call, "direction", "out") ? STR("1") : STR("2"));
	json_put_member_int(&request->out, "CALL_STATUS", card_is(call, "result", "200"));
	crm_put_number(request, "CRM_ENTITY_ID", card_get(call, "entity_id"));
	json_put_member_int(&request->out, "CRM_ACTIVITY_ID", 1000000 + call->id);
	json_close_object(&request->out);
	bitrix_end(request);
}

static void finish(struct crm_request *request, struct card *call, struct str user)
{
	struct str code = crm_arg(request, "STATUS_CODE");
	int64_t duration = crm_arg_int(request, "DURATION", 0);

	call->entries++;
	card_set(call, "user", user);
	card_set(call, "extension", extension_of(request, user));
	card_set_int(call, "duration", duration);
	if (code.size == 0)
		code = duration > 0 ? STR("200") : STR("304");
	card_set(call, "result", code);
	card_set(call, "failed_reason", crm_arg(request, "FAILED_REASON"));
	card_set(call, "record_url", crm_arg(request, "RECORD_URL"));
	popup_hide(call, (struct str){0}, (struct str){0}, request->now_ms);
}

void bitrix_call_finish(struct crm_request *request)
{
	struct card *call = bitrix_check(request, finish_fields) ? find(request) : NULL;
	struct str user = call != NULL ? user_of(request) : (struct str){0};

	if (user.size == 0)
		return;
	card_told(call, STR("finish"), request->now_ms);
	if (call->entries > 0) {
		crm_refuse(request, 400, "ERROR_CORE", "Call is already finished");
		return;
	}
	finish(request, call, user);
	put_statistics(request, call);
}

void bitrix_call_attach(struct crm_request *request)
{
	struct card *call = bitrix_check(request, attach_fields) ? find(request) : NULL;
	struct str url = crm_arg(request, "RECORD_URL");
	struct str file = crm_arg(request, "FILENAME");

	if (call == NULL)
		return;
	if (call->entries == 0) {
		crm_refuse(request, 400, "ERROR_CORE", "Call is not finished");
		return;
	}
	if (url.size == 0 && !str_ends(file, STR(".mp3")) && !str_ends(file, STR(".wav"))) {
		crm_refuse(request, 400, "ERROR_ARGUMENT",
			"Argument 'RECORD_URL' or 'FILENAME' is missing");
		return;
	}
	card_told(call, STR("attachRecord"), request->now_ms);
	card_set(call, "record_url", url.size > 0 ? url : file);
	call->updates++;
	bitrix_begin(request);
	json_open_object(&request->out);
	json_put_member_int(&request->out, "FILE_ID", 5000000 + call->id);
	json_close_object(&request->out);
	bitrix_end(request);
}
