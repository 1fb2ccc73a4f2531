/*
 * message: the text of a call's live message in Telegram's HTML, and its buttons.
 *
 * Texts, icons and order of lines: docs/protocol/telegram-messages.md. ☎️ is ours, 💰 the other side,
 * always. Every datum is escaped.
 */
#ifndef CALLWEAVE_MESSAGE_H
#define CALLWEAVE_MESSAGE_H

#include "call.h"
#include "tenant.h"

#define MESSAGE_MAX_BYTES 8192 /* of HTML */
#define MESSAGE_MAX_CHARACTERS                                                                     \
	4096 /* UTF-16 units after parsing (Bot API); longer lists are cut with "…" */

/* The other side, as the database knew it before this call counts. */
struct message_customer {
	const char *name; /* company or "Фамилия Имя Отчество"; "" not known */
	unsigned calls;	  /* earlier ones; 0: no history line */
	int64_t last_ms;  /* of the last one; CALL_NO_TIME */
	bool last_answered;
	enum call_direction last_direction;
	const char *last_extension; /* who talked; "" */
	bool black_list;
};

/* What a message shows. Nothing is owned. */
struct message_view {
	const struct call *call;
	const struct tenant *tenant;
	const struct message_customer *customer; /* NULL: not known (yet), or an internal call */
	const char *recording_url;		 /* "": there is none (yet) */
	const char *details_url;		 /* "": no link; used by message_buttons() */
	bool recovered;				 /* told afterwards: the header has 🔄 */
};

/* Append the message for the call's present state. False: this state is not shown (an internal call
 * that nobody has answered yet), and nothing is appended. */
bool message_render(const struct message_view *view, struct buf *to);

/* Who reads it: decides the buttons. */
struct message_reader {
	int64_t chat_id;
	bool owner;		   /* the enterprise's own chat: no buttons that ring a phone */
	const char *const *phones; /* the reader's own extensions and mobiles, digits */
	unsigned phone_count;
	struct str key;	  /* for signed_callback(); empty: no buttons that ring a phone */
	int64_t until_ms; /* buttons work until then */
};

/* Append reply_markup ({"inline_keyboard":[...]}) for the call's present state. False: no buttons,
 * and nothing is appended. */
bool message_buttons(
	const struct message_view *view, const struct message_reader *reader, struct buf *to);

#endif
