/*
 * twilio_message: the list of texts, and the rules by which Twilio takes one or refuses it
 * (twilio.com/docs/api/errors). Who opted out, and whose 24 hours have passed, is read off the list.
 */
#include "twilio_message.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_BODY_CHARACTERS 1600

/* -- the list ----------------------------------------------------------------------------------------- */

static void free_message(struct twilio_message *message)
{
	free(message->account_sid);
	free(message->from);
	free(message->to);
	free(message->body);
	free(message->status_callback);
	free(message->content_sid);
	free(message->media);
	free(message);
}

void twilio_messages_clear(struct twilio *twilio)
{
	struct twilio_message *at = TAILQ_FIRST(&twilio->messages), *next;

	for (; at != NULL; at = next) {
		next = TAILQ_NEXT(at, link);
		free_message(at);
	}
	TAILQ_INIT(&twilio->messages);
	twilio->message_count = 0;
}

static void drop_oldest(struct twilio *twilio)
{
	struct twilio_message *oldest = TAILQ_FIRST(&twilio->messages);

	TAILQ_REMOVE(&twilio->messages, oldest, link);
	twilio->message_count--;
	free_message(oldest);
}

struct twilio_message *twilio_message_add(struct twilio *twilio, const struct twilio_draft *draft)
{
	struct twilio_message *message = alloc_zeroed(1, sizeof(*message));

	twilio_sid(draft->media_count > 0 ? "MM" : "SM", message->sid);
	message->account_sid = alloc_text(draft->account_sid);
	message->from = alloc_text(draft->from);
	message->to = alloc_text(draft->to);
	message->body = alloc_text(draft->body);
	message->status_callback = alloc_text(draft->status_callback);
	message->content_sid = alloc_text(draft->content_sid);
	message->media = alloc_text(draft->media);
	message->media_count = draft->media_count;
	message->direction = draft->direction;
	message->status = strcmp(draft->direction, "inbound") == 0 ? "received" : "queued";
	message->at_ms = clock_wall_ms() - draft->age_ms;
	message->updated_ms = message->at_ms;
	TAILQ_INSERT_TAIL(&twilio->messages, message, link);
	if (++twilio->message_count > TWILIO_MAX_MESSAGES)
		drop_oldest(twilio);
	twilio_changed(twilio);
	return message;
}

struct twilio_message *twilio_message_find(const struct twilio *twilio, struct str sid)
{
	struct twilio_message *at;

	TAILQ_FOREACH_REVERSE(at, &twilio->messages, twilio_messages, link)
	{
		if (str_equal(str_from(at->sid), sid))
			return at;
	}
	return NULL;
}

/* -- opting out --------------------------------------------------------------------------------------- */

/* The whole body, in any case: "stop it" is no keyword. */
enum twilio_keyword twilio_keyword_of(struct str body)
{
	static const struct {
		const char *word;
		enum twilio_keyword keyword;
	} words[] = {
		{"STOP", KEYWORD_STOP},
		{"STOPALL", KEYWORD_STOP},
		{"UNSUBSCRIBE", KEYWORD_STOP},
		{"CANCEL", KEYWORD_STOP},
		{"END", KEYWORD_STOP},
		{"QUIT", KEYWORD_STOP},
		{"REVOKE", KEYWORD_STOP},
		{"OPTOUT", KEYWORD_STOP},
		{"START", KEYWORD_START},
		{"YES", KEYWORD_START},
		{"UNSTOP", KEYWORD_START},
		{"HELP", KEYWORD_HELP},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_equal_nocase(str_trim(body), str_from(words[i].word)))
			return words[i].keyword;
	}
	return KEYWORD_NONE;
}

static bool is_between(const struct twilio_message *message, struct str number, struct str person)
{
	return strcmp(message->direction, "inbound") == 0 &&
	       str_equal(str_from(message->to), number) &&
	       str_equal(str_from(message->from), person);
}

