/*
 * admission: whose call is a stream, and may it have it?
 *
 * A proof first (P13): the one-time token that hooks gave for this very call, or Twilio's signature of the
 * handshake, which only the tokens of the call's enterprise can check, so it is looked up before. Then the
 * engine that the number asks for.
 */
#include "clock.h"
#include "json_put.h"
#include "media_ws.h"
#include "stream_token.h"
#include "twilio_signature.h"

enum {
	ADMIT_MS = BRIDGE_OPENING_MS - 500,
	REDIS_MS = 300,
	DOCUMENT_MAX_BYTES = 128 * 1024,
	DOCUMENT_MAX_DEPTH = 16,
};

struct admission {
	struct leg *leg; /* NULL: it does not matter any more */
	struct str call_sid, account_sid, token, mode;
	char nonce[STREAM_NONCE_BYTES];
	bool token_well;
	struct error error; /* of the token */
	struct redis_reply reply;
	struct pg_batch *batch;
};

static enum flow_status refuse(struct flow *flow, int code, enum refusal refusal, const char *words)
{
	struct admission *admission = flow_state(flow);
	struct bridge *bridge = &admission->leg->bridge;

	admission->leg->admission = NULL;
	admission->leg = NULL;
	bridge_event(bridge, &(struct bridge_event){.kind = BRIDGE_ON_REFUSED,
				     .code = code,
				     .refusal = refusal,
				     .words = words});
	return FLOW_END;
}

static enum flow_status admit(struct flow *flow, const struct engine_driver *driver)
{
	struct admission *admission = flow_state(flow);
	struct leg *leg = admission->leg;

	leg->admission = NULL;
	admission->leg = NULL;
	bridge_event(&leg->bridge,
		&(struct bridge_event){
			.kind = BRIDGE_ON_ADMITTED, .call = &leg->call, .driver = driver});
	return FLOW_END;
}

/* -- self-tests ------------------------------------------------------------------------------------ */

static bool is_test(const struct admission *admission)
{
	return admission->leg->media->settings->test_streams &&
	       (str_equal(admission->mode, STR("sink")) ||
		       str_equal(admission->mode, STR("echo")) ||
		       str_equal(admission->mode, STR("tone")));
}

static enum flow_status admit_test(struct flow *flow)
{
	struct admission *admission = flow_state(flow);
	struct leg *leg = admission->leg;

	leg->call = (struct engine_call){.call_sid = leg->bridge.call_sid,
		.enterprise = "",
		.our_number = "",
		.peer = "",
		.language = "en",
		.trace = leg->trace,
		.key = ""};
	return admit(flow, engine_driver_find(admission->mode));
}

/* -- the token --------------------------------------------------------------------------------------- */

/* Without one a stream is lost at once, unless its signature may help. */
static enum flow_status check_token(struct flow *flow)
{
	struct admission *admission = flow_state(flow);
	struct leg *leg = admission->leg;
	struct media_ws *media = leg->media;

	if (is_test(admission))
		return admit_test(flow);
	admission->token_well =
		stream_token_check(service_internal_secret(media->service), admission->token,
			admission->call_sid, clock_wall_ms(), admission->nonce, &admission->error);
	if (admission->token_well &&
		!nonces_use(media->nonces, str_from(admission->nonce), clock_monotonic_ms())) {
		admission->token_well = false;
		(void)error_set(&admission->error, ERROR_AUTH, "the token was used before");
	}
	if (!admission->token_well &&
		((media->proof & PROOF_TOKEN) != 0 || leg->signature[0] == '\0'))
		return refuse(flow, CLOSE_POLICY, REFUSED_TOKEN, admission->error.text);
	return FLOW_NEXT;
}

/* Other instances know it by Redis. When that is away: only one of them can have been told to take the
 * stream of a token at a time, and this one has seen it only once. */
static enum flow_status use_token(struct flow *flow)
{
	struct admission *admission = flow_state(flow);
	struct media_ws *media = admission->leg->media;
	char *key = arena_printf(flow_arena(flow), "callweave:stream:%s", admission->nonce);
	struct str *words = arena_array(flow_arena(flow), 6, sizeof(*words));

	if (!admission->token_well)
		return FLOW_NEXT;
	words[0] = STR("SET");
	words[1] = str_from(key);
	words[2] = STR("1");
	words[3] = STR("NX");
	words[4] = STR("EX");
	words[5] = STR("120"); /* NONCE_KEPT_MS */
	return await_redis(flow, media->redis,
		&(struct redis_command){.words = words, .count = 6, .timeout_ms = REDIS_MS},
		&admission->reply);
}

/* -- the call ---------------------------------------------------------------------------------------- */

