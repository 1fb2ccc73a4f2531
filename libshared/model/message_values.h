/*
 * message_values: what the {placeholders} of a template stand for. Private to model.
 */
#ifndef CALLWEAVE_MESSAGE_VALUES_H
#define CALLWEAVE_MESSAGE_VALUES_H

#include "message.h"

/* In the order of the table in message_values.c. */
enum message_value {
	VALUE_MARK,
	VALUE_CLIENT,
	VALUE_PHONE,
	VALUE_CUSTOMER,
	VALUE_BLACK_LIST,
	VALUE_CALLER,
	VALUE_CALLEE,
	VALUE_TALKER,
	VALUE_MANAGER,
	VALUE_MOBILE,
	VALUE_MANAGERS,
	VALUE_LINE,
	VALUE_TRUNK,
	VALUE_BUSY_LINE,
	VALUE_TRANSFERS,
	VALUE_FOLLOWME,
	VALUE_START,
	VALUE_DURATION,
	VALUE_HISTORY,
	VALUE_HISTORY_SHORT,
	VALUE_CALLS,
	VALUE_LAST_CALL,
	VALUE_RECORDING,
	VALUE_RECORDING_URL,
	MESSAGE_VALUES
};

bool message_value_from(struct str name, enum message_value *which);

/* Append it as HTML; nothing when it is empty. */
void message_value_add(const struct message_view *view, enum message_value which, struct buf *to);

/* Append the template's lines that have something to show. False: there are none. */
bool message_template_fill(const struct message_view *view, struct str text, struct buf *to);

/* Append anything that came from outside: cut, escaped, on one line. */
void message_add_datum(struct buf *to, const char *datum);

/* "Иванов Пётр (151)", "151"; in parentheses also without a name, where lists are of names. */
void message_add_manager(
	const struct tenant *tenant, const char *extension, bool parentheses, struct buf *to);

/* Append "[2 перевода: 151→152→150]", or what it is while they talk; see message_transfers.c. */
void message_add_transfers(const struct message_view *view, struct buf *to);

/* Append the list of those whose phones rang. */
void message_add_managers(const struct message_view *view, struct buf *to);

/* Append the lines "Звонил: 3 раза", "Последний раз: ..." and perhaps how that one ended. */
void message_add_history(const struct message_view *view, bool with_result, struct buf *to);
void message_add_calls(const struct message_view *view, struct buf *to); /* "3 раза" */
void message_add_last_call(
	const struct message_view *view, struct buf *to); /* "15.09.2025 в 20:17" */

/* Who talks, or talked last, to the other side; "" nobody. */
const char *message_talker(const struct call *call);

#endif
