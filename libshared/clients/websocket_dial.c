/* websocket_dial: to come. */
#include "websocket_private.h"
struct websocket *websocket_connect(struct loop *loop, const struct websocket_target *target,
	const struct websocket_options *options, struct error *error)
{
	(void)error_set(error, ERROR_INTERNAL, "not yet");
	return NULL;
}
void websocket_dial_ready(struct websocket *websocket)
{
}
void websocket_dial_late(struct websocket *websocket)
{
}
void websocket_dial_free(struct websocket_dial **dial)
{
	*dial = NULL;
}
