/*
 * twilio_store: the lists of numbers, people, alerts, files and recordings. Each is bounded: who
 * comes when a list is full pushes the oldest out.
 */
#include "twilio_store.h"

#include "clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Append, and let the oldest go when there are too many. */
#define STORE_ADD(twilio, list, count, max, item, free_one)                                        \
	do {                                                                                       \
		TAILQ_INSERT_TAIL(&(twilio)->list, (item), link);                                  \
		if (++(twilio)->count > (max))                                                     \
			free_one((twilio), TAILQ_FIRST(&(twilio)->list));                          \
		twilio_changed(twilio);                                                            \
	} while (0)

/* -- what goes ---------------------------------------------------------------------------------------- */

static void free_number(struct twilio *twilio, struct twilio_number *number)
{
	TAILQ_REMOVE(&twilio->numbers, number, link);
	twilio->number_count--;
	free(number->number);
	free(number->account_sid);
	free(number->auth_token);
	free(number->voice_url);
	free(number->voice_fallback_url);
	free(number->status_callback);
	free(number->sms_url);
	free(number->whatsapp_url);
	free(number);
}

static void free_person(struct twilio *twilio, struct twilio_person *person)
{
	TAILQ_REMOVE(&twilio->people, person, link);
	twilio->person_count--;
	free(person->number);
	free(person->answers);
	free(person->file);
	free(person->texts);
	free(person);
}

static void free_alert(struct twilio *twilio, struct twilio_alert *alert)
{
	TAILQ_REMOVE(&twilio->alerts, alert, link);
	twilio->alert_count--;
	free(alert->resource_sid);
	free(alert->url);
	free(alert->words);
	free(alert);
}

static void free_file(struct twilio *twilio, struct twilio_file *file)
{
	TAILQ_REMOVE(&twilio->files, file, link);
	twilio->file_count--;
	free(file->name);
	free(file->mulaw);
	free(file);
}

static void free_recording(struct twilio *twilio, struct twilio_recording *recording)
{
	TAILQ_REMOVE(&twilio->recordings, recording, link);
	twilio->recording_count--;
	free(recording->account_sid);
	buf_free(&recording->mulaw);
	free(recording);
}

void twilio_store_init(struct twilio *twilio)
{
	TAILQ_INIT(&twilio->numbers);
	TAILQ_INIT(&twilio->people);
	TAILQ_INIT(&twilio->alerts);
	TAILQ_INIT(&twilio->files);
	TAILQ_INIT(&twilio->recordings);
	TAILQ_INIT(&twilio->calls);
	TAILQ_INIT(&twilio->messages);
	TAILQ_INIT(&twilio->streams);
}

void twilio_store_clear(struct twilio *twilio)
{
	while (!TAILQ_EMPTY(&twilio->numbers))
		free_number(twilio, TAILQ_FIRST(&twilio->numbers));
	while (!TAILQ_EMPTY(&twilio->people))
		free_person(twilio, TAILQ_FIRST(&twilio->people));
	while (!TAILQ_EMPTY(&twilio->alerts))
		free_alert(twilio, TAILQ_FIRST(&twilio->alerts));
	while (!TAILQ_EMPTY(&twilio->files))
		free_file(twilio, TAILQ_FIRST(&twilio->files));
	while (!TAILQ_EMPTY(&twilio->recordings))
		free_recording(twilio, TAILQ_FIRST(&twilio->recordings));
}

/* -- what is asked -------------------------------------------------------------------------------------- */

struct twilio_number *twilio_number_find(const struct twilio *twilio, struct str number)
{
	struct twilio_number *at;

	TAILQ_FOREACH(at, &twilio->numbers, link)
	{
		if (str_equal(str_from(at->number), number))
			return at;
	}
	return NULL;
}

struct twilio_person *twilio_person_find(const struct twilio *twilio, struct str number)
{
	struct twilio_person *at;

	TAILQ_FOREACH(at, &twilio->people, link)
	{
		if (str_equal(str_from(at->number), number))
			return at;
	}
	return NULL;
}

struct twilio_file *twilio_file_find(const struct twilio *twilio, struct str name)
{
	struct twilio_file *at;

	TAILQ_FOREACH(at, &twilio->files, link)
	{
		if (str_equal(str_from(at->name), name))
			return at;
	}
	return NULL;
}

struct twilio_recording *twilio_recording_find(const struct twilio *twilio, struct str sid)
{
	struct twilio_recording *at;

