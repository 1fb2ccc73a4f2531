/*
 * http_client_parts: what the files of http_client share: a transfer, addresses, the heads of answers.
 * Private to them.
 */
#ifndef CALLWEAVE_HTTP_CLIENT_PARTS_H
#define CALLWEAVE_HTTP_CLIENT_PARTS_H

#include "buf.h"
#include "http_client.h"

#include <curl/curl.h>

struct http_client {
	struct loop *loop;
	CURLM *multi;
	CURLSH *share; /* TLS sessions */
	struct loop_timer *timer;
	struct http_client_options options;
	char *user_agent;
	struct transfer *transfers;
	unsigned calls;
};

struct transfer {
	struct flow_op op;
	struct http_client *client;
	struct arena *arena;
	const struct http_call *call;
	struct http_answer *answer;
	struct http_feed *feed; /* that takes its pieces; NULL: it is answered as a whole */
	struct transfer *next, **link;
	CURL *easy;
	struct curl_slist *headers;
	struct loop_timer *limit;
	struct buf body;
	struct buf head; /* with want_headers: "name: value" lines */
	int64_t begun_ms;
	unsigned requests;		 /* begun to be sent; never above 1 */
	char denied[ADDRESS_TEXT_BYTES]; /* an address that it may not be sent to */
};

/* -- http_client.c */

/* NULL: `answer` says why it cannot even begin. */
struct transfer *http_transfer_begin(struct flow *flow, struct http_client *client,
	const struct http_call *call, struct http_answer *answer, struct http_feed *feed);
/* Fill the answer, tell who waits, free. Never inside curl's stack. */
void http_transfer_end(struct transfer *transfer, CURLcode code);
void http_transfer_free(struct transfer *transfer);

/* -- http_client_feed.c */

size_t http_feed_take(struct http_feed *feed, struct str data); /* for CURLOPT_WRITEFUNCTION */
void http_feed_head(struct http_feed *feed);			/* it is whole: answer->status */
void http_feed_ended(struct http_feed *feed);			/* the transfer goes */

/* -- http_client_parts.c */

/* False: `denied` says which address it is that may not be reached. */
bool http_may_reach(const struct http_client_options *options, const struct curl_sockaddr *to,
	char denied[ADDRESS_TEXT_BYTES]);

/* For CURLOPT_HEADERFUNCTION: one line of a head into transfer->head, as "name: value". Of several
 * heads (100 Continue) the last one counts; what the buffer does not hold is passed over. */
size_t http_head_take(char *line, size_t one, size_t size, void *transfer);

/* Status, Retry-After, took_ms and headers into the answer. */
void http_head_done(struct transfer *transfer);

#endif
