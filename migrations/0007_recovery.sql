-- Recovery: what hosts could not deliver, brought afterwards as a file.

-- Every upload, for people: who brought what, and what came of it.
CREATE TABLE recovery_uploads (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	digest            text NOT NULL,                 -- SHA-256 of what was sent
	size_bytes        bigint NOT NULL,
	state             text NOT NULL DEFAULT 'reading' CHECK (state IN ('reading', 'done', 'refused', 'failed')),
	found             integer NOT NULL DEFAULT 0,    -- events in it
	fresh             integer NOT NULL DEFAULT 0,    -- the log had not
	known             integer NOT NULL DEFAULT 0,    -- the log had
	bad               integer NOT NULL DEFAULT 0,    -- lines that are no events
	words             text NOT NULL DEFAULT '',      -- why it was refused
	trace_id          text NOT NULL DEFAULT '',
	created_at        timestamptz NOT NULL DEFAULT now(),
	finished_at       timestamptz
);
CREATE INDEX recovery_uploads_enterprise ON recovery_uploads (enterprise_number, created_at DESC);

-- Events on their way into the log. Not logged by the server: when that dies they are gone, and the
-- upload with them; recovery_apply() counts, so half of them are never taken for all.
CREATE UNLOGGED TABLE recovery_rows (
	upload     bigint NOT NULL,
	n          integer NOT NULL,
	event_type text NOT NULL,
	unique_id  text NOT NULL,
	at         timestamptz NOT NULL,
	body       jsonb NOT NULL,
	PRIMARY KEY (upload, n)
);

-- The file's rows beside those of the log: what the log lacks, and where in time it belongs. A host notes
-- whole seconds, and by its own clock; but its file has all events in the order of posting. So a new event is put
-- between its neighbours that the log has, at most 10 s from what the file says, unless the file is in no order.
CREATE FUNCTION recovery_wanted(this bigint, enterprise text) RETURNS TABLE (n integer, event_type text, unique_id text,
	at timestamptz, body jsonb, fresh boolean) LANGUAGE plpgsql SET work_mem = '64MB' AS $$
#variable_conflict use_column
DECLARE
	zero    timestamptz;
	last    timestamptz;
	ordered boolean;
BEGIN
	SELECT min(r.at), max(r.at) INTO zero, last FROM recovery_rows r WHERE r.upload = this;
	SELECT bool_and(x.at >= x.before - interval '2 seconds') IS NOT FALSE INTO ordered FROM (
		SELECT r.at, lag(r.at) OVER (ORDER BY r.n) AS before FROM recovery_rows r WHERE r.upload = this) AS x;
	RETURN QUERY
	WITH ids AS MATERIALIZED (SELECT DISTINCT r.unique_id FROM recovery_rows r WHERE r.upload = this AND r.unique_id <> ''),
	have AS (
		SELECT x.*, row_number() OVER (PARTITION BY x.event_type, x.unique_id, x.body ORDER BY x.at) AS k FROM (
			SELECT e.event_type, e.unique_id, e.raw_data AS body, e.event_timestamp AS at
				FROM ids JOIN call_events e USING (unique_id) WHERE e.enterprise_number = enterprise
			UNION ALL -- events of bridges have no UniqueId: they are looked for around their time
			SELECT e.event_type, e.unique_id, e.raw_data, e.event_timestamp FROM call_events e
				WHERE e.enterprise_number = enterprise AND e.unique_id = ''
				AND e.event_timestamp BETWEEN zero - interval '1 day' AND last + interval '1 day') AS x),
	wanted AS (
		SELECT r.*, row_number() OVER (PARTITION BY r.event_type, r.unique_id, r.body ORDER BY r.at, r.n) AS k
		FROM recovery_rows r WHERE r.upload = this),
	placed AS (
		SELECT w.n, w.event_type, w.unique_id, w.at, w.body, h.at AS known,
			max(h.at) OVER (ORDER BY w.n) AS before,
			min(h.at) OVER (ORDER BY w.n DESC) AS after -- backwards: a frame that shrinks would be counted anew each time
		FROM wanted w LEFT JOIN have h ON h.event_type = w.event_type AND h.unique_id = w.unique_id
			AND h.body = w.body AND h.k = w.k)
	SELECT p.n, p.event_type, p.unique_id,
		CASE WHEN NOT ordered OR p.known IS NOT NULL THEN p.at
			WHEN p.before - p.at BETWEEN interval '0' AND interval '10 seconds'
				THEN least(p.before + interval '1 microsecond', p.after)
			WHEN p.at - p.after BETWEEN interval '0' AND interval '10 seconds'
				THEN greatest(p.after - interval '1 microsecond', p.before)
			ELSE p.at END,
		p.body, p.known IS NULL
	FROM placed p ORDER BY p.n;
