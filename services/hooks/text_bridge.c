/*
 * text_bridge: baileys-bridge brings a WhatsApp message (docs/protocol/texts.md).
 *
 * It proves itself by a secret; without one in our settings nobody is let in. People are JIDs here, and
 * the same persons as in Twilio's "whatsapp:+972..." there.
 */
#include "hook_log.h"
#include "text_choice.h"
#include "text_peer.h"
#include "text_room.h"
#include "texts.h"

#include "clock.h"
#include "crypto.h"

enum { BODY_DEPTH = 8, WEEK_MS = 7 * 24 * 3600 * 1000 };

struct brought {
	struct str from, to, text, message_id, timestamp, name;
	struct str from_pn; /* his number, where `from` is a LID */
};

static const struct json_field brought_fields[] = {
	JSON_FIELD(struct brought, from, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct brought, to, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct brought, text, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct brought, message_id, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct brought, timestamp, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct brought, name, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct brought, from_pn, JSON_STRING, JSON_LAX),
	{0},
};

struct bridge_state {
	struct text_in text;
	struct hook_note note;
};

static bool is_bridge(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct str secret = str_from(hooks->settings->baileys_secret.value);

	return secret.size > 0 &&
	       str_equal_secret(http_request_header(flow, "X-BAILEYS-SECRET"), secret);
}

static bool read_body(struct flow *flow, struct brought *brought, struct error *error)
{
	const struct json_limits limits = {.max_bytes = (size_t)256 << 10, .max_depth = BODY_DEPTH};
	struct json *json = json_parse(http_request(flow)->body, limits, error);
	bool ok = json != NULL && json_read(json, brought_fields, brought, flow_arena(flow), error);

	json_free(&json);
	return ok;
}

/* Seconds, milliseconds or RFC 3339; what is not of the last week is now. */
static int64_t read_time(struct str text)
{
	int64_t now_ms = clock_wall_ms(), at_ms = 0;

	if (str_to_int64(text, &at_ms))
		at_ms = at_ms < INT64_C(100000000000) ? at_ms * 1000 : at_ms;
	else if (!clock_parse(text, NULL, &at_ms))
		at_ms = now_ms;
	return at_ms > now_ms - WEEK_MS && at_ms < now_ms ? at_ms : now_ms;
}

/* An id of its own where the bridge has none: the same message again is still known. */
static struct str message_id(const struct brought *brought, struct arena *arena)
{
	unsigned char digest[CRYPTO_SHA256_BYTES];
	char hex[2 * CRYPTO_SHA256_BYTES + 1];
	const char *whole;

	if (brought->message_id.size > 0)
		return brought->message_id;
	whole = arena_printf(arena, "%.*s %.*s %.*s", STR_ARG(brought->from),
		STR_ARG(brought->timestamp), STR_ARG(brought->text));
	crypto_sha256(str_from(whole), digest);
	crypto_hex(digest, sizeof(digest), hex);
	return str_from(arena_strndup(arena, hex, 32));
}

/* False: it is nobody's, or nothing that we keep. */
static bool read_peer(const struct brought *brought, struct arena *arena, struct text_came *came)
{
	char peer[TEXT_PEER_BYTES], number[TEXT_PEER_BYTES];
	enum text_peer kind = text_peer_read(brought->from, "", peer);

	came->peer = arena_strdup(arena, peer);
	if (kind == TEXT_PEER_LID &&
		text_peer_read(brought->from_pn, "", number) == TEXT_PEER_PERSON) {
		came->lid = came->peer;
		came->peer = arena_strdup(arena, number);
	}
	return kind == TEXT_PEER_PERSON || kind == TEXT_PEER_LID;
}

static const struct account *whose(struct flow *flow, const struct brought *brought)
{
	const struct hooks *hooks = flow_context(flow);
	char ours[TEXT_PEER_BYTES];

	(void)text_peer_read(brought->to, "", ours);
	return text_bridge_account(hooks, str_from(ours));
}

static void decide(const struct hooks *hooks, struct text_came *came)
{
	const struct hook_number *number = text_chat_number(hooks, came->enterprise);
	const struct text_rules rules = {
		.menu = number != NULL ? hook_number_menu(hooks, number) : NULL,
		.language = number != NULL ? number->language : "en",
	};

	text_came_decide(came, &rules);
}

static enum flow_status store(
	struct flow *flow, const struct brought *brought, const struct account *account)
{
	const struct hooks *hooks = flow_context(flow);
	struct bridge_state *state = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	struct str ours = text_bridge_number(account);
	struct text_came came = {
		.enterprise = arena_strdup(arena, account->number),
		.channel = "whatsapp",
		.provider = "baileys",
		.our_number = arena_strndup(arena, ours.data != NULL ? ours.data : "", ours.size),
		.trace = http_request(flow)->trace,
		.provider_id = message_id(brought, arena),
		.title = brought->name,
		.body = brought->text,
		.at_ms = read_time(brought->timestamp),
	};

	if (!read_peer(brought, arena, &came))
		return FLOW_NEXT;
	came.line = came.our_number;
	flow_set_enterprise(flow, came.enterprise);
	state->note.sid = came.provider_id;
	decide(hooks, &came);
	state->text.store = (struct later_store){
		.kind = &text_in_kind, .json = text_came_document(&came, arena)};
	return await_later(flow, &state->text.store);
}

static enum flow_status bridge_take(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct bridge_state *state = flow_state(flow);
	struct brought brought = {0};
	const struct account *account;
	struct error error;

	state->note.signature = "wrong";
	http_note(flow, &state->note);
	if (!is_bridge(flow)) {
		(void)http_reply_detail(flow, 403, "Forbidden");
		return FLOW_END;
	}
	state->note.signature = "ok";
	state->text.store.stored = true; /* nothing to store is stored */
	if (!read_body(flow, &brought, &error))
		return flow_fail_error(flow, &error);
	if (accounts_why_not(hooks->accounts) != NULL)
		return flow_fail(flow, ERROR_BUSY, "%s", accounts_why_not(hooks->accounts));
	if (brought.from.size == 0 || brought.text.size == 0)
		return FLOW_NEXT;
	account = whose(flow, &brought);
	if (account == NULL)
		return flow_fail(flow, ERROR_MISSING, "no enterprise says that this phone is its");
	return store(flow, &brought, account);
}

static enum flow_status bridge_answer(struct flow *flow)
{
	struct bridge_state *state = flow_state(flow);

	return text_in_reply(flow, &state->text);
}

static const struct flow_step bridge_steps[] = {
	{"take", bridge_take},
	{"answer", bridge_answer},
	{NULL, NULL},
};

const struct flow_spec text_bridge_flow = {
	.name = "baileys",
	.steps = bridge_steps,
	.state_bytes = sizeof(struct bridge_state),
	.arena_max_bytes = TEXT_ARENA_BYTES,
	.deadline_ms = TEXT_DEADLINE_MS,
};
