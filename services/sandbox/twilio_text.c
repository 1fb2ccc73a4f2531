/*
 * twilio_text: a person texts one of our numbers: the webhook, and the answer's replies.
 *
 * Twilio keeps STOP itself: it confirms, blocks what follows, and the webhook comes all the same.
 */
#include "twilio_hook.h"
#include "twilio_message.h"
#include "twilio_schema.h"

#include "uri.h"

enum { TEXT_TAKE, TEXT_ASK, TEXT_READ };

struct text_input {
	struct str from, to, body, profile_name, opt_out_type;
	struct json_strings media;
	int64_t age_ms;
	bool silent; /* it lies in the past: nobody is asked */
};

static const struct json_field text_fields[] = {
	JSON_FIELD(struct text_input, from, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct text_input, to, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct text_input, body, JSON_STRING, 0),
	JSON_FIELD(struct text_input, profile_name, JSON_STRING, 0),
	JSON_FIELD(struct text_input, opt_out_type, JSON_STRING, 0),
	JSON_FIELD(struct text_input, media, JSON_STRINGS, 0),
	JSON_FIELD(struct text_input, age_ms, JSON_INT64, 0),
	JSON_FIELD(struct text_input, silent, JSON_BOOL, 0),
	{NULL},
};

struct text {
	struct text_input input;
	struct twilio_hook hook;
	char sid[TWILIO_SID_BYTES];
	const char *account_sid;
	const char *replies[32]; /* sids */
	unsigned reply_count, redirects;
	int64_t resets;
};

static struct twilio *twilio_of(struct flow *flow)
{
	return sandbox_twilio(flow_context(flow));
}

/* -- what goes back ------------------------------------------------------------------------------------- */

static void reply(struct flow *flow, struct str body, struct str media, unsigned media_count,
	struct str status_callback)
{
	struct text *text = flow_state(flow);
	struct twilio *twilio = twilio_of(flow);
	struct twilio_draft draft = {
		.account_sid = str_from(text->account_sid),
		.from = text->input.to,
		.to = text->input.from,
		.body = body,
		.media = media,
		.media_count = media_count,
		.status_callback = status_callback,
		.direction = "outbound-reply",
	};
	struct twilio_refusal refusal = twilio_message_check(twilio, &draft);
	struct twilio_message *message;

	if (refusal.code != 0) {
		twilio_alert(twilio, refusal.code, (struct twilio_place){text->sid, text->hook.url},
			"%s", refusal.words);
		return;
	}
	message = twilio_message_add(twilio, &draft);
	if (text->reply_count < sizeof(text->replies) / sizeof(text->replies[0]))
		text->replies[text->reply_count++] = arena_strdup(flow_arena(flow), message->sid);
	twilio_message_carry(twilio, message);
}

/* Twilio's own words. They go out whatever was blocked. */
static void confirm_keyword(struct flow *flow, enum twilio_keyword keyword)
{
	static const char *const words[] = {
		[KEYWORD_STOP] =
			"You have successfully been unsubscribed. You will not receive any "
			"more messages from this number. Reply START to resubscribe.",
		[KEYWORD_START] =
			"You have successfully been re-subscribed to messages from this "
			"number. Reply HELP for help. Reply STOP to unsubscribe. Msg&Data "
			"Rates May Apply.",
		[KEYWORD_HELP] = "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
	};
	struct text *text = flow_state(flow);
	struct twilio_draft draft = {
		.account_sid = str_from(text->account_sid),
		.from = text->input.to,
		.to = text->input.from,
		.body = str_from(words[keyword]),
		.direction = "outbound-reply",
	};

	twilio_message_carry(twilio_of(flow), twilio_message_add(twilio_of(flow), &draft));
}

/* -- the request ------------------------------------------------------------------------------------------ */

static void fill(struct flow *flow, struct text *text)
{
	struct arena *arena = flow_arena(flow);
	struct twilio_form *form = &text->hook.form;
	const struct text_input *input = &text->input;

	twilio_form_put(form, arena, "ToCountry", STR("US"));
	twilio_form_put_text(form, arena, "SmsMessageSid", text->sid);
	twilio_form_put_int(form, arena, "NumMedia", (int64_t)input->media.count);
	twilio_form_put_text(form, arena, "SmsSid", text->sid);
	twilio_form_put(form, arena, "SmsStatus", STR("received"));
	twilio_form_put(form, arena, "Body", input->body);
	twilio_form_put(form, arena, "To", input->to);
	twilio_form_put_int(form, arena, "NumSegments", 1);
	twilio_form_put_text(form, arena, "MessageSid", text->sid);
	twilio_form_put_text(form, arena, "AccountSid", text->account_sid);
	twilio_form_put(form, arena, "From", input->from);
	twilio_form_put(form, arena, "ApiVersion", STR("2010-04-01"));
	if (input->opt_out_type.size > 0)
		twilio_form_put(form, arena, "OptOutType", input->opt_out_type);
	for (size_t i = 0; i < input->media.count; i++) {
		twilio_form_put(form, arena, arena_printf(arena, "MediaContentType%zu", i),
			STR("image/jpeg"));
		twilio_form_put(
			form, arena, arena_printf(arena, "MediaUrl%zu", i), input->media.items[i]);
	}
	if (twilio_is_whatsapp(input->from)) {
		struct str bare = twilio_bare(input->from);
		twilio_form_put(form, arena, "ProfileName", input->profile_name);
		twilio_form_put(form, arena, "WaId", str_of(bare.data + 1, bare.size - 1));
	}
}

