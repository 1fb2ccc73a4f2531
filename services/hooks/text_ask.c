/*
 * text_ask: see text_ask.h. Spellings of the former systems are all taken.
 */
#include "text_ask.h"

#include "json_put.h"
#include "text_choice.h"
#include "text_peer.h"
#include "text_room.h"

#include "crypto.h"

enum {
	TWILIO_MAX_CHARACTERS = 1600, /* 21617 */
	BRIDGE_MAX_CHARACTERS = 4096,
	KEY_MAX_BYTES = 200,
	VARIABLES_MAX_BYTES = 8192,
};

/* -- what is asked for ------------------------------------------------------------------------------- */

static bool read_args(struct flow *flow, struct text_ask *state, struct error *error)
{
	const struct http_request *request = http_request(flow);
	/* Whatever the type says: clients of the former systems sent JSON without one. */
	const struct args_source source = {
		.content_type = STR("application/json"), .body = request->body};
	struct str enterprise;

	if (request->body.size == 0)
		return error_set(error, ERROR_INPUT, "No data provided");
	if (!args_read(&state->args, &source, flow_arena(flow), error))
		return false;
	if (!state->internal)
		return true;
	enterprise = args_get(&state->args, "enterprise");
	if (enterprise.size == 0)
		return error_set(error, ERROR_INPUT, "enterprise: missing");
	state->key.enterprise = arena_strndup(flow_arena(flow), enterprise.data, enterprise.size);
	if (str_equal(args_get(&state->args, "channel"), STR("whatsapp")))
		state->channel = "whatsapp";
	return true;
}

static struct str body_of(const struct args *args)
{
	struct str text = args_get(args, "message");

	return text.size > 0 ? text : args_get(args, "text");
}

static size_t characters(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.size; i++)
		count += ((unsigned char)text.data[i] & 0xC0) != 0x80;
	return count;
}

static bool has_template(const struct args *args)
{
	return args_get(args, "content_sid").size > 0;
}

/* As an object of JSON, or as its text. Printed anew: nobody's text becomes part of our document. */
static struct json *read_variables(const struct args *args)
{
	const struct json_limits limits = {.max_bytes = VARIABLES_MAX_BYTES, .max_depth = 4};
	struct json *json = json_parse(args_get(args, "content_variables"), limits, NULL);

	if (json != NULL && json_kind(json) != JSON_OBJECT)
		json_free(&json);
	return json;
}

static bool check_variables(const struct args *args)
{
	struct json *variables = read_variables(args);
	bool ok = variables != NULL || args_get(args, "content_variables").size == 0;

	json_free(&variables);
	return ok;
}

static bool check_body(const struct text_ask *state, struct error *error)
{
	bool bridge = strcmp(state->provider, "baileys") == 0;
	size_t most = bridge ? BRIDGE_MAX_CHARACTERS : TWILIO_MAX_CHARACTERS;
	struct str body = body_of(&state->args);

	if (characters(body) > most)
		return error_set(
			error, ERROR_INPUT, "message: longer than %zu characters (21617)", most);
	if (!check_variables(&state->args))
		return error_set(error, ERROR_INPUT, "content_variables: not a JSON object");
	if (bridge && (has_template(&state->args) || args_has(&state->args, "media_url")))
		return error_set(error, ERROR_INPUT, "baileys sends plain texts only");
	return true;
}

static bool check_peer(const struct text_ask *state, const struct account *account,
	char peer[TEXT_PEER_BYTES], struct error *error)
{
	struct str to = args_get(&state->args, "to");
	enum text_peer kind;

	if (to.size == 0 || (body_of(&state->args).size == 0 && !has_template(&state->args) &&
				    !args_has(&state->args, "media_url")))
		return error_set(error, ERROR_INPUT, "to and message are required");
	kind = text_peer_read(to, account->country, peer);
	if (kind != TEXT_PEER_PERSON &&
		!(kind == TEXT_PEER_LID && strcmp(state->provider, "baileys") == 0))
		return error_set(error, ERROR_INPUT, "to: not a telephone number (21211)");
	return true;
}

/* -- what is stored ----------------------------------------------------------------------------------- */

static void put_template(struct json_writer *json, const struct args *args)
{
	struct json *variables = read_variables(args);
	struct buf text;

	json_put_name(json, "template");
	if (!has_template(args)) {
		json_put_null(json);
		json_free(&variables);
		return;
	}
	buf_init(&text, 2 * VARIABLES_MAX_BYTES);
	json_open_object(json);
	json_put_member_str(json, "content_sid", args_get(args, "content_sid"));
	if (variables != NULL) {
		json_print(&text, variables, false);
		json_put_member_raw(json, "variables", buf_str(&text));
	}
	json_close_object(json);
	buf_free(&text);
	json_free(&variables);
}

