/*
 * twilio_document: one TwiML document: asked for, read, and run verb by verb. Each is a flow of its own;
 * what follows a document is the next one's.
 */
#include "twilio_document.h"
#include "twilio_schema.h"

#include <stdio.h>

enum {
	DOCUMENT_READY,
	DOCUMENT_ASK,
	DOCUMENT_READ,
	DOCUMENT_NEXT,
	DOCUMENT_FETCH,
	DOCUMENT_FETCHED,
	DOCUMENT_BEGIN,
	DOCUMENT_RUN,
	DOCUMENT_AFTER,
};

struct document {
	struct twilio_call *call;
	struct twilio_hook hook, media;
	const char *twiml; /* given by REST; NULL: it is asked for */
	const struct xml_node *at, *sounding;
	struct call_sound *sounds;
	int failed_code;     /* why the fallback is asked */
	bool fallback, last; /* last: the call is over, nothing of the answer is done */
};

static struct document *document_of(struct flow *flow)
{
	return flow_state(flow);
}

/* -- asking ------------------------------------------------------------------------------------------------- */

static enum flow_status ready(struct flow *flow)
{
	struct document *document = document_of(flow);
	struct twilio_call *call = document->call;

	document->last = call_is_over(call);
	if (call->outbound && call->answered_ms == 0 && !document->last) {
		(void)flow_goto(flow, DOCUMENT_READY);
		return await_queue(flow, &call->woken);
	}
	return document->twiml != NULL ? flow_goto(flow, DOCUMENT_READ) : FLOW_NEXT;
}

static enum flow_status ask(struct flow *flow)
{
	struct document *document = document_of(flow);
	struct twilio_hook *hook = &document->hook;
	struct twilio_form more = hook->form;

	hook->form = (struct twilio_form){0};
	call_fields(document->call, flow_arena(flow), &hook->form);
	for (size_t i = 0; i < more.count; i++)
		twilio_form_put(&hook->form, flow_arena(flow), more.fields[i].name.data,
			more.fields[i].value);
	if (document->failed_code != 0) {
		twilio_form_put_int(
			&hook->form, flow_arena(flow), "ErrorCode", document->failed_code);
		document->failed_code = 0;
	}
	call_note(document->call, "ask", "%s %s", hook->method, hook->url);
	return await_twilio_hook(flow, document->call->twilio, hook);
}

/* -- reading ------------------------------------------------------------------------------------------------- */

/* A bad answer to a call: the number's fallback is asked, once; then the caller hears an error. */
static enum flow_status fail(struct flow *flow, int code)
{
	struct document *document = document_of(flow);
	struct twilio_call *call = document->call;
	const struct twilio_number *number =
		twilio_number_find(call->twilio, str_from(call->outbound ? call->from : call->to));

	if (document->last)
		return FLOW_END;
	if (document->fallback || number == NULL || number->voice_fallback_url[0] == '\0') {
		call_note(call, "error", "%d: an application error has occurred", code);
		call_end(call, call->answered_ms == 0 ? CALL_FAILED : CALL_COMPLETED);
		return FLOW_END;
	}
	document->fallback = true;
	document->failed_code = code;
	document->twiml = NULL;
	document->hook.method = "POST";
	document->hook.hops = 0;
	document->hook.url = arena_strdup(flow_arena(flow), number->voice_fallback_url);
	document->hook.form = (struct twilio_form){0};
	return flow_goto(flow, DOCUMENT_ASK);
}

static const char *url_of(const struct document *document)
{
	return document->twiml != NULL ? NULL : document->hook.url;
}

/* text/plain is read to the caller. */
static struct xml_node *as_words(struct flow *flow, struct str text)
{
	struct xml_node *root = arena_alloc(flow_arena(flow), sizeof(*root));
	struct xml_node *say = arena_alloc(flow_arena(flow), sizeof(*say));

	*say = (struct xml_node){.name = STR("Say"), .text = text, .parent = root};
	*root = (struct xml_node){.name = STR("Response"), .first = say, .last = say};
	return root;
}

