/*
 * events: the chats' news for pages, as Server-Sent Events.
 *
 * A reader gets the latest messages at once and then every change. Changes that come close together
 * travel together, so that a busy minute does not drown a browser.
 */
#include "sandbox.h"

#include "crm.h"
#include "messages.h"
#include "telegram.h"
#include "twilio.h"

#include <inttypes.h>

/* Proxies cut streams that are silent for 30 to 60 seconds. */
#define PING_MS 15000
/* Too short to be seen, long enough that a burst of edits is one repaint. */
#define GATHER_MS 60
/* As many as the page shows of one chat. Older changes than these are not told: the page has
 * their newest state, or never shows them. */
#define MAX_AT_ONCE 300
#define MAX_PIECE   (15u << 20)

enum { EVENTS_OPEN, EVENTS_SEND, EVENTS_WAIT, EVENTS_GATHER };

struct events {
	int64_t seen;	  /* revision of the newest change that was told */
	int64_t seen_crm; /* the same of the CRMs */
	int64_t seen_twilio;
};

/* A reader that comes back begins anew with `seen` 0: the page clears itself when it reconnects,
 * which needs no Last-Event-ID and survives a restart of the sandbox. */
static enum flow_status open_stream(struct flow *flow)
{
	http_reply_header(flow, "Cache-Control", "no-store");
	http_stream_begin(flow, "text/event-stream");
	return FLOW_NEXT;
}

/* The oldest change that is news, at most MAX_AT_ONCE back. */
static const struct message *first_news(const struct messages *messages, int64_t seen)
{
	const struct message *first = NULL;
	int count = 0;

	for (const struct message *at = messages_last_changed(messages);
		at != NULL && at->revision > seen && count < MAX_AT_ONCE; at = at->before, count++)
		first = at;
	return first;
}

static void write_news(const struct messages *messages, int64_t seen, struct buf *to)
{
	const struct message *first;

	/* First, else the page would throw away what follows. */
	if (messages_cleared_revision(messages) > seen)
		buf_add(to, STR("event: reset\ndata: {}\n\n"));
	first = first_news(messages, seen);
	if (first == NULL)
		return;
	buf_add(to, STR("event: messages\ndata: ["));
	for (const struct message *at = first; at != NULL; at = at->after) {
		if (at != first)
			buf_add_char(to, ',');
		message_write(at, false, to);
	}
	buf_add(to, STR("]\n\n"));
}

/* Totals only: with ten thousand bots a page does not want them one by one. */
static void write_stats(struct sandbox *sandbox, struct buf *to)
{
	const struct telegram *telegram = sandbox_telegram(sandbox);
	struct peers_totals totals = peers_totals(telegram->peers);

	buf_printf(to,
		"event: stats\ndata: {\"messages\":%zu,\"calls\":%" PRId64
		",\"violations\":%" PRId64 "}\n\n",
		messages_count(telegram->messages), totals.calls, totals.violations);
}

/* Only that there are news: pages of CRMs ask for the lists that they show. */
static void write_crm_news(struct sandbox *sandbox, struct events *events, struct buf *to)
{
	int64_t revision = crm_revision(sandbox);

	if (revision == events->seen_crm)
		return;
	events->seen_crm = revision;
	buf_printf(to, "event: crm\ndata: {\"revision\":%" PRId64 "}\n\n", revision);
}

static void write_twilio_news(struct sandbox *sandbox, struct events *events, struct buf *to)
{
	int64_t revision = twilio_revision(sandbox);

	if (revision == events->seen_twilio)
		return;
	events->seen_twilio = revision;
	buf_printf(to, "event: twilio\ndata: {\"revision\":%" PRId64 "}\n\n", revision);
}

static enum flow_status send_news(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct events *events = flow_state(flow);
	const struct messages *messages = sandbox_telegram(sandbox)->messages;
	enum flow_status status;
	struct buf piece;

	buf_init(&piece, MAX_PIECE);
	write_news(messages, events->seen, &piece);
	if (piece.failed) /* half a text is worse than none: the page shows it with its next change */
		buf_clear(&piece);
	write_crm_news(sandbox, events, &piece);
	write_twilio_news(sandbox, events, &piece);
	write_stats(sandbox, &piece); /* also keeps the connection known to be alive */
	/* Before the wait: what changes while the reader takes this piece is news for the next. */
	events->seen = messages_revision(messages);
	status = await_http_stream(flow, buf_str(&piece));
	buf_free(&piece);
	return status;
}

static enum flow_status wait_for_news(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct events *events = flow_state(flow);

	if (sandbox->draining)
		return FLOW_END;
	/* Changes may have come while the last piece was on its way; their wake-up found nobody
	 * waiting. */
	if (messages_revision(sandbox_telegram(sandbox)->messages) != events->seen ||
		crm_revision(sandbox) != events->seen_crm ||
		twilio_revision(sandbox) != events->seen_twilio)
		return FLOW_NEXT;
	return await_queue_for(flow, &sandbox->changed, PING_MS);
}

static enum flow_status gather(struct flow *flow)
{
	return await_sleep(flow, GATHER_MS);
}

static enum flow_status again(struct flow *flow)
{
	return flow_goto(flow, EVENTS_SEND);
}

static const struct flow_step events_steps[] = {
	[EVENTS_OPEN] = {"open", open_stream},
	[EVENTS_SEND] = {"send", send_news},
	[EVENTS_WAIT] = {"wait", wait_for_news},
	[EVENTS_GATHER] = {"gather", gather},
	{"again", again},
	{NULL, NULL},
};

const struct flow_spec events_flow = {
	.name = "events",
	.steps = events_steps,
	.state_bytes = sizeof(struct events),
	.deadline_ms = FLOW_FOREVER, /* as long as the reader stays */
};