static void put_media(struct json_writer *json, const struct args *args)
{
	json_put_name(json, "media");
	json_open_array(json);
	if (args_has(args, "media_url")) {
		json_open_object(json);
		json_put_member_str(json, "url", args_get(args, "media_url"));
		json_close_object(json);
	}
	json_close_array(json);
}

/* The same key of two senders is two keys; a request without one is told apart by its own id. */
static const char *key_of(struct flow *flow, const char *uuid)
{
	const struct text_ask *state = flow_state(flow);
	struct str key = http_request_header(flow, "Idempotency-Key");

	return arena_printf(flow_arena(flow), "%s:%.*s", state->internal ? "internal" : "api",
		STR_ARG(key.size > 0 ? key : str_from(uuid)));
}

static void put_event(struct flow *flow, struct json_writer *json, const char *peer,
	const char *uuid, struct str ours)
{
	const struct text_ask *state = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	struct str body = body_of(&state->args);
	const struct world_event event = {.kind = WORLD_TEXT,
		.enterprise = state->key.enterprise,
		.call_sid = uuid,
		.peer = peer,
		.line = arena_strndup(arena, ours.data != NULL ? ours.data : "", ours.size),
		.trace = http_request(flow)->trace,
		.text = arena_strndup(arena, body.data != NULL ? body.data : "", body.size),
		.channel = state->channel,
		.outgoing = true};

	text_put_world(json, arena, &event);
}

static const char *document(struct flow *flow, const struct text_choice *choice, const char *peer)
{
	const struct text_ask *state = flow_state(flow);
	const struct args *args = &state->args;
	bool bridge = strcmp(choice->provider, "baileys") == 0;
	struct str ours = bridge ? choice->bridge_number : args_get(args, "from");
	char uuid[CRYPTO_UUID_TEXT], from[TEXT_PEER_BYTES];
	struct json_writer json;
	struct buf buf;
	const char *text;

	crypto_uuid4(uuid);
	(void)text_peer_read(ours, "", from);
	buf_init(&buf, (size_t)256 << 10);
	json_begin(&json, &buf);
	json_open_object(&json);
	json_put_member_str(&json, "enterprise", str_from(state->key.enterprise));
	json_put_member_str(&json, "channel", str_from(state->channel));
	json_put_member_str(&json, "provider", str_from(choice->provider));
	json_put_name(&json, "other_provider");
	if (choice->other[0] != '\0')
		json_put_str(&json, str_from(choice->other));
	else
		json_put_null(&json);
	json_put_member_str(&json, "other_number", choice->bridge_number);
	json_put_member_str(&json, "our_number", str_from(from));
	json_put_member_str(&json, "peer", str_from(peer));
	json_put_member_str(&json, "body", body_of(args));
	json_put_member_str(&json, "type",
		has_template(args)	      ? STR("template")
		: args_has(args, "media_url") ? STR("media")
					      : STR("text"));
	json_put_member_str(&json, "key", str_from(key_of(flow, uuid)));
	put_media(&json, args);
	put_template(&json, args);
	put_event(flow, &json, peer, uuid, str_from(from));
	json_close_object(&json);
	text = arena_strndup(flow_arena(flow), buf.data, buf.size);
	buf_free(&buf);
	return text;
}

static const struct account *find_account(struct flow *flow, struct error *error)
{
	const struct hooks *hooks = flow_context(flow);
	const struct text_ask *state = flow_state(flow);
	const char *why_not = accounts_why_not(hooks->accounts);
	const struct account *account;

	if (why_not == NULL)
		why_not = schema_why_not(hooks->schema);
	if (why_not != NULL) {
		error_set(error, ERROR_BUSY, "%s", why_not);
		return NULL;
	}
	account = accounts_find_any(hooks->accounts, str_from(state->key.enterprise));
	if (account == NULL || !account->active) {
		error_set(error, ERROR_MISSING, "enterprise: not known");
		return NULL;
	}
	return account;
}

bool text_ask_read(
	struct flow *flow, struct text_ask *state, const char **json, struct error *error)
{
	const struct hooks *hooks = flow_context(flow);
	const struct account *account;
	struct text_choice choice;
	char peer[TEXT_PEER_BYTES];

	state->provider = "";
	if (http_request_header(flow, "Idempotency-Key").size > KEY_MAX_BYTES)
		return error_set(
			error, ERROR_INPUT, "Idempotency-Key: longer than %d bytes", KEY_MAX_BYTES);
	if (!read_args(flow, state, error))
		return false;
	account = find_account(flow, error);
	if (account == NULL || !text_choose(hooks, account, state->channel,
				       args_get(&state->args, "provider"), &choice, error))
		return false;
	state->provider = choice.provider;
	state->key.enterprise = arena_strdup(flow_arena(flow), account->number);
	flow_set_enterprise(flow, account->number);
	if (!check_peer(state, account, peer, error) || !check_body(state, error))
		return false;
	*json = document(flow, &choice, peer);
	return true;
}
