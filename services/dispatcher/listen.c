/*
 * listen: see listen.h. One table: who is told of what. Announcements are hints: what they are about
 * is read from the tables, so one that repeats or melts into another does no harm.
 */
#include "listen.h"

#include "dispatcher.h"

#define NOTICE_WAIT_MS 60000

const char *const listen_channels[] = {
	"callweave_config", "callweave_recording", "callweave_customers", "callweave_refold", NULL};

static void config_changed(struct dispatcher *d, const char *payload)
{
	directory_want(d);
}

static void recording_came(struct dispatcher *d, const char *payload)
{
	recordings_want(d);
}

/* In the order of listen_channels. */
static void (*const listeners[])(struct dispatcher *d, const char *payload) = {
	config_changed, recording_came, people_notice, refolding_want};

static enum flow_status listen_wait(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	return await_pg_notice(flow, d->listen, NOTICE_WAIT_MS);
}

/* After a gap anything may have changed: a notice without payload is for everybody. */
static enum flow_status listen_take(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct pg_notice notice;
	while (pg_listen_take(d->listen, &notice)) {
		for (unsigned i = 0; listen_channels[i] != NULL; i++) {
			if (notice.payload[0] == '\0' ||
				strcmp(notice.channel, listen_channels[i]) == 0)
				listeners[i](d, notice.payload);
		}
	}
	return flow_goto(flow, 0);
}

static const struct flow_step listen_steps[] = {
	{"wait", listen_wait},
	{"take", listen_take},
	{NULL, NULL},
};

const struct flow_spec listen_flow = {
	.name = "listen", .steps = listen_steps, .deadline_ms = FLOW_FOREVER};
