/*
 * recovery_flow: the story of one upload: whose is it, is it theirs, what is in it, into the log.
 *
 * Each step does some milliseconds of work: live events go on beside it. Nothing of the upload is in
 * the log before all of it is: recovery_apply() is one transaction.
 */
#include "recovery_upload.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	DEADLINE_MS = 15 * 60 * 1000,
	APPLY_TIMEOUT_MS = 5 * 60 * 1000,
	DATABASE_WAIT_MS = 5000,
	HASH_PIECE_BYTES = 256 * 1024,
	PIECES_A_TURN = 4,
};

static const char sql_begin[] =
	"INSERT INTO recovery_uploads (enterprise_number, digest, size_bytes, trace_id) "
	"VALUES ($1, $2, $3::bigint, $4) RETURNING id";
static const char sql_rows[] =
	"INSERT INTO recovery_rows (upload, n, event_type, unique_id, at, body) "
	"SELECT $1::bigint, r.n, r.type, r.unique_id, to_timestamp(r.at_ms / 1000.0::float8), "
	"r.body::jsonb FROM unnest($2::int8[], $3::text[], $4::text[], $5::int8[], $6::text[]) "
	"AS r (n, type, unique_id, at_ms, body)";
static const char sql_counts[] =
	"UPDATE recovery_uploads SET found = $2::int, bad = $3::int WHERE id = $1::bigint";
static const char sql_apply[] = "SELECT fresh, known FROM recovery_apply($1::bigint, $2::int)";
static const char sql_refuse[] =
	"WITH gone AS (DELETE FROM recovery_rows WHERE upload = $1::bigint) "
	"UPDATE recovery_uploads SET state = 'refused', found = $2::int, bad = $3::int, words = "
	"$4, "
	"finished_at = now() WHERE id = $1::bigint";

enum {
	STEP_ADMIT,
	STEP_HASH,
	STEP_UNPACK,
	STEP_CONNECT,
	STEP_BEGIN,
	STEP_READ,
	STEP_PUT,
	STEP_TELL,
	STEP_APPLY,
	STEP_ANSWER,
	STEP_REFUSE,
	STEP_REFUSED,
	STEP_END,
};

/* The file is not taken: that is written down, and said. */
static enum flow_status refuse(struct flow *flow, const struct error *error)
{
	struct recovery_upload *upload = flow_state(flow);

	upload->error = *error;
	return flow_goto(flow, STEP_REFUSE);
}

/* We cannot go on: a client that is shown progress has no status to look at any more. */
static enum flow_status fail(struct flow *flow, const struct error *error)
{
	struct recovery_upload *upload = flow_state(flow);

	if (!upload->streaming)
		return flow_fail_error(flow, error);
	upload->error = *error;
	return flow_goto(flow, STEP_REFUSED);
}

static enum flow_status stream(struct flow *flow, struct str line)
{
	struct recovery_upload *upload = flow_state(flow);

	if (!upload->streaming)
		http_stream_begin(flow, "application/x-ndjson");
	upload->streaming = true;
	return await_http_stream(flow, line);
}

/* -- whose ------------------------------------------------------------------------------------------ */

static enum flow_status admit(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct recovery_upload *upload = flow_state(flow);
	struct error error;

	upload->unpacked_fd = -1;
	if (ingest->tenants == NULL)
		return flow_fail(flow, ERROR_BUSY, "the enterprises are not known yet");
	if (!recovery_admit(flow, ingest->tenants, upload, &error))
		return flow_fail_error(flow, &error);
	upload->hash = crypto_hash_new();
	return FLOW_NEXT;
}

static enum flow_status hash(struct flow *flow)
{
	struct recovery_upload *upload = flow_state(flow);
	struct error error;
	char *piece = malloc(HASH_PIECE_BYTES);
	ssize_t got = 1;

