/*
 * spool: the writer's dealings with the journal: what goes in while PostgreSQL is away, and what
 * comes out when it is back.
 */
#include "ingest.h"

void spool_show(struct ingest *ingest)
{
	metric_set(ingest->meters.journal_bytes, (double)journal_bytes(ingest->journal));
	metric_set(ingest->meters.journal_records, (double)journal_records(ingest->journal));
	metric_set(ingest->meters.waiting, (double)ingest->backlog.events);
}

/* Once an outage, not once a batch. */
static void say_away(struct ingest *ingest)
{
	if (!ingest->writer.away)
		log_warn(ingest->log, "PostgreSQL is away, events go to the journal: %s",
			writer_why_away(ingest));
	ingest->writer.away = true;
}

/* Durable before anybody is answered. fdatasync blocks the loop, and that is meant: while PostgreSQL
 * is away there is nothing better to do, and what arrives meanwhile shares the next sync. */
void spool_keep(struct ingest *ingest, struct batch *batch)
{
	struct writer *writer = &ingest->writer;
	struct error error;

	say_away(ingest);
	if (journal_append(ingest->journal, batch_record(batch), &error) &&
		journal_sync(ingest->journal, &error)) {
		writer->journal_problem[0] = '\0';
		metric_add(ingest->meters.journaled, batch->count);
		backlog_settle(&ingest->backlog, batch, BATCH_STORED);
	} else {
		log_error(ingest->log, "neither PostgreSQL nor the journal takes events: %s",
			error.text);
		str_copy(batch->failure, sizeof(batch->failure), str_from(error.text));
		str_copy(writer->journal_problem, sizeof(writer->journal_problem),
			str_from(error.text));
		backlog_settle(&ingest->backlog, batch, BATCH_FAILED);
	}
	spool_show(ingest);
}

/* Past what cannot be read: it is kept beside the journal for a person to look at. */
static void skip_damaged(struct ingest *ingest, struct error *error)
{
	log_error(ingest->log, "%s: set aside as .damaged", error->text);
	if (!journal_skip_damaged(ingest->journal, error)) {
		log_error(ingest->log, "%s", error->text);
		writer_leave_alone(ingest);
	}
	spool_show(ingest);
}

/* A record that was written once can always be read, whatever the limits say by then. */
static struct batch *slot(struct writer *writer, unsigned index)
{
	if (writer->replay[index] == NULL) {
		writer->replay[index] = batch_new();
		writer->replay[index]->bytes.max_bytes = BATCH_RECORD_MAX_BYTES;
	}
	return writer->replay[index];
}

/* A record is often a single event. Together they cost one commit and one sync, so a long journal
 * is replayed faster than it was written. */
static bool room_for_more(const struct writer *writer, unsigned events, size_t bytes)
{
	return !writer->one_by_one && writer->work.count > 0 && writer->work.count < WORK_BATCHES &&
	       events < WORK_REPLAY_EVENTS && bytes < WORK_REPLAY_BYTES;
}

bool spool_take(struct ingest *ingest)
{
	struct writer *writer = &ingest->writer;
	struct work *work = &writer->work;
	struct batch *batch = slot(writer, 0);
	unsigned events = 0;
	size_t bytes = 0;
	struct error error;

	if (!journal_peek(ingest->journal, &batch->bytes, &error)) {
		if (error.kind != ERROR_NONE)
			skip_damaged(ingest, &error);
		return false;
	}
	do {
		if (batch_from_record(batch, &error)) {
			work->batches[work->count++] = batch;
			events += batch->count;
			bytes += batch_event_bytes(batch);
		} else { /* the checksum was right: written by another program */
			log_error(ingest->log, "journal: a record is left out: %s", error.text);
		}
		if (!room_for_more(writer, events, bytes))
			break;
		batch = slot(writer, work->count);
	} while (journal_peek_next(ingest->journal, &batch->bytes));
	if (work->count == 0) {
		spool_drop(ingest);
		return false;
	}
	writer_begin(work, true);
	return true;
}

/* The memory of a long replay is not kept for the next one. */
void spool_free(struct ingest *ingest)
{
	for (int i = 0; i < WORK_BATCHES; i++)
		batch_free(&ingest->writer.replay[i]);
}

void spool_drop(struct ingest *ingest)
{
	struct error error;

	if (!journal_drop(ingest->journal, &error)) {
		log_error(ingest->log, "%s", error.text);
		writer_leave_alone(ingest);
	}
	spool_show(ingest);
	if (!journal_empty(ingest->journal))
		return;
	spool_free(ingest);
	commit_free(&ingest->writer.work);
	commit_init(&ingest->writer.work);
	if (ingest->writer.away)
		log_info(ingest->log, "the journal is replayed, events go to PostgreSQL again");
	ingest->writer.away = false;
}
