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
	WHOLE = 1,	     /* node of a batch: all of it */
};

bool writer_database_usable(const struct ingest *ingest)
{
	return pg_ready(ingest->pg) && ingest->schema_known &&
	       loop_now_ms(ingest->loop) >= ingest->writer.retry_at_ms;
}

static const char *why_away(struct ingest *ingest)
{
	if (!pg_ready(ingest->pg))
		return pg_last_error(ingest->pg);
	return ingest->schema_known ? ingest->writer.error.text : schema_why_not(ingest->schema);
}

/* A server that answers, but not as it should, is asked less and less often. */
static void leave_alone(struct ingest *ingest)
{
	struct writer *writer = &ingest->writer;

	writer->retry_ms = writer->retry_ms > 0 ? writer->retry_ms * 2 : RETRY_MS;
	if (writer->retry_ms > RETRY_MAX_MS)
		writer->retry_ms = RETRY_MAX_MS;
	writer->retry_at_ms = loop_now_ms(ingest->loop) + writer->retry_ms;
}

static void show_journal(struct ingest *ingest)
{
	metric_set(ingest->meters.journal_bytes, (double)journal_bytes(ingest->journal));
	metric_set(ingest->meters.journal_records, (double)journal_records(ingest->journal));
	metric_set(ingest->meters.waiting, (double)ingest->backlog.events);
}

static void begin_work(struct writer *writer, struct batch *work, bool replaying)
{
	writer->work = work;
	writer->replaying = replaying;
	writer->parts[0] = WHOLE;
	writer->part_count = 1;
}

/* -- the journal ---------------------------------------------------------------------------------- */

static void settle(struct ingest *ingest, struct batch *batch, enum batch_state state)
{
	backlog_settle(&ingest->backlog, batch, state);
	show_journal(ingest);
}

/* PostgreSQL is away, or older events are still in the journal: this batch goes there, too. */
static void keep_in_journal(struct ingest *ingest, struct batch *batch)
{
	struct writer *writer = &ingest->writer;
	struct error error;

	if (!writer->away)
		log_warn(ingest->log, "PostgreSQL is away, events go to the journal: %s",
			why_away(ingest));
	writer->away = true;
	if (!journal_append(ingest->journal, batch_record(batch), &error) ||
		!journal_sync(ingest->journal, &error)) {
		log_error(ingest->log, "neither PostgreSQL nor the journal takes events: %s",
			error.text);
		str_copy(batch->failure, sizeof(batch->failure), str_from(error.text));
		str_copy(writer->journal_problem, sizeof(writer->journal_problem),
			str_from(error.text));
		settle(ingest, batch, BATCH_FAILED);
		return;
	}
	writer->journal_problem[0] = '\0';
	metric_add(ingest->meters.journaled, batch->count);
	settle(ingest, batch, BATCH_STORED);
}

/* Past what cannot be read: it is kept beside the journal for a person to look at. */
static void skip_damaged(struct ingest *ingest, struct error *error)
{
	log_error(ingest->log, "journal: %s: set aside as .damaged", error->text);
	if (!journal_skip_damaged(ingest->journal, error)) {
		log_error(ingest->log, "journal: %s", error->text);
		leave_alone(ingest);
	}
	show_journal(ingest);
}

static void drop_replayed(struct ingest *ingest)
{
	struct error error;

	if (!journal_drop(ingest->journal, &error)) {
		log_error(ingest->log, "journal: %s", error.text);
		leave_alone(ingest);
	}
	show_journal(ingest);
	if (!journal_empty(ingest->journal) || !ingest->writer.away)
		return;
	log_info(ingest->log, "PostgreSQL is back, the journal is replayed");
	ingest->writer.away = false;
}

/* False when there is nothing that could be replayed. */
static bool take_replay(struct ingest *ingest)
{
	struct writer *writer = &ingest->writer;
	struct error error = {0};

	if (!journal_peek(ingest->journal, &writer->replay->bytes, &error)) {
		skip_damaged(ingest, &error);
		return false;
	}
	if (!batch_from_record(writer->replay, &error)) {
		log_error(ingest->log, "journal: a record is left out: %s", error.text);
		drop_replayed(ingest);
		return false;
	}
	begin_work(writer, writer->replay, true);
	return true;
}

/* -- the steps ------------------------------------------------------------------------------------ */

enum { WRITE_WAIT, WRITE_CHOOSE, WRITE_COMMIT, WRITE_SETTLE };

