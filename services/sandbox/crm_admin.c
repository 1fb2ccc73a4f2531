/*
 * crm_admin: what tests and pages ask of the CRMs: declare accounts, list calls and cards, set limits.
 *
 * Keys go in and never come out: an account is shown by its declared name, or by its number.
 */
#include "crm.h"

#include "clock.h"
#include "json_put.h"
#include "listing.h"
#include "uri.h"

#include <stdio.h>

static const char *const crm_names[] = {
	"retailcrm", "uon", "moysklad", "bitrix24", "webhook", NULL};

/* -- lists ------------------------------------------------------------------------------------------ */

/* Where a list is: it goes by numbers, since cards and offices may be gone when it goes on. */
struct cards {
	struct listing listing;
	struct str crm, key, account, kind, external_id, phone;
	int64_t last; /* only the last so many of each kind and account; 0: all */
	bool calls;   /* and not the rest */
	int at_crm, at_kind;
	int64_t at_office, at_card;
	bool any;
};

enum { CARDS_BEGIN, CARDS_PIECE, CARDS_MORE };

static enum flow_status begin_cards(struct flow *flow, bool calls)
{
	struct cards *cards = flow_state(flow);
	struct str query = http_request(flow)->query;
	struct {
		const char *name;
		struct str *value;
	} wanted[] = {{"crm", &cards->crm}, {"key", &cards->key}, {"account", &cards->account},
		{"kind", &cards->kind}, {"external_id", &cards->external_id},
		{"phone", &cards->phone}};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		(void)uri_query_value(query, wanted[i].name, flow_arena(flow), wanted[i].value);
	if (!admin_query_int(flow, "last", 0, &cards->last))
		return FLOW_END;
	cards->calls = calls;
	if (cards->crm.size > 0 && crm_named(flow_context(flow), cards->crm) == NULL)
		return flow_fail(flow, ERROR_INPUT, "crm: unknown");
	return FLOW_NEXT;
}

static enum flow_status begin_calls(struct flow *flow)
{
	return begin_cards(flow, true);
}

static enum flow_status begin_rest(struct flow *flow)
{
	return begin_cards(flow, false);
}

static bool office_is_wanted(const struct cards *cards, const struct office *office)
{
	struct office_name name = office_name(office);

	return (cards->key.size == 0 || str_equal_secret(cards->key, str_from(office->key))) &&
	       (cards->account.size == 0 || str_equal(cards->account, str_from(name.text)));
}

static bool kind_is_wanted(const struct cards *cards, enum card_kind kind)
{
	if (cards->calls || kind == CARD_CALL)
		return cards->calls && kind == CARD_CALL;
	return kind != CARD_TOKEN && kind != CARD_SETTING && kind != CARD_CHANGE &&
	       (cards->kind.size == 0 || str_equal(cards->kind, str_from(card_kind_name(kind))));
}

static bool card_is_wanted(const struct cards *cards, const struct card *card)
{
	return (cards->external_id.size == 0 ||
		       str_equal(cards->external_id, card_get(card, "external_id"))) &&
	       (cards->phone.size == 0 || phones_equal(cards->phone, card_get(card, "phone")));
}

/* False: the piece is full. */
static bool write_kind(
	struct cards *cards, const char *crm, const struct office *office, struct buf *to)
{
	int64_t left = (int64_t)office->count[cards->at_kind];
	struct json_writer writer;

	for (const struct card *at = office->first[cards->at_kind]; at != NULL; at = at->next) {
		if ((cards->last > 0 && left-- > cards->last) || at->id <= cards->at_card ||
			!card_is_wanted(cards, at))
			continue;
		if (to->size > LISTING_PIECE_BYTES)
			return false;
		if (cards->any)
			buf_add_char(to, ',');
		cards->any = true;
		json_begin(&writer, to);
		card_write(crm, office, at, &writer);
		cards->at_card = at->id;
	}
	return true;
}

static bool write_office(
	struct cards *cards, const char *crm, const struct office *office, struct buf *to)
{
	for (; cards->at_kind < CARD_KINDS; cards->at_kind++) {
		if (kind_is_wanted(cards, (enum card_kind)cards->at_kind) &&
			!write_kind(cards, crm, office, to))
			return false;
		cards->at_card = 0;
	}
	return true;
}

static bool write_crm(struct cards *cards, const struct crm *crm, struct buf *to)
{
	for (const struct office *at = crm->first; at != NULL; at = at->next) {
		if (at->number < cards->at_office || !office_is_wanted(cards, at))
			continue;
		if (at->number > cards->at_office)
			cards->at_kind = 0;
		cards->at_office = at->number;
		if (!write_office(cards, crm->spec->name, at, to))
			return false;
	}
	return true;
}

static bool write_all(struct cards *cards, struct sandbox *sandbox, struct buf *to)
{
	for (; crm_names[cards->at_crm] != NULL; cards->at_crm++) {
		struct str name = str_from(crm_names[cards->at_crm]);
		if (cards->crm.size > 0 && !str_equal(cards->crm, name))
			continue;
		if (!write_crm(cards, crm_named(sandbox, name), to))
			return false;
		cards->at_office = 0;
		cards->at_kind = 0;
	}
	return true;
}

static enum flow_status cards_piece(struct flow *flow)
{
	struct cards *cards = flow_state(flow);
	struct buf piece;
	bool is_last;

	buf_init(&piece, LISTING_MAX_BYTES);
	if (!cards->listing.streaming)
		buf_add_char(&piece, '[');
	is_last = write_all(cards, flow_context(flow), &piece);
	if (is_last)
		buf_add_char(&piece, ']');
	return listing_send(flow, &cards->listing, &piece, is_last);
}

