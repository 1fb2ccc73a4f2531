/*
 * fold_known: what can be asked of a fold without changing it.
 */
#include "fold_private.h"

bool call_fold_has_open(const struct call_fold *fold, struct str unique_id, struct str bridge_id)
{
	const struct fold_channel *channel =
		unique_id.size > 0 ? fold_channel_find(fold, unique_id) : NULL;
	const struct fold_bridge *bridge =
		bridge_id.size > 0 ? fold_bridge_find(fold, bridge_id) : NULL;

	return (channel != NULL && !fold_call_closed(channel->call)) ||
	       (bridge != NULL && !fold_call_closed(bridge->call));
}