static const struct xml_node *parse(struct flow *flow)
{
	struct document *document = document_of(flow);
	struct twilio *twilio = document->call->twilio;
	struct str text = document->twiml != NULL ? str_from(document->twiml) : document->hook.body;
	struct schema_faults faults = {0};
	struct xml_node *root;
	struct error error;

	if (document->twiml == NULL && str_equal_nocase(document->hook.type, STR("text/plain")))
		return as_words(flow, text);
	root = xml_read(text, flow_arena(flow), &error);
	if (root == NULL || !xml_is(root, "Response")) {
		twilio_alert(twilio, 12100,
			(struct twilio_place){document->call->sid, document->hook.url},
			"Document parse failure: %s",
			root == NULL ? error.text : "the root is not <Response>");
		return NULL;
	}
	schema_check(root, SCHEMA_VOICE, flow_arena(flow), &faults);
	for (unsigned i = 0; i < faults.count; i++)
		twilio_alert(twilio, 12200,
			(struct twilio_place){document->call->sid, document->hook.url},
			"Schema validation warning: %s", faults.words[i]);
	return root;
}

static enum flow_status read_answer(struct flow *flow)
{
	struct document *document = document_of(flow);
	struct twilio_call *call = document->call;
	const struct xml_node *root;

	if (document->twiml == NULL) {
		if (twilio_hook_follow(flow, call->twilio, &document->hook))
			return flow_goto(flow, DOCUMENT_ASK);
		twilio_hook_read(flow, call->twilio, &document->hook);
		call_note(call, "answer", "%d", document->hook.answer.status);
		if (document->hook.code != 0)
			return fail(flow, document->hook.code);
	}
	root = parse(flow);
	if (root == NULL)
		return fail(flow, 12100);
	document->at = root->first;
	return document->last || call_is_over(call) ? FLOW_END : FLOW_NEXT;
}

/* -- running ------------------------------------------------------------------------------------------------- */

static enum flow_status next_verb(struct flow *flow)
{
	struct document *document = document_of(flow);

	while (document->at != NULL && (!schema_knows(document->at, SCHEMA_VOICE) ||
					       call_verb_find(document->at) == NULL)) {
		call_note(document->call, "skipped", "%.*s", STR_ARG(document->at->name));
		document->at = document->at->next;
	}
	if (document->at == NULL) {
		call_end(document->call, CALL_COMPLETED);
		return FLOW_END;
	}
	document->sounding = NULL;
	return FLOW_NEXT;
}

/* The verb's own <Play>, or the next one inside of it. */
static const struct xml_node *next_sound(const struct document *document)
{
	const struct xml_node *at = document->sounding;

	if (at == document->at || (at != NULL && at->next == NULL))
		return NULL;
	at = at != NULL			   ? at->next
	     : document->at->first != NULL ? document->at->first
					   : document->at;
	while (at != NULL && (!xml_is(at, "Play") || str_trim(at->text).size == 0))
		at = at == document->at ? NULL : at->next;
	return at;
}

static enum flow_status fetch_sound(struct flow *flow)
{
	struct document *document = document_of(flow);
	const struct xml_node *node = next_sound(document);
	struct str url;

	if (call_is_over(document->call))
		return FLOW_END;
	if (node == NULL)
		return flow_goto(flow, DOCUMENT_BEGIN);
	document->sounding = node;
	url = str_trim(node->text);
	document->media = (struct twilio_hook){
		.kind = HOOK_MEDIA,
		.method = "GET",
		.url = twilio_resolve(flow_arena(flow), url_of(document), url),
		.account_sid = document->call->account_sid,
		.resource = document->call->sid,
	};
	if (document->media.url != NULL)
		return await_twilio_hook(flow, document->call->twilio, &document->media);
	twilio_alert(document->call->twilio, 11100, (struct twilio_place){document->call->sid, ""},
		"Invalid URL format: <Play>%.*s", STR_ARG(url));
	return flow_goto(flow, DOCUMENT_FETCH);
}

/* A sound that cannot be had ends the call at Twilio, too; MP3 is not read here and murmurs. */
static enum flow_status take_sound(struct flow *flow)
{
	struct document *document = document_of(flow);
	struct call_sound *sound = arena_alloc(flow_arena(flow), sizeof(*sound));
	struct error error;
	struct buf mulaw;

