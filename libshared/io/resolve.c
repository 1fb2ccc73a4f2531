/*
 * resolve: see resolve.h.
 *
 * evdns may answer within the call that asks, and answers a cancelled question later, too: so an
 * answer waits for a turn of its own, and a cancelled question frees itself when its answer is there.
 */
#include "resolve.h"

#include "alloc.h"
#include "loop_private.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>

struct resolve {
	struct loop *loop;
	resolve_done_fn *done; /* NULL: cancelled */
	void *owner;
	struct evdns_getaddrinfo_request *request;
	struct loop_task task;
	struct evutil_addrinfo *found;
	int result;
	bool answered;
};

/* Nothing is read or opened before the first name is asked for. */
static struct evdns_base *resolver(struct loop *loop)
{
	if (loop->dns == NULL)
		loop->dns = evdns_base_new(loop->base,
			EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	return loop->dns;
}

void resolve_loop_free(struct loop *loop)
{
	if (loop->dns == NULL)
		return;
	evdns_base_free(loop->dns, 1);
	loop->dns = NULL;
	/* Questions that were open are told so by events of their own. */
	(void)event_base_loop(loop->base, EVLOOP_NONBLOCK);
}

static void drop(struct resolve *resolve)
{
	loop_undefer(resolve->loop, &resolve->task);
	if (resolve->found != NULL)
		evutil_freeaddrinfo(resolve->found);
	free(resolve);
}

static void tell(void *owner)
{
	struct resolve *resolve = owner;
	struct addrinfo *found = resolve->found;
	const char *words = found != NULL ? NULL : evutil_gai_strerror(resolve->result);

	resolve->found = NULL;
	resolve->done(resolve->owner, found, words);
	drop(resolve);
}

static void keep(struct resolve *resolve, int result, struct evutil_addrinfo *found)
{
	resolve->answered = true;
	resolve->request = NULL;
	resolve->result = result;
	resolve->found = found;
	loop_defer(resolve->loop, &resolve->task);
}

static void on_answer(int result, struct evutil_addrinfo *found, void *owner)
{
	struct resolve *resolve = owner;

	keep(resolve, result, found);
	if (resolve->done == NULL)
		drop(resolve);
}

struct resolve *resolve_start(
	struct loop *loop, const char *host, int port, resolve_done_fn *done, void *owner)
{
	const struct evutil_addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_protocol = IPPROTO_TCP,
		.ai_flags = EVUTIL_AI_NUMERICSERV,
	};
	struct resolve *resolve = alloc_zeroed(1, sizeof(*resolve));
	struct evdns_getaddrinfo_request *request;
	char service[12];

	resolve->loop = loop;
	resolve->done = done;
	resolve->owner = owner;
	resolve->task = (struct loop_task){.run = tell, .owner = resolve};
	(void)snprintf(service, sizeof(service), "%d", port);
	if (resolver(loop) == NULL) {
		keep(resolve, EVUTIL_EAI_FAIL, NULL);
		return resolve;
	}
	request = evdns_getaddrinfo(loop->dns, host, service, &hints, on_answer, resolve);
	if (!resolve->answered)
		resolve->request = request;
	return resolve;
}

void resolve_cancel(struct resolve **resolve)
{
	struct resolve *gone = *resolve;

	*resolve = NULL;
	if (gone == NULL)
		return;
	gone->done = NULL;
	if (gone->answered)
		drop(gone);
	else
		evdns_getaddrinfo_cancel(gone->request);
}

void resolve_free(struct addrinfo *found)
{
	evutil_freeaddrinfo(found);
}
