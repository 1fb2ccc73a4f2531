/*
 * twilio_connect: <Connect><Stream>: the call waits until the application closes the socket; then the
 * action says what comes.
 */
#include "twilio_stream.h"

struct connect_state {
	struct call_run run;
};

static void finish(struct twilio_call *call)
{
	struct connect_state *state = call->verb_state;
	struct twilio_stream *stream = call->stream;

	call->stream = NULL;
	document_action(call, &state->run, false);
	if (stream == NULL)
		return;
	document_field(call, &state->run, "StreamSid", stream_sid(stream));
	stream_leave(stream);
}

static void begin(struct twilio_call *call, struct call_run *run)
{
	struct connect_state *state = call->verb_state;
	const struct xml_node *node = run->node->first;

	state->run = *run;
	while (node != NULL && !xml_is(node, "Stream"))
		node = node->next;
	if (node != NULL)
		call->stream = stream_open(call, run, node);
	if (call->stream != NULL)
		return;
	finish(call);
	call->verb_over = true;
}

static bool tick(struct twilio_call *call, const uint8_t *said, uint8_t *heard)
{
	if (!stream_is_over(call->stream)) {
		stream_frame(call->stream, said, heard);
		return false;
	}
	finish(call);
	return true;
}

static void key(struct twilio_call *call, char pressed)
{
	stream_key(call->stream, pressed);
}

const struct call_verb verb_connect = {
	"Connect", sizeof(struct connect_state), begin, tick, key, NULL, finish};
