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
		if (++(twilio)->count > (max)) {                                                   \
			__typeof__(item) oldest = TAILQ_FIRST(&(twilio)->list);                    \
			TAILQ_REMOVE(&(twilio)->list, oldest, link);                               \
			(twilio)->count--;                                                         \
			free_one(oldest);                                                          \
		}                                                                                  \
		twilio_changed(twilio);                                                            \
	} while (0)

/* All of a list, which is empty afterwards. */
#define STORE_CLEAR(twilio, list, count, free_one)                                                 \
	do {                                                                                       \
		__typeof__(TAILQ_FIRST(&(twilio)->list)) at = TAILQ_FIRST(&(twilio)->list), next;  \
		for (; at != NULL; at = next) {                                                    \
			next = TAILQ_NEXT(at, link);                                               \
			free_one(at);                                                              \
		}                                                                                  \
		TAILQ_INIT(&(twilio)->list);                                                       \
		(twilio)->count = 0;                                                               \
	} while (0)

/* -- what goes ---------------------------------------------------------------------------------------- */

static void empty_number(struct twilio_number *number)
{
	free(number->number);
	free(number->account_sid);
	free(number->auth_token);
	free(number->voice_url);
	free(number->voice_fallback_url);
	free(number->status_callback);
	free(number->sms_url);
	free(number->whatsapp_url);
}

static void free_number(struct twilio_number *number)
{
	empty_number(number);
	free(number);
}

static void empty_person(struct twilio_person *person)
{
	free(person->number);
	free(person->answers);
	free(person->file);
	free(person->texts);
}

static void free_person(struct twilio_person *person)
{
	empty_person(person);
	free(person);
}

static void free_alert(struct twilio_alert *alert)
{
	free(alert->resource_sid);
	free(alert->url);
	free(alert->words);
	free(alert);
}

static void free_file(struct twilio_file *file)
{
	free(file->name);
	free(file->mulaw);
	free(file);
}

static void free_recording(struct twilio_recording *recording)
{
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
	STORE_CLEAR(twilio, numbers, number_count, free_number);
	STORE_CLEAR(twilio, people, person_count, free_person);
	STORE_CLEAR(twilio, alerts, alert_count, free_alert);
	STORE_CLEAR(twilio, files, file_count, free_file);
	STORE_CLEAR(twilio, recordings, recording_count, free_recording);
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
	const struct twilio_number *at, *newest = NULL;

	TAILQ_FOREACH(at, &twilio->numbers, link)
	{
		if (strcmp(at->account_sid, account_sid) == 0 &&
			(newest == NULL || at->declared > newest->declared))
			newest = at;
	}
	return newest != NULL ? newest->auth_token : "";
}

/* -- what comes ------------------------------------------------------------------------------------------- */

static char *copy(const char *text)
{
	return alloc_text(str_from(text));
}

/* What is declared again keeps its place in the list. */
static void fill_number(
	struct twilio *twilio, struct twilio_number *number, const struct twilio_number *from)
{
	number->number = copy(from->number);
	number->account_sid = copy(from->account_sid);
	number->auth_token = copy(from->auth_token);
	number->voice_url = copy(from->voice_url);
	number->voice_fallback_url = copy(from->voice_fallback_url);
	number->status_callback = copy(from->status_callback);
	number->sms_url = copy(from->sms_url);
	number->whatsapp_url = copy(from->whatsapp_url);
	number->no_opt_out = from->no_opt_out;
	number->trial = from->trial;
	number->declared = ++twilio->declarations;
}

void twilio_number_put(struct twilio *twilio, const struct twilio_number *from)
{
	struct twilio_number *number = twilio_number_find(twilio, str_from(from->number));

	if (number != NULL) {
		empty_number(number);
		fill_number(twilio, number, from);
		twilio_changed(twilio);
		return;
	}
	number = alloc_zeroed(1, sizeof(*number));
	fill_number(twilio, number, from);
	STORE_ADD(twilio, numbers, number_count, TWILIO_MAX_NUMBERS, number, free_number);
}

static void fill_person(struct twilio_person *person, const struct twilio_person *from)
{
	person->number = copy(from->number);
	person->answers = copy(from->answers);
	person->file = copy(from->file);
	person->texts = copy(from->texts);
	person->ring_ms = from->ring_ms;
	person->talk_ms = from->talk_ms;
	person->error_code = from->error_code;
	person->verified = from->verified;
}

void twilio_person_put(struct twilio *twilio, const struct twilio_person *from)
{
	struct twilio_person *person = twilio_person_find(twilio, str_from(from->number));

	if (person != NULL) {
		empty_person(person);
		fill_person(person, from);
		return;
	}
	person = alloc_zeroed(1, sizeof(*person));
	fill_person(person, from);
	STORE_ADD(twilio, people, person_count, TWILIO_MAX_PEOPLE, person, free_person);
}

void twilio_file_put(struct twilio *twilio, struct str name, const void *mulaw, size_t bytes)
{
	struct twilio_file *file = twilio_file_find(twilio, name);
	uint8_t *kept = alloc_zeroed(1, bytes + 1);

	memcpy(kept, mulaw, bytes);
	if (file != NULL) {
		free(file->mulaw);
		file->mulaw = kept;
		file->bytes = bytes;
		return;
	}
	file = alloc_zeroed(1, sizeof(*file));
	file->name = alloc_text(name);
	file->mulaw = kept;
	file->bytes = bytes;
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