END $$;

-- All of an upload into the log, or nothing. An event that the file has k times and the log j times is
-- new k - j times, whatever day it is of. Uploads of one enterprise go one after the other, so two of
-- the same file bring its events once.
CREATE FUNCTION recovery_apply(this bigint, expected integer, OUT fresh integer, OUT known integer)
	LANGUAGE plpgsql AS $$
DECLARE
	u    recovery_uploads;
	held integer;
	low  timestamptz;
	high timestamptz;
BEGIN
	SELECT * INTO STRICT u FROM recovery_uploads WHERE id = this FOR UPDATE;
	PERFORM pg_advisory_xact_lock(hashtext('recovery'), hashtext(u.enterprise_number));
	SELECT count(*) INTO held FROM recovery_rows WHERE upload = this;
	IF held <> expected THEN
		RAISE EXCEPTION 'recovery: % of % events are there', held, expected USING ERRCODE = 'CW002';
	END IF;
	ANALYZE recovery_rows;
	WITH put AS (
		INSERT INTO call_events (shard, enterprise_number, unique_id, event_type, event_timestamp,
				data_source, trace_id, raw_data)
			SELECT enterprise_shard(u.enterprise_number), u.enterprise_number, w.unique_id, w.event_type,
				w.at, 'recovery', u.trace_id, w.body
			FROM recovery_wanted(this, u.enterprise_number) w WHERE w.fresh ORDER BY w.n
			RETURNING event_timestamp)
	SELECT count(*), min(event_timestamp), max(event_timestamp) INTO fresh, low, high FROM put;
	known := held - fresh;
	IF fresh > 0 THEN
		INSERT INTO refold_requests (enterprise_number, shard, from_at, to_at, reason)
			VALUES (u.enterprise_number, enterprise_shard(u.enterprise_number), low, high,
				'recovery upload ' || this);
	END IF;
	DELETE FROM recovery_rows WHERE upload = this;
	UPDATE recovery_uploads SET state = 'done', fresh = recovery_apply.fresh, known = recovery_apply.known,
		finished_at = now() WHERE id = this;
END $$;

-- What broke off: its rows go, and people see that it did not end. Old ones are forgotten.
CREATE FUNCTION recovery_tidy() RETURNS void LANGUAGE sql AS $$
	UPDATE recovery_uploads SET state = 'failed', words = 'broken off', finished_at = now()
		WHERE state = 'reading' AND created_at < now() - interval '1 hour';
	DELETE FROM recovery_rows r WHERE NOT EXISTS (SELECT FROM recovery_uploads u
		WHERE u.id = r.upload AND u.state = 'reading');
	DELETE FROM recovery_uploads WHERE created_at < now() - interval '90 days';
$$;

-- HMAC-SHA256 (RFC 2104) of a text under an enterprise's secret, as hex: an operator's script signs its
-- uploads without the secret leaving the database.
CREATE FUNCTION recovery_sign(enterprise text, message text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	key   bytea;
	inner_key bytea := decode(repeat('36', 64), 'hex');
	outer_key bytea := decode(repeat('5c', 64), 'hex');
BEGIN
	SELECT convert_to(e.secret, 'UTF8') INTO key FROM enterprises e WHERE e.number = enterprise AND e.secret <> '';
	IF key IS NULL THEN
		RAISE EXCEPTION 'enterprise % is not known, or has no secret', enterprise;
	END IF;
	IF length(key) > 64 THEN
		key := sha256(key);
	END IF;
	FOR i IN 0 .. length(key) - 1 LOOP
		inner_key := set_byte(inner_key, i, get_byte(key, i) # 54);
		outer_key := set_byte(outer_key, i, get_byte(key, i) # 92);
	END LOOP;
	RETURN encode(sha256(outer_key || sha256(inner_key || convert_to(message, 'UTF8'))), 'hex');
END $$;
