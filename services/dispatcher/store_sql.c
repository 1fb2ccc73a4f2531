/*
 * store_sql: see store_sql.h. Rows come as one JSON array a statement.
 */
#include "store_sql.h"

const char store_sql_advance[] = "SELECT fold_advance($1, $2::json)";

/* The trace keeps its first hundred reasons. */
const char store_sql_calls[] =
	"INSERT INTO calls AS c (id, shard, enterprise_id, unique_id, unique_ids, direction, "
	"state, answered,"
	" phone_number, caller, callee, main_extension, talkers, rang, trunk, call_type, "
	"call_status,"
	" start_time, answer_time, end_time, ring_seconds, duration, data_source, version, "
	"trace_id, trace)"
	" SELECT id, shard, enterprise_id, unique_id, unique_ids, direction, state, answered, "
	"phone_number,"
	" caller, callee, main_extension, talkers, rang, trunk, call_type, call_status, start_time,"
	" answer_time, end_time, nullif(ring_seconds, -1), nullif(duration, -1), data_source, "
	"version,"
	" trace_id, trace::jsonb"
	" FROM json_to_recordset($1::json) AS x (id bigint, shard smallint, enterprise_id text,"
	" unique_id text, unique_ids text[], direction text, state text, answered boolean,"
	" phone_number text, caller text, callee text, main_extension text, talkers text[], rang "
	"text[],"
	" trunk text, call_type text, call_status text, start_time timestamptz, answer_time "
	"timestamptz,"
	" end_time timestamptz, ring_seconds integer, duration integer, data_source text, version "
	"integer,"
	" trace_id text, trace text)"
	" ON CONFLICT (id) DO UPDATE SET unique_id = excluded.unique_id, unique_ids = "
	"excluded.unique_ids,"
	" direction = excluded.direction, state = excluded.state, answered = excluded.answered,"
	" phone_number = excluded.phone_number, caller = excluded.caller, callee = excluded.callee,"
	" main_extension = excluded.main_extension, talkers = excluded.talkers, rang = "
	"excluded.rang,"
	" trunk = excluded.trunk, call_type = excluded.call_type, call_status = "
	"excluded.call_status,"
	" start_time = excluded.start_time, answer_time = excluded.answer_time,"
	" end_time = excluded.end_time, ring_seconds = excluded.ring_seconds,"
	" duration = excluded.duration, version = excluded.version,"
	" trace = CASE WHEN jsonb_array_length(c.trace) < 100 THEN c.trace || excluded.trace ELSE "
	"c.trace END,"
	" updated_at = now()";

const char store_sql_legs[] =
	"INSERT INTO call_legs AS l (call_id, leg, extension, participant_status, ring_order, "
	"answer_time, hangup_time)"
	" SELECT call_id, leg, extension, participant_status, ring_order, answer_time, hangup_time"
	" FROM json_to_recordset($1::json) AS x (call_id bigint, leg smallint, extension text,"
	" participant_status text, ring_order smallint, answer_time timestamptz, hangup_time "
	"timestamptz)"
	" ON CONFLICT (call_id, leg) DO UPDATE SET extension = excluded.extension,"
	" participant_status = excluded.participant_status, answer_time = excluded.answer_time,"
	" hangup_time = excluded.hangup_time"
	" WHERE (l.extension, l.participant_status, l.answer_time, l.hangup_time) IS DISTINCT FROM"
	" (excluded.extension, excluded.participant_status, excluded.answer_time, "
	"excluded.hangup_time)";

const char store_sql_transfers[] =
	"INSERT INTO call_transfers AS t (call_id, transfer, from_extension, to_extension, kind, "
	"result,"
	" started_at)"
	" SELECT call_id, transfer, from_extension, to_extension, kind, result, started_at"
	" FROM json_to_recordset($1::json) AS x (call_id bigint, transfer smallint, from_extension "
	"text,"
	" to_extension text, kind text, result text, started_at timestamptz)"
	" ON CONFLICT (call_id, transfer) DO UPDATE SET from_extension = excluded.from_extension,"
	" to_extension = excluded.to_extension, kind = excluded.kind, result = excluded.result,"
	" started_at = excluded.started_at";