static enum flow_status write_wait(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);

	if (ingest->backlog.first != NULL)
		return FLOW_NEXT;
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

static enum flow_status write_choose(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct batch *batch;

	if (replay_is_next(ingest))
		return take_replay(ingest) ? FLOW_NEXT : flow_goto(flow, WRITE_WAIT);
	batch = backlog_take(&ingest->backlog);
	if (batch == NULL)
		return flow_goto(flow, WRITE_WAIT);
	if (journal_empty(ingest->journal) && writer_database_usable(ingest)) {
		begin_work(&ingest->writer, batch, false);
		return FLOW_NEXT;
	}
	keep_in_journal(ingest, batch);
	ingest->writer.replay_until_ms = loop_now_ms(ingest->loop) + REPLAY_SLICE_MS;
	return flow_goto(flow, WRITE_WAIT);
}

static enum flow_status write_commit(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);

	commit_spawn(flow, ingest->writer.parts[--ingest->writer.part_count]);
	return await_children(flow);
}

/* All parts are stored or refused. */
static void finish_work(struct ingest *ingest)
{
	struct writer *writer = &ingest->writer;
	struct batch *work = writer->work;

	writer->work = NULL;
	writer->retry_ms = 0;
	if (ingest->redis != NULL)
		redis_publish(ingest->redis, "callweave:events", str_of(NULL, 0));
	if (writer->replaying)
		drop_replayed(ingest);
	else
		settle(ingest, work, BATCH_STORED);
}

static void give_up_work(struct ingest *ingest)
{
	struct writer *writer = &ingest->writer;
	struct batch *work = writer->work;

	writer->work = NULL;
	if (writer->outcome == COMMIT_STUCK || pg_ready(ingest->pg))
		leave_alone(ingest);
	if (writer->outcome == COMMIT_STUCK) {
		/* What hangs in it may still be committed: its number guards against that. */
		pg_free(&ingest->pg);
		ingest->pg = pg_new(ingest->loop, &ingest->database);
	}
	if (!writer->replaying)
		keep_in_journal(ingest, work);
}

static void refuse_event(struct ingest *ingest, unsigned index)
{
	struct writer *writer = &ingest->writer;
	struct event_row row = batch_row(writer->work, index);

	log_warn(ingest->log, "PostgreSQL refuses an event of %.*s: %s", STR_ARG(row.enterprise),
		writer->error.text);
	batch_refuse(writer->work, index, writer->error.text);
	metric_add(ingest->meters.refused[REFUSED_DATABASE], 1);
	quarantine_offer(ingest->quarantine, &(struct quarantine_item){
						     .type = row.type,
						     .token = row.enterprise,
						     .reason = str_from(writer->error.text),
						     .trace = row.trace,
						     .body = row.body,
					     });
}

/* One bad event must not take its neighbours with it: halve until it stands alone. */
static void split_work(struct ingest *ingest, unsigned node)
{
	struct writer *writer = &ingest->writer;
	struct batch_part part = batch_part(writer->work, node);

	if (part.to - part.from <= 1) {
		refuse_event(ingest, part.from);
		return;
	}
	writer->parts[writer->part_count++] = 2 * node + 1;
	writer->parts[writer->part_count++] = 2 * node;
}

static enum flow_status write_settle(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct writer *writer = &ingest->writer;

	if (writer->outcome == COMMIT_REFUSED)
		split_work(ingest, writer->parts[writer->part_count]);
	if (writer->outcome == COMMIT_AWAY || writer->outcome == COMMIT_STUCK)
		give_up_work(ingest);
	else if (writer->part_count > 0)
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
	struct writer *writer = &ingest->writer;

	writer->replay = batch_new();
	/* A record that was written once can always be read. */
	writer->replay->bytes.max_bytes = 2 * BATCH_MAX_BYTES;
	commit_columns_init(writer->columns);
	writer->flow = flow_start(ingest->loop, &write_flow, ingest, ingest->log);
	show_journal(ingest);
}

void writer_stop(struct ingest *ingest)
{
	struct writer *writer = &ingest->writer;

	if (writer->flow != NULL)
		flow_cancel(writer->flow);
	if (writer->work != NULL && !writer->replaying)
		batch_free(&writer->work);
	for (int i = 0; i < WRITER_COLUMNS; i++)
		pg_array_free(&writer->columns[i]);
	batch_free(&writer->replay);
}

bool writer_idle(const struct ingest *ingest)
{
	return ingest->writer.work == NULL && ingest->backlog.first == NULL;
}
