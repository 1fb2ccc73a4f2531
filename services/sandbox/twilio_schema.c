/*
 * twilio_schema: a table of elements: where each may stand, and what it may say of itself
 * (twilio.com/docs/voice/twiml, .../messaging/twiml). Names are case-sensitive.
 */
#include "twilio_schema.h"

#include <stdarg.h>
#include <stdio.h>

/* What kind of value an attribute takes. */
enum value { ANY, NUMBER, METHOD, BOOLEAN };

struct attribute {
	const char *name;
	enum value value;
};

struct element {
	const char *name;
	const char *parents; /* words with a space around each */
	const struct attribute *attributes;
	bool text; /* takes characters */
};

#define LIST(...) ((const struct attribute[]){__VA_ARGS__, {NULL, ANY}})
#define SSML	  " Say break emphasis lang p phoneme prosody s say-as sub w "
#define REC_STATUS                                                                                 \
	{"recordingStatusCallback", ANY}, {"recordingStatusCallbackMethod", METHOD},               \
	{                                                                                          \
		"recordingStatusCallbackEvent", ANY                                                \
	}
#define CALL_STATUS                                                                                \
	{"statusCallback", ANY}, {"statusCallbackMethod", METHOD},                                 \
	{                                                                                          \
		"statusCallbackEvent", ANY                                                         \
	}
#define STREAM_ATTRIBUTES                                                                          \
	LIST({"url", ANY}, {"name", ANY}, {"track", ANY}, {"statusCallback", ANY},                 \
		{"statusCallbackMethod", METHOD}, {"connectorName", ANY}, {"audioFormat", ANY},    \
		{"sampleRate", ANY})

static const struct element voice_elements[] = {
	{"Say", " Response Gather ", LIST({"voice", ANY}, {"language", ANY}, {"loop", NUMBER}),
		true},
	{"Play", " Response Gather ", LIST({"loop", NUMBER}, {"digits", ANY}), true},
	{"Pause", " Response Gather ", LIST({"length", NUMBER}), false},
	{"Gather", " Response ",
		LIST({"action", ANY}, {"method", METHOD}, {"input", ANY}, {"numDigits", NUMBER},
			{"timeout", NUMBER}, {"finishOnKey", ANY}, {"actionOnEmptyResult", BOOLEAN},
			{"language", ANY}, {"hints", ANY}, {"speechTimeout", ANY},
			{"speechModel", ANY}, {"partialResultCallback", ANY},
			{"partialResultCallbackMethod", METHOD}, {"profanityFilter", BOOLEAN},
			{"bargeIn", BOOLEAN}, {"maxSpeechTime", NUMBER}, {"enhanced", BOOLEAN}),
		false},
	{"Record", " Response ",
		LIST({"action", ANY}, {"method", METHOD}, {"timeout", NUMBER}, {"finishOnKey", ANY},
			{"maxLength", NUMBER}, {"playBeep", BOOLEAN}, {"trim", ANY}, REC_STATUS,
			{"transcribe", BOOLEAN}, {"transcribeCallback", ANY}),
		false},
	{"Dial", " Response ",
		LIST({"action", ANY}, {"method", METHOD}, {"timeout", NUMBER},
			{"timeLimit", NUMBER}, {"callerId", ANY}, {"answerOnBridge", BOOLEAN},
			{"hangupOnStar", BOOLEAN}, {"record", ANY}, REC_STATUS, {"ringTone", ANY},
			{"sequential", BOOLEAN}, {"trim", ANY}, {"recordingTrack", ANY},
			{"referUrl", ANY}, {"referMethod", METHOD}),
		true},
	{"Number", " Dial ",
		LIST({"url", ANY}, {"method", METHOD}, {"sendDigits", ANY}, CALL_STATUS,
			{"byoc", ANY}, {"machineDetection", ANY}, {"amdStatusCallback", ANY}),
		true},
	{"Sip", " Dial ",
		LIST({"url", ANY}, {"method", METHOD}, {"username", ANY}, {"password", ANY},
			CALL_STATUS),
		true},
	{"Client", " Dial ", LIST({"url", ANY}, {"method", METHOD}, CALL_STATUS), true},
	{"Conference", " Dial ",
		LIST({"muted", BOOLEAN}, {"beep", ANY}, {"startConferenceOnEnter", BOOLEAN},
			{"endConferenceOnExit", BOOLEAN}, {"waitUrl", ANY}, {"waitMethod", METHOD},
			{"maxParticipants", NUMBER}, {"record", ANY}, CALL_STATUS, REC_STATUS),
		true},
	{"Queue", " Dial ", LIST({"url", ANY}, {"method", METHOD}, {"reservationSid", ANY}), true},
	{"Redirect", " Response ", LIST({"method", METHOD}), true},
	{"Hangup", " Response ", LIST({NULL, ANY}), false},
	{"Reject", " Response ", LIST({"reason", ANY}), false},
	{"Connect", " Response ", LIST({"action", ANY}, {"method", METHOD}), false},
	{"Start", " Response ", LIST({"action", ANY}, {"method", METHOD}), false},
	{"Stop", " Response ", LIST({NULL, ANY}), false},
	{"Stream", " Connect Start Stop ", STREAM_ATTRIBUTES, false},
	{"Parameter", " Stream Client Sip ", LIST({"name", ANY}, {"value", ANY}), false},
	{"Enqueue", " Response ",
		LIST({"action", ANY}, {"method", METHOD}, {"waitUrl", ANY},
			{"waitUrlMethod", METHOD}, {"workflowSid", ANY}),
		true},
	{"Leave", " Response ", LIST({NULL, ANY}), false},
	{"Sms", " Response ",
		LIST({"to", ANY}, {"from", ANY}, {"action", ANY}, {"method", METHOD},
			{"statusCallback", ANY}),
		true},
	{"break", SSML, LIST({"strength", ANY}, {"time", ANY}), false},
	{"emphasis", SSML, LIST({"level", ANY}), true},
	{"lang", SSML, LIST({"xml:lang", ANY}), true},
	{"p", SSML, LIST({NULL, ANY}), true},
	{"s", SSML, LIST({NULL, ANY}), true},
	{"phoneme", SSML, LIST({"alphabet", ANY}, {"ph", ANY}), true},
	{"prosody", SSML, LIST({"volume", ANY}, {"rate", ANY}, {"pitch", ANY}), true},
	{"say-as", SSML, LIST({"interpret-as", ANY}, {"format", ANY}, {"role", ANY}), true},
	{"sub", SSML, LIST({"alias", ANY}), true},
	{"w", SSML, LIST({"role", ANY}), true},
	{NULL},
};

