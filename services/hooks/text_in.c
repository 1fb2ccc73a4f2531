/*
 * text_in: Twilio brings a text or a WhatsApp message: stored, then answered.
 *
 * The answer to an SMS is TwiML; to WhatsApp's own webhook it is 204, and what there is to say goes out
 * by the outbox.
 */
#include "sender.h"
#include "text_came.h"
#include "text_peer.h"
#include "text_room.h"
#include "texts.h"

#include "clock.h"
#include "twiml.h"
#include "uri.h"

#include <stdio.h>

const struct later_kind text_in_kind = {
	.name = "text_in",
	.sql = "SELECT message, replied FROM text_in($1::jsonb, $2::boolean)",
};

/* -- what came --------------------------------------------------------------------------------------- */

static struct str keep(struct arena *arena, struct str text)
{
	return str_of(
		arena_strndup(arena, text.data != NULL ? text.data : "", text.size), text.size);
}

static struct str indexed(const struct twilio_form *form, const char *name, unsigned index)
{
	char full[40];

	snprintf(full, sizeof(full), "%s%u", name, index);
	return twilio_form_get(form, full);
}

static void read_media(const struct twilio_form *form, struct text_came *came)
{
	int64_t count = 0;

	(void)str_to_int64(twilio_form_get(form, "NumMedia"), &count);
	while (came->media_count < TEXT_MAX_MEDIA && came->media_count < count) {
		unsigned at = came->media_count++;

		came->media[at].url = indexed(form, "MediaUrl", at);
		came->media[at].type = indexed(form, "MediaContentType", at);
	}
}

/* A place on the map has no body. */
static struct str read_body(const struct twilio_form *form, struct arena *arena)
{
	struct str body = twilio_form_get(form, "Body");
	struct str latitude = twilio_form_get(form, "Latitude");
	struct str longitude = twilio_form_get(form, "Longitude");
	char *place;

	if (body.size > 0 || latitude.size == 0)
		return keep(arena, body);
	place = arena_printf(arena, "📍 %.*s, %.*s", STR_ARG(latitude), STR_ARG(longitude));
	return str_from(place);
}

static struct text_rules rules_of(struct flow *flow, const struct hook_caller *caller)
{
	const struct hooks *hooks = flow_context(flow);
	const struct hook_number *number = caller->number;

	return (struct text_rules){
		.menu = number != NULL ? hook_number_menu(hooks, number) : NULL,
		.language = number != NULL ? number->language : "en",
		.own_confirmation = number != NULL && number->own_confirmation,
		.opt_out_type = twilio_form_get(&caller->form, "OptOutType"),
	};
}

static void read_numbers(
	const struct hook_caller *caller, struct arena *arena, struct text_came *came)
{
	char ours[TEXT_PEER_BYTES];

	(void)text_peer_read(twilio_form_get(&caller->form, "To"), "", ours);
	came->our_number =
		arena_strdup(arena, caller->number != NULL ? caller->number->number : ours);
	came->line = caller->number != NULL && caller->number->line[0] != '\0'
			     ? arena_strdup(arena, caller->number->line)
			     : came->our_number;
}

/* False with words: nobody whom it could be stored for, or from. */
static bool read_text(struct flow *flow, const struct hook_caller *caller, struct text_came *came,
	struct error *error)
{
	const struct twilio_form *form = &caller->form;
	struct arena *arena = flow_arena(flow);
	struct str from = twilio_form_get(form, "From");
	char peer[TEXT_PEER_BYTES];

	if (caller->enterprise[0] == '\0')
		return error_set(error, ERROR_MISSING, "To: no enterprise has this number");
	if (caller->sid.size == 0)
		return error_set(error, ERROR_INPUT, "MessageSid: missing");
	if (text_peer_read(from, caller->account != NULL ? caller->account->country : "", peer) ==
		TEXT_PEER_WRONG)
		return error_set(error, ERROR_INPUT, "From: not a number");
	came->enterprise = caller->enterprise;
	came->channel = text_channel(from);
	came->provider = "twilio";
	came->peer = arena_strdup(arena, peer);
	came->provider_id = keep(arena, caller->sid);
	came->title = twilio_form_get(form, "ProfileName");
	came->body = read_body(form, arena);
	came->at_ms = clock_wall_ms();
	came->trace = http_request(flow)->trace;
	read_numbers(caller, arena, came);
	read_media(form, came);
	return true;
}

