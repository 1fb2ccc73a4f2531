/*
 * twilio_rest: Twilio's REST API of 2010-04-01: one route a handler.
 */
#ifndef SANDBOX_TWILIO_REST_H
#define SANDBOX_TWILIO_REST_H

#include "twilio_store.h"

struct twilio_rest {
	struct twilio *twilio;
	struct outside_call *call;
	struct str account; /* who asks, already known as the one */
	struct str sid;	    /* what {} of the route stands for */
	bool mp3;	    /* of a recording */
};

void rest_error(struct outside_call *call, int status, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void rest_missing(struct twilio_rest *rest); /* 404, 20404 */

/* twilio_rest_messages.c */
void rest_send_message(struct twilio_rest *rest);
void rest_list_messages(struct twilio_rest *rest);
void rest_show_message(struct twilio_rest *rest);
/* twilio_rest_calls.c */
void rest_make_call(struct twilio_rest *rest);
void rest_change_call(struct twilio_rest *rest);
void rest_show_call(struct twilio_rest *rest);
void rest_list_calls(struct twilio_rest *rest);
void rest_recording(struct twilio_rest *rest);

#endif
