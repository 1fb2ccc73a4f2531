/*
 * twilio_message: texts and chats, both ways, and what became of them.
 */
#ifndef SANDBOX_TWILIO_MESSAGE_H
#define SANDBOX_TWILIO_MESSAGE_H

#include "twilio_store.h"

#define TWILIO_WINDOW_MS (24 * 3600000LL) /* of WhatsApp, after the person's last message */

struct twilio_message {
	TAILQ_ENTRY(twilio_message) link;
	char sid[TWILIO_SID_BYTES];
	char *account_sid, *from, *to, *body, *status_callback, *content_sid;
	char *media;	       /* URLs, one a line */
	const char *direction; /* constants: "inbound", "outbound-api", "outbound-reply" */
	const char *status;
	unsigned media_count;
	int error_code;
	int64_t at_ms, updated_ms;
};

struct twilio_draft {
	struct str account_sid, from, to, body, status_callback, content_sid, media;
	const char *direction;
	unsigned media_count;
	int64_t age_ms; /* it shall have come so long ago */
};

struct twilio_message *twilio_message_add(struct twilio *twilio, const struct twilio_draft *draft);
struct twilio_message *twilio_message_find(const struct twilio *twilio, struct str sid);
void twilio_messages_clear(struct twilio *twilio);

/* What Twilio would not take: its code and words; 0: nothing is wrong. */
struct twilio_refusal {
	int code;
	const char *words;
};
struct twilio_refusal twilio_message_check(
	const struct twilio *twilio, const struct twilio_draft *draft);

/* Carry it: statuses change and are told, one after the other. */
void twilio_message_carry(struct twilio *twilio, struct twilio_message *message);

/* Twilio's own handling of STOP, START and HELP. */
enum twilio_keyword { KEYWORD_NONE, KEYWORD_STOP, KEYWORD_START, KEYWORD_HELP };
enum twilio_keyword twilio_keyword_of(struct str body);
bool twilio_has_opted_out(const struct twilio *twilio, struct str number, struct str person);

/* As the REST API shows it; `ours`: as tests see it. */
void twilio_message_write(const struct twilio_message *message, struct json_writer *writer);
void twilio_message_write_ours(const struct twilio_message *message, struct json_writer *writer);

#endif
