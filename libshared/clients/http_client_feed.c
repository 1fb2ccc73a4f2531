/*
 * http_client_feed: an answer that is taken piece by piece while it comes.
 *
 * Curl's callbacks only fill a buffer and wake the flow that waits; when the buffer is full curl is
 * told to pause, so that the server, not our memory, has to wait. The transfer ends when it ends; the
 * feed lives on until its flow frees it.
 */
#include "http_client.h"

#include "alloc.h"
#include "http_client_parts.h"

#include <inttypes.h>
#include <stdlib.h>

/* Curl gives at most CURL_MAX_WRITE_SIZE (16 KiB) at once, which the buffer takes beyond this. */
enum { WINDOW_BYTES = 64 * 1024 };

struct http_feed {
	struct flow_op op;
	bool waits_for_head, waits_for_piece;
	struct loop_timer *patience; /* of who waits for a piece */
	int64_t patience_ms;
	struct transfer *transfer; /* NULL: it is over */
	struct http_answer *answer;
	struct buf body;
	size_t given; /* bytes at its front that the flow has been given */
	size_t came;  /* bytes since the beginning */
	bool has_head, paused;
};

static void wake(struct http_feed *feed)
{
	if (!feed->waits_for_head && !feed->waits_for_piece)
		return;
	feed->waits_for_head = feed->waits_for_piece = false;
	loop_timer_stop(feed->patience);
	flow_wake(&feed->op);
}

/* The flow ends; its `finally` frees the feed. */
static void forget_flow(struct flow_op *op)
{
	struct http_feed *feed = (struct http_feed *)op;

	feed->waits_for_head = feed->waits_for_piece = false;
	loop_timer_stop(feed->patience);
}

static void on_impatient(void *owner)
{
	struct http_feed *feed = owner;
	struct http_answer *answer = feed->answer;

	http_transfer_end(feed->transfer, CURLE_OPERATION_TIMEDOUT); /* wakes */
	error_set(&answer->error, ERROR_UPSTREAM, "nothing came for %" PRId64 " ms",
		feed->patience_ms);
}

static void be_patient(struct http_feed *feed, int64_t timeout_ms)
{
	feed->patience_ms = timeout_ms;
	loop_timer_set(feed->patience, timeout_ms);
}

/* -- from curl's callbacks ----------------------------------------------------------------------- */

void http_feed_head(struct http_feed *feed)
{
	long status = 0;

	(void)curl_easy_getinfo(feed->transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200) /* 100 Continue, 103 Early Hints: the real one follows */
		return;
	http_head_done(feed->transfer);
	feed->has_head = true;
	feed->answer->reach = HTTP_ANSWERED;
	if (feed->waits_for_head)
		wake(feed);
}

size_t http_feed_take(struct http_feed *feed, struct str data)
{
	if (feed->body.size >= WINDOW_BYTES) {
		feed->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	feed->came += data.size;
	if (feed->came > feed->transfer->body.max_bytes || !buf_add(&feed->body, data)) {
		feed->transfer->body.failed = true; /* "longer than" */
		return 0;
	}
	if (feed->waits_for_piece)
		wake(feed);
	return data.size;
}

void http_feed_ended(struct http_feed *feed)
{
	feed->transfer = NULL;
	wake(feed);
}

/* -- for flows ----------------------------------------------------------------------------------- */

enum flow_status await_http_begin(struct flow *flow, struct http_client *client,
	const struct http_call *call, struct http_answer *answer, struct http_feed **made)
{
	struct http_feed *feed = alloc_zeroed(1, sizeof(*feed));

	*made = feed;
	feed->op.cancel = forget_flow;
	feed->answer = answer;
	feed->patience = loop_timer_new(flow_loop(flow), on_impatient, feed);
	buf_init(&feed->body, WINDOW_BYTES + CURL_MAX_WRITE_SIZE);
	feed->transfer = http_transfer_begin(flow, client, call, answer, feed);
	if (feed->transfer == NULL)
		return await_turn(flow);
	feed->waits_for_head = true;
	if (call->head_timeout_ms > 0)
		be_patient(feed, call->head_timeout_ms);
	return flow_wait(flow, &feed->op);
}

/* What did not fit, curl gives at once; what it cannot give ends the transfer. */
static void resume(struct http_feed *feed)
{
	CURLcode code;

	if (!feed->paused || feed->transfer == NULL || feed->body.size >= WINDOW_BYTES)
		return;
	feed->paused = false;
	code = curl_easy_pause(feed->transfer->easy, CURLPAUSE_CONT);
	if (code != CURLE_OK)
		http_transfer_end(feed->transfer, code);
}

enum flow_status await_http_piece(struct flow *flow, struct http_feed *feed, int64_t timeout_ms)
{
	if (feed == NULL)
		return FLOW_NEXT;
	buf_consume(&feed->body, feed->given);
	feed->given = 0;
	resume(feed);
	if (feed->body.size > 0 || feed->transfer == NULL)
		return FLOW_NEXT;
	feed->waits_for_piece = true;
	be_patient(feed, timeout_ms);
	return flow_wait(flow, &feed->op);
}

/* More may come while the flow waits for something else: that is the next piece. */
struct str http_feed_piece(struct http_feed *feed)
{
	if (feed == NULL)
		return (struct str){0};
	if (feed->given == 0)
		feed->given = feed->body.size;
	return str_of(feed->body.data, feed->given);
}

bool http_feed_over(const struct http_feed *feed)
{
	return feed == NULL || (feed->transfer == NULL && feed->body.size == 0);
}

void http_feed_free(struct http_feed **feed)
{
	if (*feed == NULL)
		return;
	if ((*feed)->transfer != NULL)
		http_transfer_free((*feed)->transfer);
	loop_timer_free(&(*feed)->patience);
	buf_free(&(*feed)->body);
	free(*feed);
	*feed = NULL;
}
