-- Folding the log again: what was asked for, and the functions that put the result into `calls`.

-- A stretch of an enterprise's log that has to be folded again, because events of it came afterwards.
-- Written in the transaction that brings the events; the dispatcher that owns the shard does the work.
CREATE TABLE refold_requests (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	shard             smallint NOT NULL,
	from_at           timestamptz NOT NULL,          -- event_timestamp of the first and the last
	to_at             timestamptz NOT NULL,          -- event that came afterwards
	reason            text NOT NULL DEFAULT '',      -- for people: "recovery upload 12"
	state             text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
	owner             text,                          -- the dispatcher that runs it
	attempts          integer NOT NULL DEFAULT 0,    -- since it last went well
	next_at           timestamptz NOT NULL DEFAULT now(), -- running: taken for broken off from then on
	last_error        text,
	result            jsonb,                         -- {"events": n, "new": n, "changed": n, ...}
	tx                xid8 NOT NULL DEFAULT pg_current_xact_id(), -- the live fold must be past it
	created_at        timestamptz NOT NULL DEFAULT now(),
	updated_at        timestamptz NOT NULL DEFAULT now(),
	CHECK (from_at <= to_at)
);
CREATE INDEX refold_requests_open ON refold_requests (shard, next_at) WHERE state IN ('queued', 'running');

CREATE FUNCTION refold_requests_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('callweave_refold', NEW.id::text);
	RETURN NULL;
END $$;
CREATE TRIGGER refold_requests_notify AFTER INSERT ON refold_requests
	FOR EACH ROW EXECUTE FUNCTION refold_requests_notify();

-- Reading the log by the events' own time. A BRIN index costs ingest next to nothing; recovered events
-- lie far from their time, but they are few.
CREATE INDEX call_events_time ON call_events USING brin (event_timestamp) WITH (autosummarize = on);
CREATE INDEX call_events_recovered ON call_events (enterprise_number, event_timestamp)
	WHERE data_source <> 'live';

-- How far the log has to be read so that no call of the stretch is cut: back to the beginning of the
-- calls that were under way at its edge (at most a day), and on for as long as an open call may be silent.
CREATE FUNCTION refold_span(enterprise text, from_at timestamptz, to_at timestamptz,
		OUT low timestamptz, OUT high timestamptz) LANGUAGE plpgsql STABLE AS $$
DECLARE
	earlier timestamptz;
BEGIN
	low := from_at - interval '2 hours';
	high := to_at + interval '6 hours';
	WHILE low > from_at - interval '1 day' LOOP
		SELECT min(c.start_time) INTO earlier FROM calls c WHERE c.enterprise_id = enterprise
			AND c.start_time >= low - interval '1 day' AND c.start_time < low
			AND coalesce(c.end_time, c.start_time + interval '4 hours') + interval '2 minutes' > low;
		EXIT WHEN earlier IS NULL;
		low := earlier - interval '1 second';
	END LOOP;
END $$;

-- A host posts 1 to 7 s after the moment, so what comes live is that much later than what the host
-- itself wrote down. Recovered events are put among the live ones by the median of that day, in whole
-- seconds, seen at hangups: they alone carry the host's time. Beyond ten minutes it is the zone that is wrong.
CREATE FUNCTION refold_lags(enterprise text, low timestamptz, high timestamptz)
	RETURNS TABLE (enterprise_number text, day date, lag interval) LANGUAGE sql STABLE AS $$
	WITH days AS (
		SELECT DISTINCT e.enterprise_number, (e.event_timestamp AT TIME ZONE 'UTC')::date AS day
		FROM call_events e WHERE e.data_source <> 'live'
		AND (enterprise IS NULL OR e.enterprise_number = enterprise)
		AND e.event_timestamp BETWEEN low AND high),
	samples AS (
		SELECT d.enterprise_number, d.day, extract(epoch FROM e.event_timestamp
			- ((e.raw_data->>'EndTime')::timestamp AT TIME ZONE t.zone)) AS lag
		FROM days d JOIN enterprises t ON t.number = d.enterprise_number
		JOIN call_events e ON e.enterprise_number = d.enterprise_number
			AND e.event_timestamp >= d.day::timestamp AT TIME ZONE 'UTC'
			AND e.event_timestamp < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
			AND e.created_at >= d.day::timestamp AT TIME ZONE 'UTC' - interval '1 day'
		WHERE e.data_source = 'live' AND e.event_type = 'hangup' AND e.raw_data->>'EndTime'
			~ '^20[0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8]) ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$')
	SELECT s.enterprise_number, s.day, make_interval(secs => trunc((percentile_cont(0.5)
			WITHIN GROUP (ORDER BY s.lag) - 0.5)::numeric)::float8)
	FROM samples s WHERE abs(s.lag) < 600 GROUP BY 1, 2 HAVING count(*) >= 5;