enum {
	COLUMN_ENTERPRISE,
	COLUMN_OUR_NUMBER,
	COLUMN_PEER,
	COLUMN_LANGUAGE,
	COLUMN_ENGINE,
	COLUMN_DIALOGUE,
	COLUMN_TWILIO,
	COLUMN_VOICE,
	COLUMN_ACCOUNT,
	COLUMN_STATE
};

static const char call_sql[] =
	"SELECT v.enterprise_number, v.our_number, v.peer, v.language,"
	" coalesce(nullif(v.engine, ''), n.engine, 'builtin'), d.dialogue::text,"
	" integration_object(i.config -> 'twilio')::text, integration_object(i.config -> "
	"'voice')::text,"
	" v.account_sid, v.state"
	" FROM voice_calls v JOIN enterprises e ON e.number = v.enterprise_number"
	" CROSS JOIN LATERAL (SELECT integration_object(e.integrations_config) AS config) i"
	" LEFT JOIN hook_numbers n ON n.number = v.our_number"
	" LEFT JOIN voice_dialogues d ON d.enterprise_number = v.enterprise_number"
	"  AND d.name = coalesce(nullif(v.dialogue, ''), n.dialogue, 'main')"
	" WHERE v.call_sid = $1";

static enum flow_status read_call(struct flow *flow)
{
	struct admission *admission = flow_state(flow);
	struct pg_params *params = arena_alloc(flow_arena(flow), sizeof(*params));

	if (admission->token_well && admission->reply.ok &&
		admission->reply.items[0].data == NULL) {
		admission->token_well = false;
		(void)error_set(&admission->error, ERROR_AUTH, "the token was used elsewhere");
	}
	pg_put_str(params, flow_arena(flow), admission->call_sid);
	return await_pg_query(flow, admission->leg->media->pg, &admission->batch, call_sql, params);
}

static struct str column(const struct admission *admission, int at)
{
	return pg_text(admission->batch, 0, 0, at);
}

static struct json *document(struct str text)
{
	struct json_limits limits = {DOCUMENT_MAX_BYTES, DOCUMENT_MAX_DEPTH};
	struct error error;

	return text.size > 0 ? json_parse(text, limits, &error) : NULL;
}

static void add_tokens(struct twilio_tokens *tokens, const struct json *list)
{
	for (const struct json *at = json_first(list); at != NULL; at = json_next(at)) {
		if (tokens->count < TWILIO_MAX_TOKENS && json_text(at).size > 0)
			tokens->items[tokens->count++] = json_text(at);
	}
}

static void add_own_tokens(struct twilio_tokens *tokens, const char *list)
{
	struct str rest = str_from(list);

	while (rest.size > 0 && tokens->count < TWILIO_MAX_TOKENS)
		tokens->items[tokens->count++] = str_trim(str_cut(&rest, ','));
}

static bool signature_well(struct flow *flow, struct error *error)
{
	struct admission *admission = flow_state(flow);
	struct leg *leg = admission->leg;
	struct twilio_request request = {.url = str_from(leg->url),
		.websocket = true,
		.signature = str_from(leg->signature)};
	struct json *twilio = document(column(admission, COLUMN_TWILIO));
	struct twilio_tokens tokens = {.count = 0};
	bool well;

	if (twilio != NULL)
		add_tokens(&tokens, json_member(twilio, "auth_tokens"));
	if (tokens.count == 0)
		add_own_tokens(&tokens, leg->media->settings->auth_tokens.value);
	well = leg->signature[0] != '\0' &&
	       twilio_signature_check(&request, &tokens, flow_arena(flow), error);
	json_free(&twilio);
	return well;
}

/* Either is enough unless the settings ask for more. A signature that is there and wrong is said even so:
 * most likely PUBLIC_URL is. */
static bool proven(struct flow *flow, struct error *error)
{
	struct admission *admission = flow_state(flow);
	unsigned asked = admission->leg->media->proof;
	bool signed_well;

	(void)error_set(error, ERROR_AUTH, "not signed by Twilio");
	signed_well = signature_well(flow, error);
	if (!signed_well && admission->leg->signature[0] != '\0')
		log_warn(&admission->leg->bridge.log, "the handshake: %s", error->text);
	if ((asked & PROOF_SIGNATURE) != 0 && !signed_well)
		return false;
	if ((asked & PROOF_TOKEN) != 0 || (!signed_well && asked == 0)) {
		if (!admission->token_well)
			*error = admission->error;
		return admission->token_well;
	}
	return true;
}

/* -- the engine -------------------------------------------------------------------------------------- */