	if (call_is_over(document->call))
		return FLOW_END;
	if (twilio_hook_follow(flow, document->call->twilio, &document->media)) {
		(void)flow_goto(flow, DOCUMENT_FETCHED);
		return await_twilio_hook(flow, document->call->twilio, &document->media);
	}
	twilio_hook_read(flow, document->call->twilio, &document->media);
	if (document->media.code != 0)
		return fail(flow, document->media.code);
	buf_init(&mulaw, TWILIO_MAX_MEDIA);
	if (audio_read(document->media.body, document->media.type, &mulaw, &error)) {
		sound->mulaw = (const uint8_t *)arena_strndup(
			flow_arena(flow), mulaw.size > 0 ? mulaw.data : "", mulaw.size);
		sound->bytes = mulaw.size;
	} else {
		call_note(document->call, "unread", "%s", error.text);
		sound->bytes = document->media.body.size / 2;
	}
	buf_free(&mulaw);
	sound->node = document->sounding;
	sound->next = document->sounds;
	document->sounds = sound;
	return flow_goto(flow, DOCUMENT_FETCH);
}

static enum flow_status begin_verb(struct flow *flow)
{
	struct document *document = document_of(flow);
	struct twilio_call *call = document->call;
	const struct call_verb *verb = call_verb_find(document->at);
	struct call_run run = {
		.arena = flow_arena(flow),
		.node = document->at,
		.base = url_of(document),
		.method = document->hook.method,
		.first = call->answered_ms == 0,
		.sounds = document->sounds,
	};

	if (!xml_is(document->at, "Reject"))
		call_answer(call);
	call_note(call, "verb", "%s", verb->name);
	call->verb_state =
		verb->state_bytes > 0 ? arena_alloc(flow_arena(flow), verb->state_bytes) : NULL;
	call->after = (struct call_after){.kind = AFTER_NEXT};
	call->verb_over = false;
	call->verb = verb;
	verb->begin(call, &run);
	return FLOW_NEXT;
}

static enum flow_status run_verb(struct flow *flow)
{
	struct twilio_call *call = document_of(flow)->call;

	if (call->verb_over)
		return FLOW_NEXT;
	(void)flow_goto(flow, DOCUMENT_RUN);
	return await_queue(flow, &call->woken);
}

static enum flow_status after_verb(struct flow *flow)
{
	struct document *document = document_of(flow);
	struct twilio_call *call = document->call;
	struct call_after after = call->after;

	call->verb = NULL;
	call->verb_state = NULL;
	switch (after.kind) {
	case AFTER_DOCUMENT:
		call->document = NULL; /* this one ends; it must not be cancelled by the next */
		document_start(call, after.url, after.method, NULL, &after.form);
		return FLOW_END;
	case AFTER_HANGUP:
		call_end(call, CALL_COMPLETED);
		return FLOW_END;
	case AFTER_NEXT:
		break;
	}
	if (call_is_over(call))
		return FLOW_END;
	document->at = document->at->next;
	return flow_goto(flow, DOCUMENT_NEXT);
}

static void document_finally(struct flow *flow)
{
	struct document *document = document_of(flow);
	struct twilio_call *call = document->call;

	if (call->document != flow)
		return;
	/* It was cancelled, or broke: what ran on its memory stops with it. */
	if (call->verb != NULL)
		call_verb_stop(call);
	call->verb_state = NULL;
	call->document = NULL;
	if (flow_error(flow) != NULL && !call_is_over(call) && !call->twilio->sandbox->draining)
		call_note(call, "error", "%s", flow_error(flow)->text);
}

static const struct flow_spec document_flow = {
	.name = "twilio_document",
	.steps =
		(const struct flow_step[]){
			[DOCUMENT_READY] = {"ready", ready},
			[DOCUMENT_ASK] = {"ask", ask},
			[DOCUMENT_READ] = {"read", read_answer},
			[DOCUMENT_NEXT] = {"next", next_verb},
			[DOCUMENT_FETCH] = {"fetch", fetch_sound},
			[DOCUMENT_FETCHED] = {"fetched", take_sound},
			[DOCUMENT_BEGIN] = {"begin", begin_verb},
			[DOCUMENT_RUN] = {"run", run_verb},
			[DOCUMENT_AFTER] = {"after", after_verb},
			{NULL, NULL},
		},
	.finally = document_finally,
	.state_bytes = sizeof(struct document),
	.arena_max_bytes = 64u << 20, /* sounds */
	.deadline_ms = FLOW_FOREVER,  /* the call's own end is its deadline */
};