	for (int i = 0; i < PIECES_A_TURN && piece != NULL && got > 0; i++) {
		got = pread(http_request(flow)->body_fd, piece, HASH_PIECE_BYTES, upload->hashed);
		if (got > 0)
			crypto_hash_add(upload->hash, str_of(piece, (size_t)got));
		upload->hashed += got > 0 ? got : 0;
	}
	free(piece);
	if (got < 0)
		return flow_fail(
			flow, ERROR_INTERNAL, "the upload cannot be read: %s", strerror(errno));
	if (got > 0) {
		flow_goto(flow, STEP_HASH);
		return await_turn(flow);
	}
	if (!recovery_verify(flow, upload, &error))
		return flow_fail_error(flow, &error);
	return FLOW_NEXT;
}

static enum flow_status unpack(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct recovery_upload *upload = flow_state(flow);
	struct error error;
	bool done = false;

	upload->fd = http_request(flow)->body_fd;
	if (upload->gunzip == NULL && !recovery_is_gzip(upload->fd))
		return FLOW_NEXT;
	if (upload->gunzip == NULL) {
		upload->unpacked_fd = http_unnamed_file(ingest->spool_folder, &error);
		if (upload->unpacked_fd < 0)
			return flow_fail_error(flow, &error);
		upload->gunzip = recovery_gunzip_new(
			upload->fd, upload->unpacked_fd, RECOVERY_UNPACKED_MAX_BYTES);
	}
	if (!recovery_gunzip_some(upload->gunzip, &done, &error))
		return flow_fail_error(flow, &error);
	upload->fd = upload->unpacked_fd;
	if (done)
		return FLOW_NEXT;
	flow_goto(flow, STEP_UNPACK);
	return await_turn(flow);
}

/* -- what is in it ---------------------------------------------------------------------------------- */

/* A connection of its own: a long statement holds up neither commits nor looks. */
static enum flow_status connect_database(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct pg_options options = ingest->database;

	if (ingest->pg_recovery == NULL) {
		options.application_name = "callweave ingest recovery";
		options.statement_timeout_ms = APPLY_TIMEOUT_MS;
		ingest->pg_recovery = pg_new(ingest->loop, &options);
	}
	return await_pg_ready(flow, ingest->pg_recovery, DATABASE_WAIT_MS);
}

static enum flow_status begin(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct recovery_upload *upload = flow_state(flow);
	struct pg_params params = {0};
	struct error error;

	if (!pg_ready(ingest->pg_recovery))
		return flow_fail(flow, ERROR_BUSY, "the database is away: try again later");
	upload->source = recovery_source_new(upload->fd, ingest->spool_folder, &error);
	if (upload->source == NULL)
		return flow_fail_error(flow, &error);
	pg_put_str(&params, flow_arena(flow), upload->owner.number);
	pg_put_text(&params, upload->digest);
	pg_put_int(&params, flow_arena(flow), (int64_t)http_request(flow)->body_bytes);
	pg_put_text(&params, http_request(flow)->trace);
	return await_pg_query(flow, ingest->pg_recovery, &upload->batch, sql_begin, &params);
}

/* The answer of the insert before, then the next rows. */
static enum flow_status read_rows(struct flow *flow)
{
	struct recovery_upload *upload = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(upload->batch, &error))
		return fail(flow, &error);
	if (upload->id == 0)
		upload->id = pg_int(upload->batch, 0, 0, 0);
	if (!recovery_read_some(upload, &error))
		return refuse(flow, &error);
	return FLOW_NEXT;
}

static enum flow_status put_rows(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct recovery_upload *upload = flow_state(flow);
	struct pg_params id = {0}, counts = {0};

	arena_reset(upload->batch_arena);
	pg_put_int(&id, upload->batch_arena, upload->id);
	for (int i = 0; i < RECOVERY_COLUMNS; i++)
		pg_put_array(&id, &upload->columns[i]);
	pg_put_int(&counts, upload->batch_arena, upload->id);
	pg_put_int(&counts, upload->batch_arena, upload->found);
	pg_put_int(&counts, upload->batch_arena, upload->bad);
	upload->batch = pg_batch_new(upload->batch_arena);
	pg_batch_add(upload->batch, sql_rows, &id);
	pg_batch_add(upload->batch, sql_counts, &counts);
	return await_pg(flow, ingest->pg_recovery, upload->batch);
}