$$;

-- A run ----------------------------------------------------------------------------------------------
-- Its result lies in temporary tables of the session until it is applied: another try begins anew.

CREATE FUNCTION refold_begin() RETURNS void LANGUAGE plpgsql SET client_min_messages = warning AS $$
BEGIN
	PERFORM set_config('jit', 'off', false); -- each of the statements runs once: compiling costs more than it gives
	IF EXISTS (SELECT FROM pg_cursors WHERE name = 'refold_events') THEN
		EXECUTE 'CLOSE refold_events'; -- of a run that broke off
	END IF;
	DROP TABLE IF EXISTS pg_temp.refold_calls, pg_temp.refold_spans, pg_temp.refold_changes;
	-- What the fold made of the log; in_scope: touched by the stretch that was asked for; recovered: events
	-- of it came afterwards.
	CREATE TEMPORARY TABLE refold_calls AS SELECT c.*, NULL::jsonb AS legs, NULL::jsonb AS transfers,
		false AS in_scope, false AS recovered FROM calls c WITH NO DATA;
	-- The enterprises that were read, and from where; first_id: of the first live event.
	CREATE TEMPORARY TABLE refold_spans (enterprise_id text, low timestamptz, high timestamptz, first_id bigint);
	-- What is to be done, in an order in which pieces of it can be applied. `fresh` is the row in
	-- refold_calls, `call_id` that of calls, `into_id` the call that has taken it in.
	CREATE TEMPORARY TABLE refold_changes (n integer, kind text, call_id bigint, fresh bigint,
		into_id bigint, enterprise_id text, version integer, fields jsonb);
END $$;

