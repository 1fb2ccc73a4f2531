/*
 * engine_check: is a request what OpenAI's reference asks for? Strictly, so that what passes here passes
 * there, too.
 */
#include "engine.h"

#include "mulaw.h"
#include "wav.h"

#include <math.h>
#include <stdio.h>

/* -- multipart/form-data --------------------------------------------------------------------------- */

struct part {
	struct str name, filename, type, content;
};

/* The value of name="..." in a Content-Disposition. */
static struct str quoted(struct str line, const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i + size + 2 < line.size; i++) {
		struct str rest;

		if (memcmp(line.data + i, name, size) != 0 || line.data[i + size] != '=' ||
			line.data[i + size + 1] != '"' || (i > 0 && line.data[i - 1] != ' '))
			continue;
		rest = str_of(line.data + i + size + 2, line.size - i - size - 2);
		return str_cut(&rest, '"');
	}
	return (struct str){0};
}

static bool read_head(struct str head, struct part *part)
{
	while (head.size > 0) {
		struct str line = str_trim(str_cut(&head, '\n')), value = line;
		struct str name = str_cut(&value, ':');

		if (str_equal_nocase(name, STR("Content-Disposition"))) {
			part->name = quoted(value, "name");
			part->filename = quoted(value, "filename");
		} else if (str_equal_nocase(name, STR("Content-Type"))) {
			part->type = str_trim(value);
		}
	}
	return part->name.size > 0;
}

static struct str find(struct str text, struct str what)
{
	const char *at = text.size > 0 ? memmem(text.data, text.size, what.data, what.size) : NULL;

	return at != NULL ? str_of(at, text.size - (size_t)(at - text.data)) : (struct str){0};
}

/* One part from the front of `*rest`, which begins behind a delimiter. False: the end, or nonsense. */
static bool next_part(struct str *rest, struct str delimiter, struct part *part)
{
	struct str body, end;

	*part = (struct part){0};
	if (!str_starts(*rest, STR("\r\n")))
		return false;
	body = find(*rest, STR("\r\n\r\n"));
	if (body.data == NULL ||
		!read_head(str_of(rest->data, (size_t)(body.data - rest->data)), part))
		return false;
	body = str_of(body.data + 4, body.size - 4);
	end = find(body, delimiter);
	if (end.data == NULL)
		return false;
	part->content = str_of(body.data, (size_t)(end.data - body.data));
	*rest = str_of(end.data + delimiter.size, end.size - delimiter.size);
	return true;
}

static bool keep_part(struct engine_form *form, const struct part *part, struct error *error)
{
	if (str_equal(part->name, STR("model")))
		form->model = part->content;
	else if (str_equal(part->name, STR("language")))
		form->language = part->content;
	else if (str_equal(part->name, STR("file"))) {
		if (!str_ends(part->filename, STR(".wav")) ||
			!str_equal(part->type, STR("audio/wav")))
			return error_set(error, ERROR_INPUT,
				"Unrecognized file format: filename=\"*.wav\", audio/wav");
		form->file = part->content;
	} else if (!str_equal(part->name, STR("response_format")) ||
		   !str_equal(part->content, STR("json")))
		return error_set(error, ERROR_INPUT, "Unrecognized request argument supplied: %.*s",
			STR_ARG(part->name));
	return true;
}

/* How long and how loud. */
static bool read_file(struct engine_form *form, struct error *error)
{
	struct wav wav;
	double sum = 0;
	size_t count;

	if (!wav_read(form->file, &wav, error))
		return error_prefix(error, "Audio file might be corrupted or unsupported: ");
	count = wav.mulaw ? wav.data.size : wav.data.size / 2;
	for (size_t i = 0; i < count; i++) {
		const unsigned char *data = (const unsigned char *)wav.data.data;
		int16_t sample = wav.mulaw
					 ? mulaw_decode(data[i])
					 : (int16_t)(uint16_t)(data[2 * i] | data[2 * i + 1] << 8);

		sum += (double)sample * sample;
	}
	form->ms = (int64_t)count * 1000 / wav.hz;
	form->rms = count > 0 ? (int64_t)sqrt(sum / (double)count) : 0;
	return form->ms >= 100 ||
	       error_set(error, ERROR_INPUT,
		       "Audio file is too short. Minimum audio length is 0.1 s.");
}

bool engine_read_form(
	struct str content_type, struct str body, struct engine_form *form, struct error *error)
{
	struct str boundary = content_type, delimiter, rest;
	char text[128];
	struct part part;

