/*
 * message: which template tells the call's present state.
 */
#include "message.h"

#include "message_texts.h"
#include "message_values.h"

static bool ringing(const struct call *call, enum message_template *which)
{
	*which = call->direction == CALL_INCOMING ? TEMPLATE_RINGING_INCOMING
						  : TEMPLATE_RINGING_OUTGOING;
	return call->direction == CALL_INCOMING || call->direction == CALL_OUTGOING;
}

static bool talking(const struct call *call, enum message_template *which)
{
	static const enum message_template by_direction[] = {
		[CALL_INCOMING] = TEMPLATE_TALKING_INCOMING,
		[CALL_OUTGOING] = TEMPLATE_TALKING_OUTGOING,
		[CALL_INTERNAL] = TEMPLATE_TALKING_INTERNAL,
	};
	*which = by_direction[call->direction];
	return call->direction != CALL_UNKNOWN;
}

/* A lost call that nobody was told of is not worth a message. */
static bool lost(const struct call *call, enum message_template *which)
{
	*which = call->direction == CALL_INCOMING ? TEMPLATE_LOST_INCOMING : TEMPLATE_LOST_OUTGOING;
	return call->direction == CALL_INCOMING || call->direction == CALL_OUTGOING;
}

static bool over(const struct call *call, enum message_template *which)
{
	static const enum message_template answered[] = {
		[CALL_UNKNOWN] = TEMPLATE_ANSWERED_UNKNOWN,
		[CALL_INCOMING] = TEMPLATE_ANSWERED_INCOMING,
		[CALL_OUTGOING] = TEMPLATE_ANSWERED_OUTGOING,
		[CALL_INTERNAL] = TEMPLATE_ANSWERED_INTERNAL,
	};
	static const enum message_template missed[] = {
		[CALL_UNKNOWN] = TEMPLATE_MISSED_UNKNOWN,
		[CALL_INCOMING] = TEMPLATE_MISSED_INCOMING,
		[CALL_OUTGOING] = TEMPLATE_MISSED_OUTGOING,
		[CALL_INTERNAL] = TEMPLATE_MISSED_INTERNAL,
	};
	if (call->state == CALL_LOST && !call->answered)
		return lost(call, which);
	*which = call->answered ? answered[call->direction] : missed[call->direction];
	return call->state != CALL_LOST || call->direction != CALL_UNKNOWN;
}

static bool choose(const struct call *call, enum message_template *which)
{
	*which = TEMPLATE_GREETING;
	switch (call->state) {
	case CALL_GREETING:
		return call->direction == CALL_INCOMING;
	case CALL_RINGING:
		return ringing(call, which);
	case CALL_TALKING:
		return talking(call, which);
	default:
		return over(call, which);
	}
}

bool message_render(const struct message_view *view, struct buf *to)
{
	const struct tenant_settings *settings = view->tenant->settings;
	enum message_template which = TEMPLATE_GREETING;
	const char *own = NULL;
	if (!choose(view->call, &which))
		return false;
	if (settings != NULL && settings->templates != NULL)
		own = settings->templates[which];
	/* A text of one's own may be of nothing but what this call has not. */
	return (own != NULL && message_template_fill(view, str_from(own), to)) ||
	       message_template_fill(
		       view, str_from(message_template_default(view->tenant->locale, which)), to);
}