static struct str join_lines(struct flow *flow, const struct json_strings *lines)
{
	const char *joined = "";

	for (size_t i = 0; i < lines->count; i++)
		joined = arena_printf(flow_arena(flow), "%s%s%.*s", joined, i > 0 ? "\n" : "",
			STR_ARG(lines->items[i]));
	return str_from(joined);
}

static void store(struct flow *flow, struct text *text)
{
	struct twilio *twilio = twilio_of(flow);
	enum twilio_keyword keyword = twilio_keyword_of(text->input.body);
	const struct twilio_number *number =
		twilio_number_find(twilio, twilio_bare(text->input.to));
	const struct twilio_message *message =
		twilio_message_add(twilio, &(struct twilio_draft){
						   .account_sid = str_from(number->account_sid),
						   .from = text->input.from,
						   .to = text->input.to,
						   .body = text->input.body,
						   .media = join_lines(flow, &text->input.media),
						   .media_count = (unsigned)text->input.media.count,
						   .direction = "inbound",
						   .age_ms = text->input.age_ms,
					   });

	str_copy(text->sid, sizeof(text->sid), str_from(message->sid));
	text->account_sid = arena_strdup(flow_arena(flow), number->account_sid);
	if (keyword != KEYWORD_NONE && !number->no_opt_out && !twilio_is_whatsapp(text->input.to) &&
		!text->input.silent)
		confirm_keyword(flow, keyword);
}

static enum flow_status answer(struct flow *flow);

static enum flow_status text_take(struct flow *flow)
{
	struct text *text = flow_state(flow);
	struct twilio *twilio = twilio_of(flow);
	const struct twilio_number *number;
	struct error error;
	bool whatsapp;

	if (!admin_read_body(flow, text_fields, &text->input, &error))
		return flow_fail_error(flow, &error);
	whatsapp = twilio_is_whatsapp(text->input.to);
	number = twilio_number_find(twilio, twilio_bare(text->input.to));
	if (number == NULL || whatsapp != twilio_is_whatsapp(text->input.from))
		return flow_fail(flow, ERROR_MISSING, "to: no such number, or another channel");
	text->hook = (struct twilio_hook){.kind = HOOK_TWIML, .method = "POST"};
	text->hook.url =
		arena_strdup(flow_arena(flow), whatsapp ? number->whatsapp_url : number->sms_url);
	store(flow, text);
	text->resets = twilio->sandbox->resets;
	if (text->input.silent || text->hook.url[0] == '\0')
		return answer(flow);
	text->hook.account_sid = text->account_sid;
	text->hook.resource = text->sid;
	fill(flow, text);
	return FLOW_NEXT;
}

static enum flow_status text_ask(struct flow *flow)
{
	return await_twilio_hook(flow, twilio_of(flow), &((struct text *)flow_state(flow))->hook);
}

/* -- the answer --------------------------------------------------------------------------------------------- */

static void send_message(struct flow *flow, const struct xml_node *message)
{
	const struct text *text = flow_state(flow);
	struct str body = str_trim(message->text), media = {0};
	struct str callback = xml_get(message, "statusCallback");
	const char *url = NULL;
	unsigned count = 0;

	for (const struct xml_node *at = message->first; at != NULL; at = at->next) {
		if (xml_is(at, "Body")) {
			body = str_trim(at->text);
		} else if (xml_is(at, "Media")) {
			struct str one = str_trim(at->text);
			media = str_from(arena_printf(flow_arena(flow), "%.*s%s%.*s",
				STR_ARG(media), count++ > 0 ? "\n" : "", STR_ARG(one)));
		}
	}
	if (callback.size > 0)
		url = twilio_resolve(flow_arena(flow), text->hook.url, callback);
	reply(flow, body, media, count, str_from(url));
}

/* True: it redirects. */
static bool execute(struct flow *flow, const struct xml_node *root)
{
	struct text *text = flow_state(flow);

	for (const struct xml_node *at = root->first; at != NULL; at = at->next) {
		if (!schema_knows(at, SCHEMA_TEXT))
			continue;
		if (xml_is(at, "Message")) {
			send_message(flow, at);
			continue;
		}
		text->hook.url = twilio_resolve(flow_arena(flow), text->hook.url, at->text);
		text->hook.method = str_equal(xml_get(at, "method"), STR("GET")) ? "GET" : "POST";
		return text->hook.url != NULL && text->redirects++ < TWILIO_MAX_HOPS;
	}
	return false;
}

