/*
 * crm_uon_calls: the journal of calls, reminders and the flash messages to managers of U-ON.
 *
 * It knows no id of ours: the same call told twice is two entries. Here both are one card that counts
 * them, so that a test sees it.
 */
#include "crm_uon.h"

#include "json_put.h"

static const char *const directions[] = {"1", "2", NULL}; /* outgoing, incoming */

static const struct check_field call_fields[] = {
	MUST("phone", CHECK_PHONE),
	MUST("start", CHECK_TIME),
	MAY("duration", CHECK_INT),
	MAY_BE("direction", directions),
	MAY("manager_id", CHECK_INT),
	MAY("office_id", CHECK_INT),
	MAY("record_link", CHECK_URL),
	MAY("note", CHECK_STRING),
	{NULL},
};

static bool manager_is_known(struct crm_request *request)
{
	struct str id = crm_arg(request, "manager_id");

	if (id.size == 0 || crm_takes_user(request->office, id))
		return true;
	crm_refuse(request, 400, "", "Parameter 'manager_id': there is no such manager");
	return false;
}

/* The API knows no id of ours; who wants one writes it into the note: "... [0367-1763740800.1]". */
static struct str marker_of(struct str note)
{
	struct str rest = note, last = {0};

	while (rest.data != NULL && rest.size > 0)
		last = str_cut(&rest, '[');
	return str_ends(last, STR("]")) && last.size < note.size ? str_of(last.data, last.size - 1)
								 : (struct str){0};
}

static void set_call(struct crm_request *request, struct card *card, struct str identity)
{
	struct str manager = crm_arg(request, "manager_id");
	const struct card *user = office_by_id(request->office, CARD_USER, manager);
	bool outgoing = str_equal(crm_arg(request, "direction"), STR("1"));

	card_set_key(request->office, card, "identity", identity);
	uon_give_id(card);
	card_set(card, "external_id", marker_of(crm_arg(request, "note")));
	card_set(card, "direction", outgoing ? STR("out") : STR("in"));
	card_set(card, "phone", crm_arg(request, "phone"));
	card_set(card, "user", manager);
	card_set(card, "extension", user != NULL ? card_get(user, "code") : (struct str){0});
	card_set(card, "result", crm_arg(request, "note"));
	card_set(card, "started", crm_arg(request, "start"));
	card_set(card, "record_url", crm_arg(request, "record_link"));
	if (args_has(request->args, "duration"))
		card_set_int(card, "duration", crm_arg_int(request, "duration", 0));
}

void uon_call_create(struct crm_request *request)
{
	struct str direction = crm_arg(request, "direction");
	struct card *card;
	struct str identity;

	if (!uon_check(request, call_fields) || !manager_is_known(request))
		return;
	identity = str_from(arena_printf(request->call->arena, "%.*s|%.*s|%.*s",
		STR_ARG(crm_arg(request, "phone")), STR_ARG(crm_arg(request, "start")),
		STR_ARG(direction)));
	card = office_find(request->office, CARD_CALL, "identity", identity);
	if (card == NULL) {
		card = office_add(request->office, CARD_CALL, request->now_ms);
		set_call(request, card, identity);
	}
	card->entries++;
	card_told(card, STR("call_history/create"), request->now_ms);
	uon_say_id(request, card);
}

static void put_call(struct crm_request *request, const struct card *card)
{
	static const char *const names[][2] = {{"id", "id"}, {"phone", "phone"},
		{"start", "started"}, {"manager_id", "user"}, {"record_link", "record_url"},
		{"note", "result"}, {"duration", "duration"}};

	json_open_object(&request->out);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_put_member_str(&request->out, names[i][0], card_get(card, names[i][1]));
	json_put_member_str(&request->out, "direction",
		card_is(card, "direction", "out") ? STR("1") : STR("2"));
	json_close_object(&request->out);
}

/* Newest first. `client` NULL: of all clients. */
static void list_calls(struct crm_request *request, const struct card *client, int64_t page)
{
	const struct office *office = request->office;
	const struct card **found = arena_array(
		request->call->arena, office->count[CARD_CALL] + 1, sizeof(struct card *));
	int64_t count = 0;

	for (const struct card *at = office->first[CARD_CALL]; at != NULL; at = at->next) {
		if (client == NULL || customer_has_phone(client, card_get(at, "phone")))
			found[count++] = at;
	}
	if (page > 0 && (page - 1) * UON_PAGE >= count)
		uon_nothing(request);
	if (page == 0 || (page - 1) * UON_PAGE >= count)
		return;
	uon_begin_list(request, "call_history");
	for (int64_t i = (page - 1) * UON_PAGE; i < count && i < page * UON_PAGE; i++)
		put_call(request, found[count - 1 - i]);
	uon_end_list(request);
}

void uon_calls(struct crm_request *request)
{
	list_calls(request, NULL, uon_page(request, request->parts[0]));
}

void uon_calls_by_user(struct crm_request *request)
{
	const struct card *client = office_by_id(request->office, CARD_CUSTOMER, request->parts[0]);

	if (client == NULL)
		uon_nothing(request);
	else
		list_calls(request, client, uon_page(request, request->parts[1]));
}

/* -- what managers see ------------------------------------------------------------------------------ */

/* `kind` with the parameters of a table, each as a text. */
static void create(
	struct crm_request *request, enum card_kind kind, const struct check_field *fields)
{
	struct card *card;

	if (!uon_check(request, fields) || !manager_is_known(request))
		return;
	card = office_add(request->office, kind, request->now_ms);
	uon_give_id(card);
	card->entries = 1;
	uon_keep(request, card, fields);
	uon_say_id(request, card);
}

void uon_reminder_create(struct crm_request *request)
{
	static const struct check_field fields[] = {
		MUST("type_id", CHECK_INT),
		MUST("datetime", CHECK_TIME),
		MUST("datetime_to", CHECK_TIME),
		MUST("text", CHECK_TEXT),
		MAY("r_id", CHECK_INT),
		MAY("tr_id", CHECK_INT),
		MAY("manager_id", CHECK_INT),
		MAY("created_u_id", CHECK_INT),
		MAY("done", CHECK_BOOL),
		{NULL},
	};

	create(request, CARD_REMINDER, fields);
}

void uon_action_create(struct crm_request *request)
{
	static const struct check_field fields[] = {
		MUST("type_id", CHECK_INT),
		MUST("datetime", CHECK_TIME),
		MUST("text", CHECK_TEXT),
		MAY("r_id", CHECK_INT),
		MAY("tr_id", CHECK_INT),
		MAY("timezone", CHECK_TEXT),
		MAY("messenger_id", CHECK_INT),
		MAY("u_id", CHECK_INT),
		{NULL},
	};

	if (!args_has(request->args, "r_id") && !args_has(request->args, "tr_id"))
		crm_refuse(request, 400, "", "Parameter 'r_id' or 'tr_id' is missing");
	else
		create(request, CARD_REMINDER, fields);
}

void uon_notification_create(struct crm_request *request)
{
	static const struct check_field fields[] = {
		MUST("text", CHECK_TEXT), MUST("manager_id", CHECK_INT), {NULL}};

	create(request, CARD_NOTIFICATION, fields);
}
