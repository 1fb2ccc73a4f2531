/*
 * writer: wait for events, choose where they go, commit, settle. One flow does it all, so there is
 * nothing to lock and nothing can overtake.
 */
#include "ingest.h"

enum {
	LOOK_AGAIN_MS = 100, /* is PostgreSQL back? Asked while the journal holds something */
	RETRY_MS = 500, /* after an error that is not a lost connection; twice as long each time */
	RETRY_MAX_MS = 8000,
	REPLAY_SLICE_MS = 5, /* new events wait at most so long behind the replay */
	HINT_EVERY_MS = 5,   /* with more work waiting: that commit will tell, too */
	WHOLE = 1,	     /* node of a batch: all of it */
};

/* Asked before each commit. The schema is asked for once: it never becomes older, and a look at it
 * on the other connection says nothing about this one. */
bool writer_database_usable(const struct ingest *ingest)
{
	return pg_ready(ingest->pg) && ingest->schema_known &&
	       loop_now_ms(ingest->loop) >= ingest->writer.retry_at_ms;
}

const char *writer_why_away(struct ingest *ingest)
{
	if (!pg_ready(ingest->pg))
		return pg_last_error(ingest->pg);
	if (!ingest->schema_known)
		return "its schema is not known to be new enough";
	return ingest->writer.error.text;
}

void writer_leave_alone(struct ingest *ingest)
{
	struct writer *writer = &ingest->writer;

	writer->retry_ms = writer->retry_ms > 0 ? writer->retry_ms * 2 : RETRY_MS;
	if (writer->retry_ms > RETRY_MAX_MS)
		writer->retry_ms = RETRY_MAX_MS;
	writer->retry_at_ms = loop_now_ms(ingest->loop) + writer->retry_ms;
}

void writer_begin(struct work *work, bool replaying)
{
	work->replaying = replaying;
	work->parts[0] = WHOLE;
	work->part_count = 1;
	work->to_quarantine = false;
}

/* -- the steps ------------------------------------------------------------------------------------ */

enum { WRITE_WAIT, WRITE_CHOOSE, WRITE_COMMIT, WRITE_SETTLE };

/* Those who wait for a batch that is stored are woken behind the start of the next commit:
 * PostgreSQL works while they are answered. */
static void answer_stored(struct ingest *ingest)
{
	struct batch *batch = ingest->writer.stored;

	if (batch == NULL)
		return;
	ingest->writer.stored = NULL;
	backlog_settle(&ingest->backlog, batch, BATCH_STORED);
	metric_set(ingest->meters.waiting, (double)ingest->backlog.events);
}

/* Without work it sleeps until an event comes. There is no linger: the first event of a quiet time
 * is committed alone and at once; under load the commit under way does the gathering. */
static enum flow_status write_wait(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);

	if (ingest->backlog.first != NULL)
		return FLOW_NEXT;
	answer_stored(ingest);
	if (journal_empty(ingest->journal))
		return await_queue(flow, &ingest->backlog.arrived);
	if (writer_database_usable(ingest))
		return FLOW_NEXT;
	return await_queue_for(flow, &ingest->backlog.arrived, LOOK_AGAIN_MS);
}

/* Older events first; but new ones do not wait for the whole of a long journal: every few
 * milliseconds all that came is put behind it, as one record. So the journal has an end. */
static bool replay_is_next(struct ingest *ingest)
{
	return !journal_empty(ingest->journal) && writer_database_usable(ingest) &&
	       (ingest->backlog.first == NULL ||
		       loop_now_ms(ingest->loop) < ingest->writer.replay_until_ms);
}

/* The one place that decides between PostgreSQL and the journal. While the journal holds anything,
 * new events go behind it, or they would overtake. */
static enum flow_status write_choose(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct batch *batch;

	if (replay_is_next(ingest))
		return spool_take(ingest) ? FLOW_NEXT : flow_goto(flow, WRITE_WAIT);
	batch = backlog_take(&ingest->backlog);
	if (batch == NULL)
		return flow_goto(flow, WRITE_WAIT);
	if (journal_empty(ingest->journal) && writer_database_usable(ingest)) {
		ingest->writer.work.batches[0] = batch;
		ingest->writer.work.count = 1;
		writer_begin(&ingest->writer.work, false);
		return FLOW_NEXT;
	}
	answer_stored(ingest);
	spool_keep(ingest, batch);
	ingest->writer.replay_until_ms = loop_now_ms(ingest->loop) + REPLAY_SLICE_MS;
	return flow_goto(flow, WRITE_WAIT);
}

/* A child, because it has a deadline of its own and gives back its memory when it is done. */
static enum flow_status write_commit(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct work *work = &ingest->writer.work;

	commit_spawn(flow, work->parts[--work->part_count]);
	answer_stored(ingest);
	return await_children(flow);
}

/* Readers are woken at once in quiet times; under load a hint for every few commits will do. */
static void give_hint(struct ingest *ingest)
{
	int64_t now_ms = loop_now_ms(ingest->loop);

	if (ingest->redis == NULL || (ingest->backlog.first != NULL &&
					     now_ms - ingest->writer.hint_at_ms < HINT_EVERY_MS))
		return;
	ingest->writer.hint_at_ms = now_ms;
	redis_publish(ingest->redis, "callweave:events", str_of(NULL, 0));
}