static const char *keep(struct leg *leg, const struct admission *admission, int at)
{
	struct str text = column(admission, at);

	return arena_strndup(leg->arena, text.data, text.size);
}

/* The two engines of one house may share what is said about it. */
static const struct json *engine_config(const struct json *voice, const char *engine)
{
	const struct json *own = json_member(voice, engine);

	if (own == NULL && (str_equal(str_from(engine), STR("openai-realtime")) ||
				   str_equal(str_from(engine), STR("pipeline"))))
		own = json_member(voice, "openai");
	return own;
}

static void fill_call(struct leg *leg, const struct admission *admission, const char *engine)
{
	struct str key;

	leg->dialogue = document(column(admission, COLUMN_DIALOGUE));
	leg->voice = document(column(admission, COLUMN_VOICE));
	leg->call = (struct engine_call){
		.call_sid = leg->bridge.call_sid,
		.enterprise = keep(leg, admission, COLUMN_ENTERPRISE),
		.our_number = keep(leg, admission, COLUMN_OUR_NUMBER),
		.peer = keep(leg, admission, COLUMN_PEER),
		.language = keep(leg, admission, COLUMN_LANGUAGE),
		.trace = leg->trace,
		.dialogue = leg->dialogue,
		.config = engine_config(leg->voice, engine),
	};
	key = json_text(json_member(leg->call.config, "key"));
	leg->call.key = arena_strndup(leg->arena, key.data, key.size);
	leg->bridge.recorded = true;
}

static enum flow_status decide(struct flow *flow)
{
	struct admission *admission = flow_state(flow);
	const struct engine_driver *driver;
	struct error error = {.kind = ERROR_NONE};
	struct str account;

	if (!pg_batch_ok(admission->batch, &error))
		return refuse(flow, CLOSE_BROKEN, REFUSED_UPSTREAM, error.text);
	if (pg_rows(admission->batch, 0) == 0)
		return refuse(flow, CLOSE_POLICY, REFUSED_UNKNOWN, "no such call");
	if (!proven(flow, &error))
		return refuse(flow, CLOSE_POLICY,
			str_equal(str_from(error.text), str_from(admission->error.text))
				? REFUSED_TOKEN
				: REFUSED_SIGNATURE,
			error.text);
	account = column(admission, COLUMN_ACCOUNT);
	if (account.size > 0 && !str_equal(account, admission->account_sid))
		return refuse(flow, CLOSE_POLICY, REFUSED_UNKNOWN, "a call of another account");
	if (str_equal(column(admission, COLUMN_STATE), STR("over")))
		return refuse(flow, CLOSE_POLICY, REFUSED_UNKNOWN, "the call is over");
	driver = engine_driver_find(column(admission, COLUMN_ENGINE));
	if (driver == NULL)
		return refuse(flow, CLOSE_POLICY, REFUSED_UNKNOWN, "no such engine");
	fill_call(admission->leg, admission, driver->name);
	return admit(flow, driver);
}

/* -- the flow ---------------------------------------------------------------------------------------- */

static const struct flow_step steps[] = {
	{"check_token", check_token},
	{"use_token", use_token},
	{"read_call", read_call},
	{"decide", decide},
	{NULL, NULL},
};

static void admission_over(struct flow *flow)
{
	struct admission *admission = flow_state(flow);

	if (admission->leg != NULL)
		(void)refuse(flow, CLOSE_BROKEN, REFUSED_UPSTREAM,
			"the call could not be looked up in time");
}

static const struct flow_spec admission_flow = {
	.name = "admission",
	.steps = steps,
	.finally = admission_over,
	.state_bytes = sizeof(struct admission),
	.deadline_ms = ADMIT_MS,
};

static struct str copy(struct flow *flow, struct str text)
{
	return str_of(arena_strndup(flow_arena(flow), text.data, text.size), text.size);
}

void admission_start(struct bridge *bridge, const struct media_message *start)
{
	struct leg *leg = leg_of(bridge);
	struct flow *flow = flow_start(leg->media->loop, &admission_flow, leg->media, &bridge->log);
	struct admission *admission = flow_state(flow);

	admission->leg = leg;
	admission->call_sid = copy(flow, start->call_sid);
	admission->account_sid = copy(flow, start->account_sid);
	admission->token = copy(flow, media_parameter(start, "token"));
	admission->mode = copy(flow, media_parameter(start, "mode"));
	leg->admission = flow;
}

void admission_stop(struct bridge *bridge)
{
	struct leg *leg = leg_of(bridge);
	struct flow *flow = leg->admission;

	if (flow == NULL)
		return;
	((struct admission *)flow_state(flow))->leg = NULL;
	leg->admission = NULL;
	flow_cancel(flow);
}
