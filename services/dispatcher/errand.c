/*
 * errand: which request a delivery needs next.
 *
 * In mode "replace" a newer state is a new message, and then the old one is deleted (ADR 0010). An
 * unknown send ends that for its call and chat: from then on the message that is known is edited,
 * so that nothing more can be doubled.
 */
#include "dispatcher.h"

#include <stdlib.h>

bool delivery_behind(const struct delivery *delivery)
{
	return delivery->sent_version < delivery->call->version;
}

bool delivery_needs(const struct delivery *delivery)
{
	return delivery_behind(delivery) || delivery->old_count > 0;
}

/* What Telegram would not delete any more is not replaced, either. */
static bool delivery_replaces(const struct delivery *delivery)
{
	return delivery->call->replace && delivery->unknown_sends == 0 &&
	       delivery->old_count < DELIVERY_MAX_OLD &&
	       clock_wall_ms() - delivery->sent_ms < DELIVERY_CHANGE_MS;
}

/* A final state that was told is never told by a second message: corrections and recordings are edits,
 * and who has deleted the message does not want it back. */
static enum errand_kind delivery_tell(const struct delivery *delivery)
{
	if (delivery->call->remove)
		return delivery->message_id != 0 ? ERRAND_DELETE : ERRAND_NONE;
	if (delivery->sent_final)
		return delivery->message_id != 0 ? ERRAND_EDIT : ERRAND_NONE;
	if (delivery->message_id == 0)
		return ERRAND_SEND;
	return delivery_replaces(delivery) ? ERRAND_SEND : ERRAND_EDIT;
}

enum errand_kind delivery_next(const struct delivery *delivery)
{
	enum errand_kind tell = delivery_behind(delivery) ? delivery_tell(delivery) : ERRAND_NONE;
	if (tell != ERRAND_NONE)
		return tell;
	return delivery->old_count > 0 ? ERRAND_CLEAR : ERRAND_NONE;
}

bool delivery_sends(const struct delivery *delivery)
{
	return delivery_next(delivery) == ERRAND_SEND;
}

void delivery_drop_old(struct delivery *delivery)
{
	if (delivery->old_count == 0)
		return;
	delivery->old_count--;
	memmove(&delivery->old_ids[0], &delivery->old_ids[1],
		delivery->old_count * sizeof(delivery->old_ids[0]));
}

/* -- buttons -------------------------------------------------------------------------------------- */

void delivery_set_markup(struct delivery *delivery, const char *markup)
{
	char *old = delivery->markup;
	delivery->markup = markup != NULL ? alloc_text(str_from(markup)) : NULL;
	free(old);
}

const char *delivery_markup(const struct delivery *delivery)
{
	const char *markup = delivery->markup != NULL ? delivery->markup : delivery->call->markup;
	return markup != NULL ? markup : "";
}