bool twilio_has_opted_out(const struct twilio *twilio, struct str number, struct str person)
{
	const struct twilio_number *ours = twilio_number_find(twilio, number);
	const struct twilio_message *at;

	if (ours == NULL || ours->no_opt_out)
		return false;
	TAILQ_FOREACH_REVERSE(at, &twilio->messages, twilio_messages, link)
	{
		enum twilio_keyword keyword;
		if (!is_between(at, number, person))
			continue;
		keyword = twilio_keyword_of(str_from(at->body));
		if (keyword == KEYWORD_STOP || keyword == KEYWORD_START)
			return keyword == KEYWORD_STOP;
	}
	return false;
}

/* -- what is refused ---------------------------------------------------------------------------------- */

static size_t characters(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.size; i++)
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return count;
}

static struct twilio_refusal check_whole(const struct twilio_draft *draft)
{
	if (draft->to.size == 0)
		return (struct twilio_refusal){21604, "A 'To' phone number is required."};
	if (draft->from.size == 0)
		return (struct twilio_refusal){21603, "A 'From' phone number is required."};
	if (draft->body.size == 0 && draft->media_count == 0 && draft->content_sid.size == 0)
		return (struct twilio_refusal){21602, "Message body is required."};
	if (characters(draft->body) > MAX_BODY_CHARACTERS)
		return (struct twilio_refusal){
			21617, "The concatenated message body exceeds the 1600 character limit"};
	if (draft->media_count > 10)
		return (struct twilio_refusal){
			21623, "Number of media files exceeds allowed limit"};
	return (struct twilio_refusal){0};
}

static struct twilio_refusal check_addresses(
	const struct twilio *twilio, const struct twilio_draft *draft)
{
	const struct twilio_number *ours = twilio_number_find(twilio, twilio_bare(draft->from));
	bool whatsapp = twilio_is_whatsapp(draft->from);
	bool owned = ours != NULL && str_equal(str_from(ours->account_sid), draft->account_sid);

	if (!twilio_is_e164(twilio_bare(draft->to)))
		return (struct twilio_refusal){21211, "Invalid 'To' Phone Number"};
	if (whatsapp != twilio_is_whatsapp(draft->to))
		return (struct twilio_refusal){21910,
			"Invalid From and To pair. From and To should be of the same channel"};
	if (whatsapp && (!owned || ours->whatsapp_url[0] == '\0'))
		return (struct twilio_refusal){
			63007, "Twilio could not find a Channel with the specified From address"};
	if (!owned)
		return (struct twilio_refusal){21606,
			"The 'From' phone number provided is not a valid message-capable "
			"Twilio phone number for this destination"};
	if (str_equal(twilio_bare(draft->from), twilio_bare(draft->to)))
		return (struct twilio_refusal){21266, "'To' and 'From' number cannot be the same"};
	return (struct twilio_refusal){0};
}

static struct twilio_refusal check_person(
	const struct twilio *twilio, const struct twilio_draft *draft)
{
	const struct twilio_number *ours = twilio_number_find(twilio, twilio_bare(draft->from));
	const struct twilio_person *person = twilio_person_find(twilio, twilio_bare(draft->to));

	if (ours->trial && (person == NULL || !person->verified))
		return (struct twilio_refusal){21608,
			"The number is unverified. Trial accounts cannot send messages to "
			"unverified numbers"};
	if (!twilio_is_whatsapp(draft->to) && twilio_has_opted_out(twilio, draft->from, draft->to))
		return (struct twilio_refusal){21610, "Attempt to send to unsubscribed recipient"};
	return (struct twilio_refusal){0};
}

struct twilio_refusal twilio_message_check(
	const struct twilio *twilio, const struct twilio_draft *draft)
{
	struct twilio_refusal refusal = check_whole(draft);

	if (refusal.code == 0)
		refusal = check_addresses(twilio, draft);
	return refusal.code == 0 ? check_person(twilio, draft) : refusal;
}