CREATE FUNCTION refold_put(rows jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO pg_temp.refold_calls
		SELECT r.*, x->'legs', x->'transfers', (x->>'in_scope')::boolean, (x->>'recovered')::boolean
		FROM jsonb_array_elements(rows) AS x, jsonb_populate_record(NULL::calls, x) AS r;
END $$;

-- Which row of calls is which call of the result: the one with its id; else the one with most UniqueIds
-- in common, each at most once. (So a new call never meets its own id in the table.) refold_pairs: also what else
-- has UniqueIds in common where one of the two has no partner by its id.
CREATE FUNCTION refold_pair() RETURNS void LANGUAGE plpgsql SET client_min_messages = warning AS $$
BEGIN
	DROP TABLE IF EXISTS pg_temp.refold_old, pg_temp.refold_pairs, pg_temp.refold_match, pg_temp.refold_busy;
	ANALYZE pg_temp.refold_calls;
	CREATE TEMPORARY TABLE refold_old AS
		SELECT c.id, c.enterprise_id, c.start_time, c.unique_ids, s.id IS NOT NULL AS known
		FROM pg_temp.refold_spans p JOIN calls c ON c.enterprise_id = p.enterprise_id
			AND c.start_time BETWEEN p.low - interval '1 day' AND p.high + interval '1 day'
		LEFT JOIN pg_temp.refold_calls s ON s.id = c.id;
	ANALYZE pg_temp.refold_old;
	CREATE TEMPORARY TABLE refold_pairs AS
		WITH fresh AS NOT MATERIALIZED (
			SELECT s.id, s.enterprise_id, s.start_time, o.id IS NOT NULL AS known, u.uid FROM pg_temp.refold_calls s
			LEFT JOIN pg_temp.refold_old o ON o.id = s.id, unnest(s.unique_ids) AS u (uid)),
		old AS NOT MATERIALIZED (
			SELECT o.id, o.enterprise_id, o.start_time, o.known, u.uid FROM pg_temp.refold_old o,
				unnest(o.unique_ids) AS u (uid))
		SELECT f.id AS fresh, o.id AS old, count(*) AS shared FROM fresh f JOIN old o
			ON o.enterprise_id = f.enterprise_id AND o.uid = f.uid
			AND o.start_time BETWEEN f.start_time - interval '1 day' AND f.start_time + interval '1 day'
			WHERE NOT o.known AND f.id <> o.id GROUP BY 1, 2
		UNION ALL SELECT f.id, o.id, count(*) FROM fresh f JOIN old o
			ON o.enterprise_id = f.enterprise_id AND o.uid = f.uid
			AND o.start_time BETWEEN f.start_time - interval '1 day' AND f.start_time + interval '1 day'
			WHERE NOT f.known AND o.known AND f.id <> o.id GROUP BY 1, 2
		UNION ALL SELECT s.id, c.id, 1000 FROM pg_temp.refold_calls s JOIN calls c ON c.id = s.id;
	ANALYZE pg_temp.refold_pairs;
	CREATE TEMPORARY TABLE refold_match AS SELECT r.fresh, r.old FROM (SELECT p.fresh, p.old,
			row_number() OVER (PARTITION BY p.fresh ORDER BY p.shared DESC, p.old) AS a,
			row_number() OVER (PARTITION BY p.old ORDER BY p.shared DESC, p.fresh) AS b
			FROM pg_temp.refold_pairs p) AS r WHERE r.a = 1 AND r.b = 1;
	ANALYZE pg_temp.refold_match;
	-- The live fold still works on these, or they are cut by the beginning of what was read: their first event
	-- was before it. (Not by start_time: the host's clock is behind by its lag, or by its zone.)
	CREATE TEMPORARY TABLE refold_busy AS
		SELECT x.fresh, bool_or(x.live) AS live FROM (SELECT p.fresh, p.fresh <> p.old AND CASE c.data_source
					WHEN 'recovery' THEN c.start_time < w.low ELSE c.id < w.first_id END AS cut,
				EXISTS (SELECT FROM fold_calls k WHERE k.call_id = p.old) AS live
			FROM pg_temp.refold_pairs p JOIN calls c ON c.id = p.old
			JOIN pg_temp.refold_spans w ON w.enterprise_id = c.enterprise_id) AS x
		WHERE x.live OR x.cut GROUP BY 1;
	ANALYZE pg_temp.refold_busy;
END $$;

-- Legs and transfers that differ: their lists as they are and as they should be.
CREATE FUNCTION refold_compare_lists() RETURNS void LANGUAGE plpgsql SET client_min_messages = warning AS $$
BEGIN
	DROP TABLE IF EXISTS pg_temp.refold_lists;
	CREATE TEMPORARY TABLE refold_lists AS
		WITH fresh AS (
			SELECT m.old, m.fresh, 'legs' AS name, to_jsonb(l) - 'call_id' AS item, l.leg AS place
			FROM pg_temp.refold_match m JOIN pg_temp.refold_calls s ON s.id = m.fresh AND s.in_scope,
				jsonb_populate_recordset(NULL::call_legs, s.legs) AS l
			UNION ALL SELECT m.old, m.fresh, 'transfers', to_jsonb(t) - 'call_id', t.transfer
			FROM pg_temp.refold_match m JOIN pg_temp.refold_calls s ON s.id = m.fresh AND s.in_scope,
				jsonb_populate_recordset(NULL::call_transfers, s.transfers) AS t),
		old AS (
			SELECT m.old, m.fresh, 'legs' AS name, to_jsonb(l) - 'call_id' AS item, l.leg AS place
			FROM pg_temp.refold_match m JOIN call_legs l ON l.call_id = m.old
			UNION ALL SELECT m.old, m.fresh, 'transfers', to_jsonb(t) - 'call_id', t.transfer
			FROM pg_temp.refold_match m JOIN call_transfers t ON t.call_id = m.old),
		items AS MATERIALIZED (
			SELECT coalesce(f.fresh, o.fresh) AS fresh, coalesce(f.name, o.name) AS name, coalesce(f.place, o.place) AS place,
				o.item AS was, f.item AS is
			FROM fresh f FULL JOIN old o ON o.old = f.old AND o.name = f.name AND o.place = f.place),
		lists AS (
			SELECT i.fresh, i.name, jsonb_build_array(jsonb_agg(i.was ORDER BY i.place) FILTER (WHERE i.was IS NOT NULL),
				jsonb_agg(i.is ORDER BY i.place) FILTER (WHERE i.is IS NOT NULL)) AS both
			FROM items i WHERE (i.fresh, i.name) IN (SELECT x.fresh, x.name FROM items x WHERE x.was IS DISTINCT FROM x.is)
			GROUP BY 1, 2)
		SELECT x.fresh, jsonb_object_agg(x.name, x.both) AS fields FROM lists x GROUP BY 1;
	ANALYZE pg_temp.refold_lists;
END $$;

-- Rows of calls that are no calls: what was taken for one is a part of another, or its events make
-- none at all any more. Only where its first event was read: what the log no longer has stays.
CREATE FUNCTION refold_find_gone() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO pg_temp.refold_changes (kind, call_id, into_id, enterprise_id, version)
		SELECT DISTINCT ON (p.old) 'gone', p.old, coalesce(m.old, p.fresh), c.enterprise_id, c.version + 1
		FROM pg_temp.refold_pairs p JOIN calls c ON c.id = p.old
		JOIN pg_temp.refold_calls s ON s.id = p.fresh AND s.in_scope
		LEFT JOIN pg_temp.refold_match m ON m.fresh = p.fresh
		WHERE NOT EXISTS (SELECT FROM pg_temp.refold_match x WHERE x.old = p.old)
		AND NOT EXISTS (SELECT FROM pg_temp.refold_pairs o JOIN pg_temp.refold_busy b USING (fresh) WHERE o.old = p.old)
		ORDER BY p.old, p.shared DESC, p.fresh;
	CREATE TEMPORARY TABLE refold_unpaired ON COMMIT DROP AS
		SELECT c.id, c.enterprise_id, c.version, w.low, w.high FROM pg_temp.refold_spans w
		JOIN calls c ON c.enterprise_id = w.enterprise_id AND c.start_time BETWEEN w.low AND w.high
		WHERE c.data_source IN ('live', 'recovery')
		AND NOT EXISTS (SELECT FROM pg_temp.refold_pairs p WHERE p.old = c.id)
		AND NOT EXISTS (SELECT FROM fold_calls k WHERE k.call_id = c.id);
	IF EXISTS (SELECT FROM pg_temp.refold_unpaired) THEN
		INSERT INTO pg_temp.refold_changes (kind, call_id, enterprise_id, version)
			SELECT 'gone', c.id, c.enterprise_id, c.version + 1 FROM pg_temp.refold_unpaired c
			JOIN call_events e ON e.id = c.id AND e.enterprise_number = c.enterprise_id
				AND e.event_timestamp BETWEEN c.low AND c.high AND e.created_at >= c.low - interval '1 day';
	END IF;
	DROP TABLE pg_temp.refold_unpaired;
END $$;

-- Compare the result with calls: fills refold_changes, and counts what is new, changed, gone, busy (the live
-- fold still has it; waiting: of these, those that events came for afterwards), cut, and all. `columns`: those of calls that events decide.
CREATE FUNCTION refold_compare(columns text[]) RETURNS TABLE (kind text, calls bigint) LANGUAGE plpgsql
	SET work_mem = '64MB' SET client_min_messages = warning AS $$
#variable_conflict use_column
DECLARE
	fresh_row text := (SELECT string_agg(format('s.%I', c), ', ') FROM unnest(columns) c);
	old_row   text := (SELECT string_agg(format('c.%I', c), ', ') FROM unnest(columns) c);
BEGIN
	PERFORM refold_pair();
	PERFORM refold_compare_lists();
	EXECUTE format($q$
		INSERT INTO pg_temp.refold_changes (kind, call_id, fresh, enterprise_id, version, fields)
		SELECT 'changed', c.id, s.id, c.enterprise_id, c.version + 1, coalesce((
				SELECT jsonb_object_agg(k, jsonb_build_array(j.was->k, j.is->k))
				FROM unnest($1) k WHERE j.was->k IS DISTINCT FROM j.is->k), '{}') || coalesce(l.fields, '{}')
		FROM pg_temp.refold_match m JOIN pg_temp.refold_calls s ON s.id = m.fresh AND s.in_scope
		JOIN calls c ON c.id = m.old LEFT JOIN pg_temp.refold_lists l ON l.fresh = m.fresh
		CROSS JOIN LATERAL (SELECT to_jsonb(c) AS was, to_jsonb(s) AS is OFFSET 0) j
		WHERE NOT EXISTS (SELECT FROM pg_temp.refold_busy b WHERE b.fresh = s.id)
			AND (ROW (%s) IS DISTINCT FROM ROW (%s) OR l.fresh IS NOT NULL)$q$, fresh_row, old_row)
		USING columns;
	INSERT INTO pg_temp.refold_changes (kind, call_id, fresh, enterprise_id, version)
		SELECT 'new', s.id, s.id, s.enterprise_id, s.version FROM pg_temp.refold_calls s WHERE s.in_scope
		AND NOT EXISTS (SELECT FROM pg_temp.refold_match m WHERE m.fresh = s.id)
		AND NOT EXISTS (SELECT FROM pg_temp.refold_busy b WHERE b.fresh = s.id);
	PERFORM refold_find_gone();
	-- A call and those that it takes in stand together.
	UPDATE pg_temp.refold_changes c SET n = o.n FROM (SELECT h.ctid AS row, row_number() OVER
		(ORDER BY coalesce(h.into_id, h.call_id), h.kind, h.call_id) AS n FROM pg_temp.refold_changes h) AS o
		WHERE c.ctid = o.row;
	RETURN QUERY SELECT c.kind, count(*) FROM pg_temp.refold_changes c GROUP BY 1
		UNION ALL SELECT CASE WHEN b.live THEN 'busy' ELSE 'cut' END, count(*) FROM pg_temp.refold_busy b
			JOIN pg_temp.refold_calls s ON s.id = b.fresh AND s.in_scope GROUP BY 1
		UNION ALL SELECT 'waiting', count(*) FROM pg_temp.refold_busy b
			JOIN pg_temp.refold_calls s ON s.id = b.fresh AND s.recovered WHERE b.live
		UNION ALL SELECT 'calls', count(*) FROM pg_temp.refold_calls s WHERE s.in_scope;
END $$;

-- Customers' counters follow the calls. Unlike a round of the live fold this may fail and be tried again.
CREATE FUNCTION refold_count(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM customer_count_new(ids);
	PERFORM customer_recount_call(c.id) FROM calls c WHERE c.id = ANY (ids) AND c.counted_as IS NOT NULL
		AND customer_counts_as(c) IS DISTINCT FROM c.counted_as;
END $$;

-- Put a piece of the changes into calls; returns how many. Left out is what the live fold has taken up
-- meanwhile and what is not any more as it was compared; `whole`: then nothing is done.
CREATE FUNCTION refold_apply(columns text[], first integer, last integer, why text, whole boolean) RETURNS integer
	LANGUAGE plpgsql AS $$
DECLARE
	listed    text := (SELECT string_agg(quote_ident(c), ', ') FROM unnest(columns) c);
	fresh_row text := (SELECT string_agg(format('s.%I', c), ', ') FROM unnest(columns) c);
	reason    jsonb := jsonb_build_array(jsonb_build_object('at', now(), 'event', 0, 'why', why));
	ns        integer[];
	ids       bigint[];
BEGIN
	SELECT coalesce(array_agg(h.n), '{}'), coalesce(array_agg(h.call_id), '{}') INTO ns, ids
		FROM pg_temp.refold_changes h LEFT JOIN calls c ON c.id = h.call_id
		WHERE h.n BETWEEN first AND last AND CASE WHEN h.kind = 'new' THEN c.id IS NULL
			ELSE c.version = h.version - 1 AND NOT EXISTS (SELECT FROM fold_calls k WHERE k.call_id = c.id) END;
	IF whole AND cardinality(ns) <> (SELECT count(*) FROM pg_temp.refold_changes h WHERE h.n BETWEEN first AND last) THEN
		RAISE EXCEPTION 'refold: a call changed while it was compared' USING ERRCODE = '40001';
	END IF;
	PERFORM calls_merged(ARRAY(SELECT h.call_id FROM pg_temp.refold_changes h WHERE h.n = ANY (ns) AND h.kind = 'gone'));
	EXECUTE format($q$UPDATE calls c SET (%s) = ROW (%s), version = h.version, updated_at = now(),
			trace = (s.trace #>> '{}')::jsonb || $2
		FROM pg_temp.refold_changes h JOIN pg_temp.refold_calls s ON s.id = h.fresh
		WHERE h.n = ANY ($1) AND h.kind = 'changed' AND c.id = h.call_id$q$, listed, fresh_row) USING ns, reason;
	EXECUTE format($q$INSERT INTO calls (id, shard, enterprise_id, data_source, version, trace_id, trace, %s)
		SELECT s.id, s.shard, s.enterprise_id, s.data_source, s.version, s.trace_id,
			(s.trace #>> '{}')::jsonb || $2, %s
		FROM pg_temp.refold_changes h JOIN pg_temp.refold_calls s ON s.id = h.fresh
		WHERE h.n = ANY ($1) AND h.kind = 'new'$q$, listed, fresh_row) USING ns, reason;
	DELETE FROM call_legs l WHERE l.call_id = ANY (ids);
	INSERT INTO call_legs SELECT r.* FROM pg_temp.refold_changes h JOIN pg_temp.refold_calls s ON s.id = h.fresh,
		jsonb_array_elements(s.legs) AS x, jsonb_populate_record(NULL::call_legs,
			x || jsonb_build_object('call_id', h.call_id)) AS r WHERE h.n = ANY (ns);
	DELETE FROM call_transfers t WHERE t.call_id = ANY (ids);
	INSERT INTO call_transfers SELECT r.* FROM pg_temp.refold_changes h JOIN pg_temp.refold_calls s ON s.id = h.fresh,
		jsonb_array_elements(s.transfers) AS x, jsonb_populate_record(NULL::call_transfers,
			x || jsonb_build_object('call_id', h.call_id)) AS r WHERE h.n = ANY (ns);
	PERFORM refold_count(ids);
	RETURN cardinality(ns);
END $$;

-- Where a call comes from stands in the report, too.
CREATE OR REPLACE VIEW call_report AS
SELECT c.enterprise_id AS enterprise, c.id AS call_id, c.direction, c.answered,
	c.phone_number AS external, c.caller, c.callee, c.talkers, c.rang, c.trunk AS line,
	COALESCE((SELECT jsonb_agg(jsonb_build_object('from', t.from_extension, 'to', t.to_extension,
			'kind', t.kind, 'result', t.result) ORDER BY t.transfer)
		FROM call_transfers t WHERE t.call_id = c.id), '[]'::jsonb) AS transfers,
	c.state, c.start_time AS started_at, c.answer_time AS answered_at, c.end_time AS ended_at,
	c.ring_seconds, c.duration AS talk_seconds, c.unique_ids, c.data_source AS source
FROM calls c;