	TAILQ_FOREACH(at, &twilio->recordings, link)
	{
		if (str_equal(str_from(at->sid), sid))
			return at;
	}
	return NULL;
}

bool twilio_account_allows(const struct twilio *twilio, struct str account_sid, struct str token)
{
	const struct twilio_number *at;
	bool allowed = false;

	TAILQ_FOREACH(at, &twilio->numbers, link)
	{
		if (str_equal(str_from(at->account_sid), account_sid))
			allowed |= str_equal_secret(str_from(at->auth_token), token);
	}
	return allowed;
}

/* The newest one that was declared: after a rotation, that signs. */
const char *twilio_token_of(const struct twilio *twilio, const char *account_sid)
{
	const struct twilio_number *at;

	TAILQ_FOREACH_REVERSE(at, &twilio->numbers, twilio_numbers, link)
	{
		if (strcmp(at->account_sid, account_sid) == 0)
			return at->auth_token;
	}
	return "";
}

/* -- what comes ------------------------------------------------------------------------------------------- */

static char *copy(const char *text)
{
	return alloc_text(str_from(text));
}

void twilio_number_put(struct twilio *twilio, const struct twilio_number *from)
{
	struct twilio_number *old = twilio_number_find(twilio, str_from(from->number));
	struct twilio_number *number = alloc_zeroed(1, sizeof(*number));

	*number = *from;
	number->number = copy(from->number);
	number->account_sid = copy(from->account_sid);
	number->auth_token = copy(from->auth_token);
	number->voice_url = copy(from->voice_url);
	number->voice_fallback_url = copy(from->voice_fallback_url);
	number->status_callback = copy(from->status_callback);
	number->sms_url = copy(from->sms_url);
	number->whatsapp_url = copy(from->whatsapp_url);
	if (old != NULL)
		free_number(twilio, old);
	STORE_ADD(twilio, numbers, number_count, TWILIO_MAX_NUMBERS, number, free_number);
}

void twilio_person_put(struct twilio *twilio, const struct twilio_person *from)
{
	struct twilio_person *old = twilio_person_find(twilio, str_from(from->number));
	struct twilio_person *person = alloc_zeroed(1, sizeof(*person));

	*person = *from;
	person->number = copy(from->number);
	person->answers = copy(from->answers);
	person->file = copy(from->file);
	person->texts = copy(from->texts);
	if (old != NULL)
		free_person(twilio, old);
	STORE_ADD(twilio, people, person_count, TWILIO_MAX_PEOPLE, person, free_person);
}

void twilio_file_put(struct twilio *twilio, struct str name, const void *mulaw, size_t bytes)
{
	struct twilio_file *old = twilio_file_find(twilio, name);
	struct twilio_file *file = alloc_zeroed(1, sizeof(*file));

	file->name = alloc_text(name);
	file->mulaw = alloc_zeroed(1, bytes + 1);
	memcpy(file->mulaw, mulaw, bytes);
	file->bytes = bytes;
	if (old != NULL)
		free_file(twilio, old);
	STORE_ADD(twilio, files, file_count, TWILIO_MAX_FILES, file, free_file);
}

struct twilio_recording *twilio_recording_add(
	struct twilio *twilio, const char *account_sid, const char *call_sid, struct buf *mulaw)
{
	struct twilio_recording *recording = alloc_zeroed(1, sizeof(*recording));

	twilio_sid("RE", recording->sid);
	str_copy(recording->call_sid, sizeof(recording->call_sid), str_from(call_sid));
	recording->account_sid = copy(account_sid);
	recording->mulaw = *mulaw;
	buf_init(mulaw, mulaw->max_bytes);
	STORE_ADD(twilio, recordings, recording_count, TWILIO_MAX_RECORDINGS, recording,
		free_recording);
	return recording;
}

/* Those that do not end what Twilio is doing. */
static bool is_warning(int code)
{
	return code == 12200 || code == 15003 || code == 13512 || code >= 31900;
}

void twilio_alert(
	struct twilio *twilio, int code, struct twilio_place place, const char *format, ...)
{
	struct twilio_alert *alert = alloc_zeroed(1, sizeof(*alert));
	char words[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	alert->id = ++twilio->alert_ids;
	alert->at_ms = clock_wall_ms();
	alert->code = code;
	alert->warning = is_warning(code);
	alert->resource_sid = copy(place.sid);
	alert->url = copy(place.url);
	alert->words = copy(words);
	STORE_ADD(twilio, alerts, alert_count, TWILIO_MAX_ALERTS, alert, free_alert);
}