static const struct element response = {"Response", "", LIST({NULL, ANY}), false};

static const struct element text_elements[] = {
	{"Message", " Response ",
		LIST({"to", ANY}, {"from", ANY}, {"action", ANY}, {"method", METHOD},
			{"statusCallback", ANY}),
		true},
	{"Body", " Message ", LIST({NULL, ANY}), true},
	{"Media", " Message ", LIST({NULL, ANY}), true},
	{"Redirect", " Response ", LIST({"method", METHOD}), true},
	{NULL},
};

static bool has_word(const char *words, struct str word)
{
	struct str rest = str_from(words);

	while (rest.data != NULL && rest.size > 0) {
		struct str one = str_cut(&rest, ' ');
		if (one.size > 0 && str_equal(one, word))
			return true;
	}
	return false;
}

static const struct element *find(const struct xml_node *node, enum schema_kind kind)
{
	const struct element *at = kind == SCHEMA_VOICE ? voice_elements : text_elements;

	for (; at->name != NULL; at++) {
		if (xml_is(node, at->name))
			return node->parent != NULL && has_word(at->parents, node->parent->name)
				       ? at
				       : NULL;
	}
	return NULL;
}

bool schema_knows(const struct xml_node *node, enum schema_kind kind)
{
	return find(node, kind) != NULL;
}

__attribute__((format(printf, 3, 4))) static void fault(
	struct schema_faults *faults, struct arena *arena, const char *format, ...)
{
	va_list arguments;
	char words[512];

	if (faults->count == SCHEMA_MAX_FAULTS)
		return;
	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	faults->words[faults->count++] = arena_strdup(arena, words);
}

static bool value_fits(enum value value, struct str text)
{
	int64_t number;

	switch (value) {
	case NUMBER:
		return str_to_int64(text, &number) && number >= 0;
	case METHOD:
		return str_equal(text, STR("GET")) || str_equal(text, STR("POST"));
	case BOOLEAN:
		return str_equal(text, STR("true")) || str_equal(text, STR("false"));
	case ANY:
		break;
	}
	return true;
}

static const struct attribute *find_attribute(const struct element *element, struct str name)
{
	for (const struct attribute *at = element->attributes; at->name != NULL; at++) {
		if (str_equal(str_from(at->name), name))
			return at;
	}
	return NULL;
}

static void check_attributes(const struct xml_node *node, const struct element *element,
	struct arena *arena, struct schema_faults *faults)
{
	for (unsigned i = 0; i < node->attribute_count; i++) {
		struct str name = node->attributes[i].name, value = node->attributes[i].value;
		const struct attribute *known = find_attribute(element, name);
		if (known == NULL)
			fault(faults, arena,
				"line %u: Attribute '%.*s' is not allowed to appear in element "
				"'%.*s'.",
				node->line, STR_ARG(name), STR_ARG(node->name));
		else if (!value_fits(known->value, value))
			fault(faults, arena, "line %u: '%.*s' is no value of '%.*s' in '%.*s'.",
				node->line, STR_ARG(value), STR_ARG(name), STR_ARG(node->name));
	}
}

static void check_text(const struct xml_node *node, const struct element *element,
	struct arena *arena, struct schema_faults *faults)
{
	if (!element->text && str_trim(node->text).size > 0)
		fault(faults, arena, "line %u: '%.*s' takes no text.", node->line,
			STR_ARG(node->name));
}

void schema_check(const struct xml_node *root, enum schema_kind kind, struct arena *arena,
	struct schema_faults *faults)
{
	if (root->parent == NULL) {
		check_attributes(root, &response, arena, faults);
		check_text(root, &response, arena, faults);
	}
	for (const struct xml_node *at = root->first; at != NULL; at = at->next) {
		const struct element *element = find(at, kind);
		if (element == NULL) {
			fault(faults, arena,
				"line %u: Invalid content was found starting with element '%.*s' "
				"in '%.*s'.",
				at->line, STR_ARG(at->name), STR_ARG(root->name));
			continue;
		}
		check_attributes(at, element, arena, faults);
		check_text(at, element, arena, faults);
		schema_check(at, kind, arena, faults);
	}
}
