/*
 * twilio_store: numbers, people, files, recordings and alerts: found, added, forgotten.
 */
#ifndef SANDBOX_TWILIO_STORE_H
#define SANDBOX_TWILIO_STORE_H

#include "twilio.h"

struct twilio_number *twilio_number_find(const struct twilio *twilio, struct str number);
struct twilio_person *twilio_person_find(const struct twilio *twilio, struct str number);
struct twilio_file *twilio_file_find(const struct twilio *twilio, struct str name);
struct twilio_recording *twilio_recording_find(const struct twilio *twilio, struct str sid);
bool twilio_account_allows(const struct twilio *twilio, struct str account_sid, struct str token);

void twilio_number_put(struct twilio *twilio, const struct twilio_number *from); /* copies */
void twilio_person_put(struct twilio *twilio, const struct twilio_person *from);
void twilio_file_put(struct twilio *twilio, struct str name, const void *mulaw, size_t bytes);
/* Takes the bytes over. */
struct twilio_recording *twilio_recording_add(
	struct twilio *twilio, const char *account_sid, const char *call_sid, struct buf *mulaw);

/* Of which call, message or stream, and at which address. */
struct twilio_place {
	const char *sid, *url;
};
/* Words: one line. */
void twilio_alert(struct twilio *twilio, int code, struct twilio_place place, const char *format,
	...) __attribute__((format(printf, 4, 5)));

void twilio_store_init(struct twilio *twilio);
void twilio_store_clear(struct twilio *twilio);

#endif