const char store_sql_over[] =
	"WITH x AS MATERIALIZED (SELECT * FROM json_to_recordset($1::json)"
	" AS x (call_id bigint, legs smallint, transfers smallint)),"
	" legs AS (DELETE FROM call_legs l USING x WHERE l.call_id = x.call_id AND l.leg >= x.legs)"
	" DELETE FROM call_transfers t USING x WHERE t.call_id = x.call_id"
	" AND t.transfer >= x.transfers";

const char store_sql_memory[] =
	"INSERT INTO fold_calls (shard, call_id, enterprise_id, state, forget_at, keep_until)"
	" SELECT shard, call_id, enterprise_id, state, forget_at, keep_until"
	" FROM json_to_recordset($1::json) AS x (shard smallint, call_id bigint, enterprise_id "
	"text,"
	" state text, forget_at timestamptz, keep_until timestamptz)"
	" ON CONFLICT (call_id) DO UPDATE SET state = excluded.state,"
	" forget_at = excluded.forget_at, keep_until = excluded.keep_until";

const char store_sql_merged[] = "SELECT calls_merged($1::bigint[])";

/* A send that is under way stays marked as such: its outcome finds the newer version there. */
const char store_sql_outbox[] =
	"INSERT INTO outbox AS o (shard, enterprise_number, call_id, destination, version, final, "
	"payload,"
	" state, sending_version, lease_owner, trace_id)"
	" SELECT shard, enterprise, call_id, destination, version, final, payload::jsonb, state,"
	" CASE WHEN state = 'sending' THEN version END, CASE WHEN state = 'sending' THEN $2 END, "
	"trace"
	" FROM json_to_recordset($1::json) AS x (shard smallint, enterprise text, call_id bigint,"
	" destination text, version integer, final boolean, payload text, state text, trace text)"
	" ON CONFLICT (call_id, destination, slot) DO UPDATE SET version = excluded.version,"
	" final = excluded.final, payload = excluded.payload, trace_id = excluded.trace_id,"
	" state = CASE WHEN o.state = 'sending' THEN o.state ELSE excluded.state END,"
	" sending_version = CASE WHEN o.state = 'sending' THEN o.sending_version"
	" ELSE coalesce(excluded.sending_version, o.sending_version) END,"
	" lease_owner = CASE WHEN o.state = 'sending' THEN o.lease_owner ELSE excluded.lease_owner "
	"END,"
	" last_error = NULL, updated_at = now()"
	" WHERE o.version < excluded.version";

/* What came since it was read stays. */
const char store_sql_recordings[] =
	"DELETE FROM recording_requests r USING json_to_recordset($1::json)"
	" AS x (call_id bigint, changes integer)"
	" WHERE r.call_id = x.call_id AND r.changes = x.changes";

/* Slots of a call are counted on; the shard's row, which the commit holds, keeps others away. */
const char store_sql_gateway[] =
	"WITH x AS MATERIALIZED (SELECT x.*, row_number() OVER (PARTITION BY call_id ORDER BY n)"
	" AS nth FROM json_to_recordset($1::json) AS x (n integer, shard smallint,"
	" enterprise text, call_id bigint, version integer, payload text, trace text)),"
	" s AS MATERIALIZED (SELECT x.*, (x.nth + coalesce((SELECT max(o.slot) FROM outbox o"
	" WHERE o.call_id = x.call_id AND o.destination = 'gateway'), -1))::integer AS slot"
	" FROM x),"
	" i AS (INSERT INTO outbox (shard, enterprise_number, call_id, destination, slot, version,"
	" final, payload, trace_id)"
	" SELECT shard, enterprise, call_id, 'gateway', slot, version, true, payload::jsonb, trace"
	" FROM s ORDER BY n RETURNING id, call_id, slot)"
	" SELECT s.n, i.id FROM i JOIN s ON s.call_id = i.call_id AND s.slot = i.slot";