void document_start(struct twilio_call *call, const char *url, const char *method,
	const char *twiml, const struct twilio_form *form)
{
	struct sandbox *sandbox = call->twilio->sandbox;
	struct document *document;
	struct arena *arena;

	if (call->document != NULL)
		flow_cancel(call->document);
	if (++call->documents > CALL_MAX_DOCUMENTS) {
		call_note(call, "error", "%d documents are the most", CALL_MAX_DOCUMENTS);
		call_end(call, CALL_FAILED);
		return;
	}
	call->document = flow_start(service_loop(sandbox->service), &document_flow, sandbox,
		service_log(sandbox->service));
	arena = flow_arena(call->document);
	document = flow_state(call->document);
	document->call = call;
	document->twiml = twiml != NULL ? arena_strdup(arena, twiml) : NULL;
	document->hook = (struct twilio_hook){
		.kind = HOOK_TWIML,
		.method = method != NULL && strcmp(method, "GET") == 0 ? "GET" : "POST",
		.url = arena_strdup(arena, url != NULL ? url : ""),
		.account_sid = call->account_sid,
		.resource = call->sid,
	};
	for (size_t i = 0; form != NULL && i < form->count; i++)
		twilio_form_put(&document->hook.form, arena, form->fields[i].name.data,
			form->fields[i].value);
}

/* -- for verbs ------------------------------------------------------------------------------------------------- */

void document_action(struct twilio_call *call, const struct call_run *run, bool fallback)
{
	struct str action = str_trim(xml_get(run->node, "action"));
	struct str method = xml_get(run->node, "method");

	call->after = (struct call_after){.kind = AFTER_NEXT};
	if (action.size == 0 && !fallback)
		return;
	call->after.method = str_equal(method, STR("GET")) ? "GET" : "POST";
	call->after.url = twilio_resolve(run->arena, run->base, action);
	call->after.kind = AFTER_DOCUMENT;
	if (call->after.url != NULL)
		return;
	twilio_alert(call->twilio, 11100, (struct twilio_place){call->sid, ""},
		"Invalid URL format: action of <%.*s> is '%.*s'", STR_ARG(run->node->name),
		STR_ARG(action));
	call->after.kind = AFTER_HANGUP;
}

void document_field(
	struct twilio_call *call, const struct call_run *run, const char *name, const char *value)
{
	twilio_form_put_text(&call->after.form, run->arena, name, value);
}

static const struct call_sound *find_sound(const struct call_run *run, const struct xml_node *node)
{
	const struct call_sound *at = run->sounds;

	while (at != NULL && at->node != node)
		at = at->next;
	return at;
}

/* 55 ms a character is how fast people are read to. */
void document_prompt(struct twilio_call *call, const struct call_run *run,
	const struct xml_node *node, struct prompt *prompt)
{
	const struct call_sound *sound = find_sound(run, node);
	struct prompt_item item = {.sound = SOUND_MURMUR, .loops = xml_number(node, "loop", 1)};

	if (xml_is(node, "Pause")) {
		item = (struct prompt_item){.sound = SOUND_SILENCE,
			.bytes = (size_t)xml_number(node, "length", 1) * MULAW_HZ,
			.loops = 1};
	} else if (sound != NULL) {
		item.mulaw = sound->mulaw;
		item.bytes = sound->bytes;
		call_note(call, "play", "%.*s", STR_ARG(str_trim(node->text)));
	} else if (xml_is(node, "Play")) {
		call_note(call, "play", "keys %.*s", STR_ARG(xml_get(node, "digits")));
		item.sound = SOUND_BEEP;
		item.bytes = xml_get(node, "digits").size * 200 * 8;
	} else {
		struct str words = str_trim(node->text);
		item.bytes = words.size * 55 * 8;
		call_note(call, "say", "%.*s%s%.*s", STR_ARG(xml_get(node, "language")),
			xml_get(node, "language").size > 0 ? ": " : "", STR_ARG(words));
	}
	prompt_add(prompt, &item);
}
