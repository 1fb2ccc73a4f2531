/*
 * twilio_verbs: the verbs that need no file of their own: Say, Play, Pause, Gather, Redirect, Hangup,
 * Reject. In this table stands all that the sandbox can run.
 */
#include "twilio_document.h"
#include "twilio_schema.h"

#include <stdio.h>

/* -- Say, Play, Pause ------------------------------------------------------------------------------------ */

static void begin_prompt(struct twilio_call *call, struct call_run *run)
{
	document_prompt(call, run, run->node, call->verb_state);
}

static bool tick_prompt(struct twilio_call *call, const uint8_t *said, uint8_t *heard)
{
	(void)said;
	return !prompt_next(call->verb_state, heard);
}

/* -- Gather ------------------------------------------------------------------------------------------------ */

struct gather {
	struct call_run run;
	struct prompt prompt;
	bool prompting, done;
	char digits[65];
	unsigned count, wanted; /* wanted 0: any number */
	int64_t timeout_ms, quiet_ms;
	char finish;
	bool speech, empty_counts;
};

static bool has_word(struct str words, struct str word)
{
	while (words.data != NULL && words.size > 0) {
		if (str_equal(str_cut(&words, ' '), word))
			return true;
	}
	return false;
}

static void begin_gather(struct twilio_call *call, struct call_run *run)
{
	struct gather *gather = call->verb_state;
	struct str input = xml_get(run->node, "input"), finish = xml_get(run->node, "finishOnKey");
	bool named = false;

	gather->run = *run;
	for (const struct xml_node *at = run->node->first; at != NULL; at = at->next) {
		if (schema_knows(at, SCHEMA_VOICE))
			document_prompt(call, run, at, &gather->prompt);
	}
	for (unsigned i = 0; i < run->node->attribute_count; i++)
		named |= str_equal(run->node->attributes[i].name, STR("finishOnKey"));
	gather->prompting = gather->prompt.count > 0;
	gather->wanted = (unsigned)xml_number(run->node, "numDigits", 0);
	gather->timeout_ms = xml_number(run->node, "timeout", 5) * 1000;
	gather->finish = finish.size > 0 ? finish.data[0] : named ? '\0' : '#';
	gather->speech = has_word(input, STR("speech"));
	gather->empty_counts = str_equal(xml_get(run->node, "actionOnEmptyResult"), STR("true"));
}

static void finish_gather(struct twilio_call *call)
{
	struct gather *gather = call->verb_state;

	gather->done = true;
	document_action(call, &gather->run, true);
	document_field(call, &gather->run, "msg", "Gather End");
	document_field(call, &gather->run, "Digits", gather->digits);
}

/* Any key stops the prompt; the timeout then runs anew. */
static void key_gather(struct twilio_call *call, char key)
{
	struct gather *gather = call->verb_state;

	gather->prompting = false;
	gather->quiet_ms = 0;
	if (gather->done)
		return;
	if (key == gather->finish) {
		if (gather->count > 0 || gather->empty_counts)
			finish_gather(call);
		else
			gather->quiet_ms = gather->timeout_ms;
		return;
	}
	if (gather->count + 1 < sizeof(gather->digits))
		gather->digits[gather->count++] = key;
	if (gather->wanted > 0 && gather->count >= gather->wanted)
		finish_gather(call);
}

static void speech_gather(struct twilio_call *call, const char *text)
{
	struct gather *gather = call->verb_state;

	if (!gather->speech || gather->done)
		return;
	gather->done = true;
	document_action(call, &gather->run, true);
	document_field(call, &gather->run, "SpeechResult", text);
	document_field(call, &gather->run, "Confidence", "0.9");
	document_field(call, &gather->run, "Language", "en-US");
}

static bool tick_gather(struct twilio_call *call, const uint8_t *said, uint8_t *heard)
{
	struct gather *gather = call->verb_state;

	(void)said;
	if (gather->done)
		return true;
	if (gather->prompting && prompt_next(&gather->prompt, heard))
		return false;
	gather->prompting = false;
	gather->quiet_ms += FRAME_MS;
	if (gather->quiet_ms < gather->timeout_ms)
		return false;
	/* Time is over: what was pressed counts; nothing goes on with the next verb. */
	if (gather->count > 0 || gather->empty_counts)
		finish_gather(call);
	return true;
}

/* -- Redirect, Hangup, Reject, what is not played ------------------------------------------------------------ */

static void begin_redirect(struct twilio_call *call, struct call_run *run)
{
	struct str url = str_trim(run->node->text);

	call->after = (struct call_after){
		.kind = AFTER_DOCUMENT,
		.method = str_equal(xml_get(run->node, "method"), STR("GET")) ? "GET" : "POST",
		.url = twilio_resolve(run->arena, run->base, url),
	};
	call->verb_over = true;
	if (call->after.url != NULL && (url.size > 0 || run->base != NULL))
		return;
	twilio_alert(call->twilio, 11100, (struct twilio_place){call->sid, ""},
		"Invalid URL format: <Redirect>%.*s", STR_ARG(url));
	call->after.kind = AFTER_HANGUP;
}

static void begin_hangup(struct twilio_call *call, struct call_run *run)
{
	(void)run;
	call->after.kind = AFTER_HANGUP;
	call->verb_over = true;
}

/* Only as the first verb: later the call has been answered. */
static void begin_reject(struct twilio_call *call, struct call_run *run)
{
	bool busy = str_equal(xml_get(run->node, "reason"), STR("busy"));

	call->after.kind = AFTER_HANGUP;
	call->verb_over = true;
	if (run->first)
		call_end(call, busy ? CALL_BUSY : CALL_FAILED);
}

static bool tick_over(struct twilio_call *call, const uint8_t *said, uint8_t *heard)
{
	(void)call;
	(void)said;
	(void)heard;
	return true;
}

/* -- the table --------------------------------------------------------------------------------------------------- */

static const struct call_verb simple[] = {
	{"Say", sizeof(struct prompt), begin_prompt, tick_prompt, NULL, NULL, NULL},
	{"Play", sizeof(struct prompt), begin_prompt, tick_prompt, NULL, NULL, NULL},
	{"Pause", sizeof(struct prompt), begin_prompt, tick_prompt, NULL, NULL, NULL},
	{"Gather", sizeof(struct gather), begin_gather, tick_gather, key_gather, speech_gather,
		NULL},
	{"Redirect", 0, begin_redirect, tick_over, NULL, NULL, NULL},
	{"Hangup", 0, begin_hangup, tick_over, NULL, NULL, NULL},
	{"Reject", 0, begin_reject, tick_over, NULL, NULL, NULL},
};

const struct call_verb *call_verb_find(const struct xml_node *node)
{
	static const struct call_verb *const own[] = {&verb_record, &verb_dial, &verb_connect};

	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
		if (xml_is(node, simple[i].name))
			return &simple[i];
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (xml_is(node, own[i]->name))
			return own[i];
	}
	return NULL;
}