/* -- shown -------------------------------------------------------------------------------------------- */

static void put_error(const struct twilio_message *message, struct json_writer *writer)
{
	json_put_name(writer, "error_code");
	if (message->error_code != 0)
		json_put_int(writer, message->error_code);
	else
		json_put_null(writer);
}

static void put_null(struct json_writer *writer, const char *name)
{
	json_put_name(writer, name);
	json_put_null(writer);
}

static void put_dates(const struct twilio_message *message, struct json_writer *writer)
{
	char created[TWILIO_DATE_BYTES], updated[TWILIO_DATE_BYTES];

	twilio_date(message->at_ms, created);
	twilio_date(message->updated_ms, updated);
	json_put_member_str(writer, "date_created", str_from(created));
	if (strcmp(message->status, "queued") == 0)
		put_null(writer, "date_sent");
	else
		json_put_member_str(writer, "date_sent", str_from(updated));
	json_put_member_str(writer, "date_updated", str_from(updated));
}

static void put_text_number(struct json_writer *writer, const char *name, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	json_put_member_str(writer, name, str_from(text));
}

void twilio_message_write(const struct twilio_message *message, struct json_writer *writer)
{
	char uri[160];

	json_open_object(writer);
	json_put_member_str(writer, "account_sid", str_from(message->account_sid));
	json_put_member_str(writer, "api_version", STR("2010-04-01"));
	json_put_member_str(writer, "body", str_from(message->body));
	put_dates(message, writer);
	json_put_member_str(writer, "direction", str_from(message->direction));
	put_error(message, writer);
	put_null(writer, "error_message");
	json_put_member_str(writer, "from", str_from(message->from));
	put_null(writer, "messaging_service_sid");
	put_text_number(writer, "num_media", message->media_count);
	put_text_number(writer, "num_segments", 1 + (unsigned)strlen(message->body) / 153);
	put_null(writer, "price");
	put_null(writer, "price_unit");
	json_put_member_str(writer, "sid", str_from(message->sid));
	json_put_member_str(writer, "status", str_from(message->status));
	snprintf(uri, sizeof(uri), "/2010-04-01/Accounts/%s/Messages/%s/Media.json",
		message->account_sid, message->sid);
	json_put_name(writer, "subresource_uris");
	json_open_object(writer);
	json_put_member_str(writer, "media", str_from(uri));
	json_close_object(writer);
	json_put_member_str(writer, "to", str_from(message->to));
	snprintf(uri, sizeof(uri), "/2010-04-01/Accounts/%s/Messages/%s.json", message->account_sid,
		message->sid);
	json_put_member_str(writer, "uri", str_from(uri));
	json_close_object(writer);
}

static void put_media(const struct twilio_message *message, struct json_writer *writer)
{
	struct str rest = str_from(message->media);

	json_put_name(writer, "media");
	json_open_array(writer);
	while (rest.data != NULL && rest.size > 0)
		json_put_str(writer, str_cut(&rest, '\n'));
	json_close_array(writer);
}

void twilio_message_write_ours(const struct twilio_message *message, struct json_writer *writer)
{
	json_open_object(writer);
	json_put_member_str(writer, "sid", str_from(message->sid));
	json_put_member_str(writer, "account_sid", str_from(message->account_sid));
	json_put_member_str(writer, "from", str_from(message->from));
	json_put_member_str(writer, "to", str_from(message->to));
	json_put_member_str(writer, "body", str_from(message->body));
	json_put_member_str(writer, "direction", str_from(message->direction));
	json_put_member_str(writer, "status", str_from(message->status));
	put_error(message, writer);
	json_put_member_str(writer, "content_sid", str_from(message->content_sid));
	put_media(message, writer);
	json_put_member_int(writer, "at_ms", message->at_ms);
	json_put_member_int(writer, "updated_ms", message->updated_ms);
	json_close_object(writer);
}
