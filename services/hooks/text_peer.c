/*
 * text_peer: see text_peer.h. JIDs are WhatsApp's: user[:device]@server.
 */
#include "text_peer.h"

#include "phone.h"

#include <stdio.h>

const char *text_channel(struct str address)
{
	return str_starts(address, STR("whatsapp:")) ? "whatsapp" : "sms";
}

/* The number of a JID always holds its country code, and never the plus. */
static enum text_peer read_number_jid(struct str user, char to[TEXT_PEER_BYTES])
{
	char international[TEXT_PEER_BYTES], e164[PHONE_TEXT_BYTES];

	if (!str_is_digits(user) || user.size > 18)
		return TEXT_PEER_WRONG;
	snprintf(international, sizeof(international), "+%.*s", STR_ARG(user));
	if (!phone_e164(str_from(international), "", e164))
		return TEXT_PEER_WRONG;
	str_copy(to, TEXT_PEER_BYTES, str_from(e164));
	return TEXT_PEER_PERSON;
}

static enum text_peer read_jid(struct str jid, char to[TEXT_PEER_BYTES])
{
	struct str server = jid, user = str_cut(&server, '@'), device = user;

	user = str_cut(&device, ':');
	if (str_equal(server, STR("s.whatsapp.net")) || str_equal(server, STR("c.us")))
		return read_number_jid(user, to);
	if (!str_equal(server, STR("lid")))
		return TEXT_PEER_IGNORED;
	if (!str_is_digits(user) || user.size > 32)
		return TEXT_PEER_WRONG;
	snprintf(to, TEXT_PEER_BYTES, "lid:%.*s", STR_ARG(user));
	return TEXT_PEER_LID;
}

enum text_peer text_peer_read(struct str sent, const char *country, char to[TEXT_PEER_BYTES])
{
	char e164[PHONE_TEXT_BYTES];

	to[0] = '\0';
	while (str_starts(sent, STR("whatsapp:"))) { /* some send it twice */
		sent.data += sizeof("whatsapp:") - 1;
		sent.size -= sizeof("whatsapp:") - 1;
	}
	sent = str_trim(sent);
	if (sent.size == 0)
		return TEXT_PEER_WRONG;
	if (memchr(sent.data, '@', sent.size) != NULL)
		return read_jid(sent, to);
	if (str_starts(sent, STR("lid:")))
		return str_copy(to, TEXT_PEER_BYTES, sent) ? TEXT_PEER_LID : TEXT_PEER_WRONG;
	if (phone_e164(sent, country, e164)) {
		str_copy(to, TEXT_PEER_BYTES, str_from(e164));
		return TEXT_PEER_PERSON;
	}
	if (!str_is_utf8(sent) || !str_copy(to, TEXT_PEER_BYTES, sent))
		return TEXT_PEER_WRONG;
	return TEXT_PEER_NAME;
}
