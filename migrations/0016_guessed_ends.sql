-- A call whose end nobody told (all left, no hangup came) may only have been on hold: it is remembered
-- longer than others, beside them: what refolding and counting look at is fold_calls alone.
ALTER TABLE fold_calls ADD COLUMN keep_until timestamptz;

CREATE TABLE fold_kept (
	shard         smallint NOT NULL,
	call_id       bigint PRIMARY KEY REFERENCES calls ON DELETE CASCADE,
	enterprise_id text NOT NULL,
	state         text NOT NULL,
	keep_until    timestamptz NOT NULL
);
CREATE INDEX fold_kept_shard ON fold_kept (shard, call_id);
CREATE INDEX fold_kept_until ON fold_kept (keep_until);

CREATE OR REPLACE FUNCTION fold_forget(at_most integer) RETURNS SETOF bigint LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
	DELETE FROM fold_kept WHERE call_id IN (SELECT k.call_id FROM fold_kept k
		WHERE k.keep_until < now() ORDER BY k.keep_until LIMIT at_most FOR UPDATE SKIP LOCKED);
	RETURN QUERY WITH gone AS (DELETE FROM fold_calls f WHERE f.call_id IN (SELECT f.call_id FROM fold_calls f
			WHERE f.forget_at < now() ORDER BY f.forget_at LIMIT at_most FOR UPDATE SKIP LOCKED) RETURNING f.*),
		kept AS (INSERT INTO fold_kept AS k SELECT g.shard, g.call_id, g.enterprise_id, g.state, g.keep_until
			FROM gone g WHERE g.keep_until > now()
			ON CONFLICT (call_id) DO UPDATE SET state = excluded.state, keep_until = excluded.keep_until)
		SELECT g.call_id FROM gone g;
END $$;