static enum flow_status store(
	struct flow *flow, const struct hook_caller *caller, struct text_in *text)
{
	struct text_came came = {.twiml = text->twiml};
	struct text_rules rules = rules_of(flow, caller);
	struct error error;

	if (!read_text(flow, caller, &came, &error)) {
		log_warn(flow_log(flow), "a text is not taken: %s", error.text);
		return flow_fail_error(flow, &error);
	}
	text_came_decide(&came, &rules);
	text->reply = keep(flow_arena(flow), came.reply);
	text->sid = came.provider_id;
	text->store = (struct later_store){
		.kind = &text_in_kind, .json = text_came_document(&came, flow_arena(flow))};
	return await_later(flow, &text->store);
}

enum flow_status await_text_in(
	struct flow *flow, const struct hook_caller *caller, struct text_in *text)
{
	text->twiml = true;
	return store(flow, caller, text);
}

/* -- the answer -------------------------------------------------------------------------------------- */

/* The status of our answer comes back with the id of what it answers. */
static void put_status_url(struct flow *flow, const struct text_in *text, struct buf *to)
{
	hook_url(flow, "/webhook/message_status?answers=", to);
	uri_encode(to, text->sid);
}

static enum flow_status reply_twiml(struct flow *flow, const struct text_in *text, bool speaks)
{
	struct twiml twiml;
	struct buf xml, url;
	enum flow_status next;

	buf_init(&xml, TWIML_MAX_BYTES);
	buf_init(&url, 2048);
	twiml_begin(&twiml, &xml);
	if (speaks) {
		put_status_url(flow, text, &url);
		twiml_open(&twiml, "Message");
		twiml_attribute(&twiml, "statusCallback", buf_str(&url));
		twiml_text(&twiml, text->reply);
		twiml_close(&twiml);
	}
	twiml_end(&twiml);
	next = hook_reply_twiml(flow, &xml);
	buf_free(&xml);
	buf_free(&url);
	return next;
}

enum flow_status text_in_reply(struct flow *flow, struct text_in *text)
{
	const struct hooks *hooks = flow_context(flow);
	const struct pg_batch *batch = text->store.batch;
	bool replied = batch != NULL && pg_rows(batch, 0) > 0 && pg_bool(batch, 0, 0, 1);

	if (!text->store.stored)
		return flow_fail_error(flow, &text->store.error);
	if (batch != NULL) {
		world_wake(hooks);
		sender_wake(hooks->sender);
	}
	/* Out of the journal an answer goes by the outbox: only PostgreSQL knows who wrote STOP. */
	return text->twiml ? reply_twiml(flow, text, replied && text->reply.size > 0)
			   : hook_reply_nothing(flow);
}

/* -- /webhook/sms, /webhook/whatsapp/twilio ---------------------------------------------------------- */

struct text_state {
	struct hook_caller caller;
	struct text_in text;
};

static enum flow_status take(struct flow *flow, bool twiml)
{
	struct text_state *state = flow_state(flow);
	struct error error;

	if (!hook_caller_read(flow, &state->caller, &error)) {
		(void)hook_refuse(flow, &error);
		return FLOW_END;
	}
	state->text.twiml = twiml;
	return store(flow, &state->caller, &state->text);
}

static enum flow_status take_sms(struct flow *flow)
{
	return take(flow, true);
}

static enum flow_status take_chat(struct flow *flow)
{
	return take(flow, false);
}

static enum flow_status answer(struct flow *flow)
{
	struct text_state *state = flow_state(flow);

	return text_in_reply(flow, &state->text);
}

static const struct flow_step sms_steps[] = {
	{"take", take_sms},
	{"answer", answer},
	{NULL, NULL},
};

static const struct flow_step chat_steps[] = {
	{"take", take_chat},
	{"answer", answer},
	{NULL, NULL},
};

const struct flow_spec text_sms_flow = {
	.name = "sms",
	.steps = sms_steps,
	.state_bytes = sizeof(struct text_state),
	.arena_max_bytes = TEXT_ARENA_BYTES,
	.deadline_ms = TEXT_DEADLINE_MS,
};

const struct flow_spec text_chat_flow = {
	.name = "whatsapp",
	.steps = chat_steps,
	.state_bytes = sizeof(struct text_state),
	.arena_max_bytes = TEXT_ARENA_BYTES,
	.deadline_ms = TEXT_DEADLINE_MS,
};
