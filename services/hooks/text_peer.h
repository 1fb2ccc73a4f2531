/*
 * text_peer: one person, whatever a provider calls him.
 */
#ifndef HOOKS_TEXT_PEER_H
#define HOOKS_TEXT_PEER_H

#include "str.h"

#define TEXT_PEER_BYTES 64

enum text_peer {
	TEXT_PEER_PERSON, /* E.164 */
	TEXT_PEER_LID,	  /* "lid:<digits>": WhatsApp's id of who hides his number */
	TEXT_PEER_NAME, /* a short code or the name of a sender: as it came, and not to be answered */
	TEXT_PEER_IGNORED, /* groups, broadcasts, channels */
	TEXT_PEER_WRONG,   /* nobody at all */
};

/* "whatsapp:+972501234567", "+972 50-123-4567", "972501234567:12@s.whatsapp.net", "123@lid"; a national
 * number by the enterprise's country ("IL", "" none). */
enum text_peer text_peer_read(struct str sent, const char *country, char to[TEXT_PEER_BYTES]);

/* "sms" or "whatsapp", by an address of Twilio. */
const char *text_channel(struct str address);

#endif