/* All of it is stored or refused. */
static void finish_work(struct ingest *ingest)
{
	struct writer *writer = &ingest->writer;
	struct batch *batch = writer->work.batches[0];

	writer->work.count = 0;
	writer->retry_ms = 0;
	give_hint(ingest);
	if (writer->work.replaying) {
		spool_drop(ingest);
		writer->one_by_one = false;
		return;
	}
	writer->stored = batch;
}

/* Whether it was committed or not: the journal repeats it under the same number. What is replayed is
 * in the journal still. */
static void give_up_work(struct ingest *ingest)
{
	struct writer *writer = &ingest->writer;
	struct batch *batch = writer->work.batches[0];

	writer->work.count = 0;
	if (writer->outcome == COMMIT_STUCK || pg_ready(ingest->pg))
		writer_leave_alone(ingest);
	if (writer->outcome == COMMIT_STUCK) {
		/* What hangs in it may still be committed: its number guards against that. */
		pg_free(&ingest->pg);
		ingest->pg = pg_new(ingest->loop, &ingest->database);
	}
	if (!writer->work.replaying)
		spool_keep(ingest, batch);
}

/* It goes into the quarantine under the number that it would have had, so that it is there for certain
 * before its sender is told, or, out of the journal, before its record is dropped. */
static void refuse_event(struct ingest *ingest, unsigned node, unsigned index)
{
	struct work *work = &ingest->writer.work;
	struct batch *batch = work->batches[0];

	log_warn(ingest->log, "PostgreSQL refuses an event of %.*s: %s",
		STR_ARG(batch_row(batch, index).enterprise), ingest->writer.error.text);
	batch_refuse(batch, index, ingest->writer.error.text);
	metric_add(ingest->meters.refused[REFUSED_DATABASE], 1);
	work->parts[work->part_count++] = node;
	work->to_quarantine = true;
}

/* One bad event must not take its neighbours with it: halve until it stands alone. */
static void split_work(struct ingest *ingest)
{
	struct work *work = &ingest->writer.work;
	unsigned node = work->parts[work->part_count];
	struct batch_part part = batch_part(work->batches[0], node);

	if (part.to - part.from <= 1) {
		refuse_event(ingest, node, part.from);
		return;
	}
	work->parts[work->part_count++] = 2 * node + 1;
	work->parts[work->part_count++] = 2 * node;
}

/* The last attempt was refused for its data. */
static void after_refusal(struct ingest *ingest)
{
	struct work *work = &ingest->writer.work;

	if (work->to_quarantine) {
		log_error(ingest->log, "the quarantine refuses an event, too: %s",
			ingest->writer.error.text);
		work->to_quarantine = false;
	} else {
		split_work(ingest);
	}
}

static enum flow_status write_settle(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct writer *writer = &ingest->writer;

	if (writer->outcome == COMMIT_REFUSED && writer->work.count > 1) {
		/* Several records, and nobody says which: one after another, then. */
		writer->one_by_one = true;
		writer->work.count = 0;
		return flow_goto(flow, WRITE_WAIT);
	}
	if (writer->outcome == COMMIT_REFUSED)
		after_refusal(ingest);
	else
		writer->work.to_quarantine = false;
	if (writer->outcome == COMMIT_AWAY || writer->outcome == COMMIT_STUCK)
		give_up_work(ingest);
	else if (writer->work.part_count > 0)
		return flow_goto(flow, WRITE_COMMIT);
	else
		finish_work(ingest);
	return flow_goto(flow, WRITE_WAIT);
}

static void write_finally(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);

	ingest->writer.flow = NULL;
}

static const struct flow_step write_steps[] = {
	[WRITE_WAIT] = {"wait", write_wait},
	[WRITE_CHOOSE] = {"choose", write_choose},
	[WRITE_COMMIT] = {"commit", write_commit},
	[WRITE_SETTLE] = {"settle", write_settle},
	{NULL, NULL},
};

static const struct flow_spec write_flow = {
	.name = "writer",
	.steps = write_steps,
	.finally = write_finally,
	.deadline_ms = FLOW_FOREVER,
};

/* -- life ----------------------------------------------------------------------------------------- */

void writer_start(struct ingest *ingest)
{
	commit_init(&ingest->writer.work);
	ingest->writer.flow = flow_start(ingest->loop, &write_flow, ingest, ingest->log);
	spool_show(ingest);
}

void writer_stop(struct ingest *ingest)
{
	struct writer *writer = &ingest->writer;

	if (writer->flow != NULL)
		flow_cancel(writer->flow);
	/* What was accepted and not settled was not acknowledged either. */
	if (writer->work.count > 0 && !writer->work.replaying)
		batch_free(&writer->work.batches[0]);
	spool_free(ingest);
	commit_free(&writer->work);
}

bool writer_idle(const struct ingest *ingest)
{
	return ingest->writer.work.count == 0 && ingest->backlog.first == NULL;
}