static bool read_document(struct flow *flow)
{
	struct text *text = flow_state(flow);
	struct twilio *twilio = twilio_of(flow);
	struct schema_faults faults = {0};
	struct error error;
	struct xml_node *root = xml_read(text->hook.body, flow_arena(flow), &error);

	if (root == NULL || !xml_is(root, "Response")) {
		text->hook.code = 12100;
		twilio_alert(twilio, 12100, (struct twilio_place){text->sid, text->hook.url},
			"Document parse failure: %s",
			root == NULL ? error.text : "the root is not <Response>");
		return false;
	}
	schema_check(root, SCHEMA_TEXT, flow_arena(flow), &faults);
	for (unsigned i = 0; i < faults.count; i++)
		twilio_alert(twilio, 12200, (struct twilio_place){text->sid, text->hook.url},
			"Schema validation warning: %s", faults.words[i]);
	return execute(flow, root);
}

static enum flow_status text_read(struct flow *flow)
{
	struct text *text = flow_state(flow);
	struct twilio *twilio = twilio_of(flow);

	if (text->resets != twilio->sandbox->resets)
		return flow_fail(flow, ERROR_CONFLICT, "the sandbox was reset meanwhile");
	if (twilio_hook_follow(flow, twilio, &text->hook))
		return flow_goto(flow, TEXT_ASK);
	/* No reply is a good answer to a text, unlike to a call. */
	if (text->hook.answer.status == 204)
		text->hook.kind = HOOK_CALLBACK;
	twilio_hook_read(flow, twilio, &text->hook);
	text->hook.kind = HOOK_TWIML;
	if (text->hook.code != 0 || text->hook.empty)
		return answer(flow);
	if (str_equal_nocase(text->hook.type, STR("text/plain")))
		reply(flow, text->hook.body, (struct str){0}, 0, (struct str){0});
	else if (read_document(flow))
		return flow_goto(flow, TEXT_ASK);
	return answer(flow);
}

static void put_replies(struct flow *flow, struct json_writer *writer)
{
	const struct text *text = flow_state(flow);

	json_put_name(writer, "replies");
	json_open_array(writer);
	for (unsigned i = 0; i < text->reply_count; i++) {
		const struct twilio_message *message =
			twilio_message_find(twilio_of(flow), str_from(text->replies[i]));
		if (message != NULL)
			json_put_str(writer, str_from(message->body));
	}
	json_close_array(writer);
}

static enum flow_status answer(struct flow *flow)
{
	const struct text *text = flow_state(flow);
	enum flow_status status;
	struct json_writer writer;
	struct buf json;

	buf_init(&json, 1u << 20);
	json_begin(&writer, &json);
	json_open_object(&writer);
	json_put_member_str(&writer, "message_sid", str_from(text->sid));
	json_put_member_int(&writer, "status", text->hook.answer.status);
	json_put_member_int(&writer, "code", text->hook.code);
	put_replies(flow, &writer);
	json_close_object(&writer);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

const struct flow_spec twilio_text_flow = {
	.name = "twilio_text",
	.steps =
		(const struct flow_step[]){
			[TEXT_TAKE] = {"take", text_take},
			[TEXT_ASK] = {"ask", text_ask},
			[TEXT_READ] = {"read", text_read},
			{NULL, NULL},
		},
	.state_bytes = sizeof(struct text),
	.arena_max_bytes = 8u << 20,
	.deadline_ms = 180000,
};

/* -- the list ----------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct twilio_message *message, struct str number, struct str sid)
{
	return (number.size == 0 || str_equal(number, twilio_bare(str_from(message->from))) ||
		       str_equal(number, twilio_bare(str_from(message->to)))) &&
	       (sid.size == 0 || str_equal(sid, str_from(message->sid)));
}

static enum flow_status list_texts(struct flow *flow)
{
	struct str query = http_request(flow)->query, number = {0}, sid = {0};
	const struct twilio_message *at;
	struct json_writer writer;
	enum flow_status status;
	struct buf json;

	(void)uri_query_value(query, "number", flow_arena(flow), &number);
	(void)uri_query_value(query, "sid", flow_arena(flow), &sid);
	buf_init(&json, 64u << 20);
	json_begin(&writer, &json);
	json_open_array(&writer);
	TAILQ_FOREACH(at, &twilio_of(flow)->messages, link)
	{
		if (is_wanted(at, number, sid))
			twilio_message_write_ours(at, &writer);
	}
	json_close_array(&writer);
	status = json.failed ? flow_fail(flow, ERROR_BUSY, "too many messages for one list")
			     : http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

const struct flow_spec twilio_texts_flow = {
	.name = "twilio_texts",
	.steps = (const struct flow_step[]){{"list", list_texts}, {NULL, NULL}},
	.arena_max_bytes = 16u << 20,
	.deadline_ms = 30000,
};