static enum flow_status tell(struct flow *flow)
{
	struct recovery_upload *upload = flow_state(flow);

	if (upload->ended)
		return FLOW_NEXT;
	flow_goto(flow, STEP_READ);
	return upload->streams ? stream(flow, recovery_progress(upload)) : FLOW_NEXT;
}

/* -- into the log ----------------------------------------------------------------------------------- */

static enum flow_status apply(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct recovery_upload *upload = flow_state(flow);
	struct pg_params params = {0};
	struct error error;

	if (!pg_batch_ok(upload->batch, &error))
		return fail(flow, &error);
	pg_put_int(&params, flow_arena(flow), upload->id);
	pg_put_int(&params, flow_arena(flow), upload->found);
	return await_pg_query(flow, ingest->pg_recovery, &upload->batch, sql_apply, &params);
}

static enum flow_status answer(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct recovery_upload *upload = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(upload->batch, &error))
		return fail(flow, &error);
	upload->fresh = pg_int(upload->batch, 0, 0, 0);
	upload->known = pg_int(upload->batch, 0, 0, 1);
	log_info(flow_log(flow), "recovery upload %lld: %lld found, %lld new, %lld known, %lld bad",
		(long long)upload->id, (long long)upload->found, (long long)upload->fresh,
		(long long)upload->known, (long long)upload->bad);
	metric_add(ingest->meters.recovered, (uint64_t)upload->fresh);
	struct str text = recovery_result(upload);
	if (!upload->streams)
		return http_reply(flow, 200, "application/json", text);
	flow_goto(flow, STEP_END);
	return stream(flow, text);
}

/* -- or not ----------------------------------------------------------------------------------------- */

static enum flow_status give_back(struct flow *flow)
{
	struct ingest *ingest = flow_context(flow);
	struct recovery_upload *upload = flow_state(flow);
	struct pg_params params = {0};

	pg_put_int(&params, flow_arena(flow), upload->id);
	pg_put_int(&params, flow_arena(flow), upload->found);
	pg_put_int(&params, flow_arena(flow), upload->bad);
	pg_put_text(&params, upload->error.text);
	log_warn(flow_log(flow), "recovery upload %lld refused: %s", (long long)upload->id,
		upload->error.text);
	return await_pg_query(flow, ingest->pg_recovery, &upload->batch, sql_refuse, &params);
}

static enum flow_status refused(struct flow *flow)
{
	struct recovery_upload *upload = flow_state(flow);

	if (!upload->streaming)
		return http_reply(flow, error_http_status(ERROR_INPUT), "application/json",
			recovery_refusal(upload));
	return stream(flow, recovery_refusal(upload));
}

static enum flow_status end_stream(struct flow *flow)
{
	return FLOW_END;
}

static void end(struct flow *flow)
{
	recovery_upload_end(flow_state(flow));
}

static const struct flow_step steps[] = {
	[STEP_ADMIT] = {"admit", admit},
	[STEP_HASH] = {"hash", hash},
	[STEP_UNPACK] = {"unpack", unpack},
	[STEP_CONNECT] = {"connect", connect_database},
	[STEP_BEGIN] = {"begin", begin},
	[STEP_READ] = {"read", read_rows},
	[STEP_PUT] = {"put", put_rows},
	[STEP_TELL] = {"tell", tell},
	[STEP_APPLY] = {"apply", apply},
	[STEP_ANSWER] = {"answer", answer},
	[STEP_REFUSE] = {"refuse", give_back},
	[STEP_REFUSED] = {"refused", refused},
	[STEP_END] = {"end", end_stream},
	{NULL, NULL},
};

const struct flow_spec recovery_flow = {
	.name = "recovery",
	.steps = steps,
	.finally = end,
	.state_bytes = sizeof(struct recovery_upload),
	.arena_max_bytes = (size_t)16 << 20,
	.deadline_ms = DEADLINE_MS,
};
