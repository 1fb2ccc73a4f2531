/*
 * message_history: what was between us and the other side before this call.
 */
#include "message_values.h"

#include "message_grammar.h"
#include "message_texts.h"

static bool has_history(const struct message_view *view)
{
	return view->customer != NULL && view->customer->calls > 0;
}

static void add_word(const struct message_view *view, enum message_text word, struct buf *to)
{
	buf_add(to, str_from(message_text(view->tenant->locale, word)));
}

void message_add_calls(const struct message_view *view, struct buf *to)
{
	if (has_history(view))
		grammar_add_times(view->tenant->locale, view->customer->calls, to);
}

void message_add_last_call(const struct message_view *view, struct buf *to)
{
	if (!has_history(view) || view->customer->last_ms == CALL_NO_TIME)
		return;
	struct clock_civil at = clock_to_civil(view->customer->last_ms, view->tenant->zone);
	buf_printf(to, "%02d.%02d.%04d %s %02d:%02d", at.day, at.month, at.year,
		message_text(view->tenant->locale, TEXT_AT), at.hour, at.minute);
}

/* How the last one ended, and with whom. */
static void add_last_result(const struct message_view *view, struct buf *to)
{
	static const enum message_text missed[] = {
		[CALL_UNKNOWN] = TEXT_LAST_MISSED,
		[CALL_INCOMING] = TEXT_LAST_MISSED_IN,
		[CALL_OUTGOING] = TEXT_LAST_MISSED_OUT,
		[CALL_INTERNAL] = TEXT_LAST_MISSED,
	};
	const struct message_customer *customer = view->customer;
	if (!customer->last_answered) {
		add_word(view, missed[customer->last_direction], to);
		return;
	}
	add_word(view, TEXT_LAST_TALKED, to);
	if (customer->last_extension[0] == '\0')
		return;
	buf_add(to, STR(": ☎️"));
	message_add_manager(view->tenant, customer->last_extension, false, to);
}

void message_add_history(const struct message_view *view, bool with_result, struct buf *to)
{
	if (!has_history(view))
		return;
	add_word(view, TEXT_CALLS, to);
	buf_add_char(to, ' ');
	message_add_calls(view, to);
	if (view->customer->last_ms == CALL_NO_TIME)
		return;
	buf_add_char(to, '\n');
	add_word(view, TEXT_LAST_CALL, to);
	buf_add_char(to, ' ');
	message_add_last_call(view, to);
	if (with_result) {
		buf_add_char(to, '\n');
		add_last_result(view, to);
	}
}