static enum flow_status cards_more(struct flow *flow)
{
	struct cards *cards = flow_state(flow);

	return listing_more(flow, &cards->listing, CARDS_PIECE);
}

#define CARDS_FLOW(flow_name, begin)                                                               \
	{                                                                                          \
		.name = (flow_name),                                                               \
		.steps = (const struct flow_step[]){{"begin", (begin)}, {"piece", cards_piece},    \
			{"more", cards_more}, {NULL, NULL}},                                       \
		.state_bytes = sizeof(struct cards), .deadline_ms = 60000,                         \
	}

const struct flow_spec crm_list_calls_flow = CARDS_FLOW("crm_calls", begin_calls);
const struct flow_spec crm_list_cards_flow = CARDS_FLOW("crm_cards", begin_rest);

static void put_office(struct json_writer *writer, const char *crm, const struct office *office)
{
	struct office_name name = office_name(office);

	json_open_object(writer);
	json_put_member_str(writer, "crm", str_from(crm));
	json_put_member_str(writer, "account", str_from(name.text));
	json_put_member_bool(writer, "declared", office->declared);
	json_put_member_bool(writer, "revoked", office->revoked);
	json_put_member_int(writer, "calls", (int64_t)office->count[CARD_CALL]);
	json_put_member_int(writer, "requests", office->requests);
	json_put_member_int(writer, "refused", office->refused);
	json_put_member_int(writer, "violations", office->violations);
	json_close_object(writer);
}

static enum flow_status list_offices(struct flow *flow)
{
	enum flow_status status;
	struct json_writer writer;
	struct buf json;

	buf_init(&json, 8u << 20);
	json_begin(&writer, &json);
	json_open_array(&writer);
	for (int i = 0; crm_names[i] != NULL; i++) {
		const struct crm *crm = crm_named(flow_context(flow), str_from(crm_names[i]));
		for (const struct office *at = crm->first; at != NULL; at = at->next)
			put_office(&writer, crm_names[i], at);
	}
	json_close_array(&writer);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

const struct flow_spec crm_list_offices_flow = ONE_STEP("crm_accounts", list_offices);

/* -- limits ----------------------------------------------------------------------------------------- */

struct limits_input {
	struct str crm, limit;
	bool enabled;
	double per_second, burst;
	int64_t per_window, window_ms, at_once, weight;
};

static const struct json_field limits_fields[] = {
	JSON_FIELD(struct limits_input, crm, JSON_STRING, 0),
	JSON_FIELD(struct limits_input, limit, JSON_STRING, 0),
	JSON_FIELD(struct limits_input, enabled, JSON_BOOL, 0),
	JSON_FIELD(struct limits_input, per_second, JSON_DOUBLE, 0),
	JSON_FIELD(struct limits_input, burst, JSON_DOUBLE, 0),
	JSON_FIELD(struct limits_input, per_window, JSON_INT64, 0),
	JSON_FIELD(struct limits_input, window_ms, JSON_INT64, 0),
	JSON_FIELD(struct limits_input, at_once, JSON_INT64, 0),
	JSON_FIELD(struct limits_input, weight, JSON_INT64, 0),
	{NULL},
};

bool crm_limits_meant(struct flow *flow)
{
	struct limits_input input = {0};

	return admin_read_body(flow, limits_fields, &input, NULL) && input.crm.size > 0;
}

static bool limit_is_good(const struct limits_input *input)
{
	return input->per_second >= 0 && input->per_second <= RATE_MAX && input->burst >= 0 &&
	       input->burst <= RATE_MAX && input->per_window >= 0 &&
	       input->per_window <= RATE_WINDOW_MAX && input->window_ms >= 0 &&
	       input->window_ms <= 3600000 && input->at_once >= 0 && input->weight >= 0 &&
	       (input->per_window == 0 || (input->window_ms > 0 && input->weight <= 4)) &&
	       (input->per_second == 0 || (input->per_second >= 0.001 && input->burst >= 1));
}

static bool set_limit(struct crm *crm, const struct limits_input *input)
{
	for (int i = 0; i < OFFICE_LIMITS; i++) {
		struct crm_limit *limit = &crm->limits[i];
		if (limit->name == NULL || !str_equal(input->limit, str_from(limit->name)))
			continue;
		*limit = (struct crm_limit){limit->name, input->per_second, input->burst,
			input->per_window, input->window_ms, input->at_once, input->weight};
		return true;
	}
	return false;
}

enum flow_status crm_set_limits(struct flow *flow)
{
	struct limits_input input = {.enabled = true};
	bool all, known = false;
	struct error error;

	if (!admin_read_body(flow, limits_fields, &input, &error))
		return flow_fail_error(flow, &error);
	if (!limit_is_good(&input))
		return flow_fail(flow, ERROR_INPUT,
			"per_second takes 0.001 and more with burst of 1 and more, per_window up "
			"to %d with window_ms",
			RATE_WINDOW_MAX);
	all = str_equal(input.crm, STR("all"));
	for (int i = 0; crm_names[i] != NULL; i++) {
		struct crm *crm = crm_named(flow_context(flow), str_from(crm_names[i]));
		if (!all && !str_equal(input.crm, str_from(crm_names[i])))
			continue;
		crm->unlimited = !input.enabled;
		known = input.limit.size == 0 || set_limit(crm, &input);
	}
	return known ? admin_say_ok(flow) : flow_fail(flow, ERROR_INPUT, "crm, limit: unknown");
}
