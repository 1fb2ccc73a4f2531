/*
 * message: the text of a call's live message in Telegram's HTML.
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

/* Append the message for the call's present state. False: this state is not shown (an internal call
 * that nobody has answered yet), and nothing is appended. */
bool message_render(const struct call *call, const struct tenant *tenant, struct buf *to);

#endif
