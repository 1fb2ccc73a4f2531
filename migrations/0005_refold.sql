-- Folding the log again: what was asked for, and the functions that put the result into `calls`.

-- A stretch of an enterprise's log that has to be folded again, because events of it came afterwards.
-- Written in the transaction that brings the events; a dispatcher that owns the shard does the work.
CREATE TABLE refold_requests (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	shard             smallint NOT NULL,
	from_at           timestamptz NOT NULL,          -- event_timestamp of the first and the last
	to_at             timestamptz NOT NULL,          -- event that came afterwards
	reason            text NOT NULL DEFAULT '',      -- for people: "recovery upload 12"
	state             text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
	attempts          integer NOT NULL DEFAULT 0,
	next_at           timestamptz NOT NULL DEFAULT now(),
	last_error        text,
	result            jsonb,                         -- {"events": n, "new": n, "changed": n, ...}
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