	*form = (struct engine_form){0};
	boundary = find(boundary, STR("boundary="));
	if (!str_starts(content_type, STR("multipart/form-data;")) || boundary.size <= 9 ||
		boundary.size > 79)
		return error_set(error, ERROR_INPUT, "Could not parse multipart form");
	(void)snprintf(
		text, sizeof(text), "\r\n--%.*s", (int)(boundary.size - 9), boundary.data + 9);
	delimiter = str_from(text);
	if (!str_starts(body, str_of(delimiter.data + 2, delimiter.size - 2)))
		return error_set(error, ERROR_INPUT, "Could not parse multipart form");
	rest = str_of(body.data + delimiter.size - 2, body.size - delimiter.size + 2);
	while (next_part(&rest, delimiter, &part)) {
		if (!keep_part(form, &part, error))
			return false;
	}
	if (!str_starts(rest, STR("--")))
		return error_set(error, ERROR_INPUT, "Could not parse multipart form: no end");
	if (form->model.size == 0)
		return error_set(error, ERROR_INPUT, "you must provide a model parameter");
	return read_file(form, error);
}

/* -- JSON ------------------------------------------------------------------------------------------ */

static bool known_members(
	const struct json *json, const char *const *known, const char *where, struct error *error)
{
	for (const struct json *at = json_first(json); at != NULL; at = json_next(at)) {
		bool found = false;

		for (int i = 0; known[i] != NULL; i++)
			found |= strcmp(known[i], json_name(at)) == 0;
		if (!found)
			return error_set(error, ERROR_INPUT, "Unknown parameter: '%s%s'.", where,
				json_name(at));
	}
	return true;
}

/* A result must follow the use that it is of, and each use must have its result. */
static bool check_message(const struct json *message, struct str *open_call, struct error *error)
{
	struct str role = json_text(json_member(message, "role"));
	const struct json *calls = json_member(message, "tool_calls");
	bool is_tool = str_equal(role, STR("tool"));

	if (is_tool != (open_call->size > 0) ||
		(is_tool &&
			!str_equal(*open_call, json_text(json_member(message, "tool_call_id")))))
		return error_set(error, ERROR_INPUT,
			"An assistant message with 'tool_calls' must be followed by tool "
			"messages.");
	*open_call = (struct str){0};
	if (str_equal(role, STR("assistant")) && calls != NULL) {
		*open_call = json_text(json_member(json_item(calls, 0), "id"));
		return open_call->size > 0 || error_set(error, ERROR_INPUT, "tool_calls: no id");
	}
	if (!is_tool && !str_equal(role, STR("system")) && !str_equal(role, STR("user")) &&
		!str_equal(role, STR("assistant")))
		return error_set(error, ERROR_INPUT, "Invalid value: role");
	return json_kind(json_member(message, "content")) == JSON_TEXT ||
	       error_set(error, ERROR_INPUT, "Invalid type for 'content'");
}

bool engine_check_chat(
	const struct json *json, struct arena *arena, struct str *last, struct error *error)
{
	static const char *const known[] = {
		"model", "stream", "max_tokens", "messages", "tools", "temperature", NULL};
	const struct json *messages = json_member(json, "messages");
	struct str open_call = {0};

	*last = (struct str){0};
	if (!known_members(json, known, "", error))
		return false;
	if (json_text(json_member(json, "model")).size == 0 || json_count(messages) < 1)
		return error_set(error, ERROR_INPUT, "you must provide a model and messages");
	for (const struct json *at = json_first(messages); at != NULL; at = json_next(at)) {
		struct str role = json_text(json_member(at, "role"));

		if (!check_message(at, &open_call, error))
			return false;
		if (str_equal(role, STR("user")) || str_equal(role, STR("tool")))
			*last = json_text(json_member(at, "content"));
	}
	if (open_call.size > 0)
		return error_set(error, ERROR_INPUT, "tool_calls without a result");
	*last = str_of(
		arena_strndup(arena, last->size > 0 ? last->data : "", last->size), last->size);
	return true;
}

bool engine_check_speech(const struct json *json, struct error *error)
{
	static const char *const known[] = {"model", "voice", "input", "response_format", "speed",
		"instructions", "stream_format", NULL};
	struct str input = json_text(json_member(json, "input"));

	if (!known_members(json, known, "", error))
		return false;
	if (json_text(json_member(json, "model")).size == 0 ||
		json_text(json_member(json, "voice")).size == 0)
		return error_set(error, ERROR_INPUT, "you must provide a model and a voice");
	if (input.size == 0 || input.size > 4096)
		return error_set(error, ERROR_INPUT, "input: 1 to 4096 characters");
	return str_equal(json_text(json_member(json, "response_format")), STR("pcm")) ||
	       error_set(error, ERROR_INPUT, "the sandbox speaks pcm only");
}
