/*
 * click_pbx: how an enterprise's PBX is reached: member "ami" of enterprises.settings.
 *
 * {"host": "10.8.0.5", "port": 5038, "user": "callweave", "secret": "..." | "secret_file": "0367",
 *  "plain": false, "channel": "SIP/%s", "context": "inoffice", "number": "digits" | "e164" | "as_sent"}
 */
#ifndef PBX_API_CLICK_PBX_H
#define PBX_API_CLICK_PBX_H

#include "accounts.h"
#include "ami.h"

/* What a person clicked on, checked. */
struct click_want {
	struct str extension;
	struct str phone; /* E.164 */
	struct str sent;  /* the phone as it was sent */
};

/* Where an originate is put together from. Borrowed. */
struct click_source {
	const struct account *account;
	const struct click_want *want;
	const char *secrets_folder; /* of ami.secret_file; "": there is none */
};

/* Fill address, login, channel, context and the number that is dialled. False with words for the log
 * when the enterprise has no PBX to click on, or what it has is wrong. Texts live in the arena. */
bool click_pbx_read(const struct click_source *source, struct arena *arena, struct ami_call *call,
	struct error *error);

#endif
