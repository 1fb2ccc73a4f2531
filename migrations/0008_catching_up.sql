-- Housekeeping that costs nothing while there is nothing to do, however long the log is that is caught up
-- with: no query of it looks at all calls, or at all that the fold remembers.

-- Calls that ended and could not be counted for their customer at once: somebody held the row.
CREATE TABLE customers_late (
	call_id bigint PRIMARY KEY REFERENCES calls ON DELETE CASCADE,
	since   timestamptz NOT NULL DEFAULT now()
);

CREATE OR REPLACE FUNCTION customer_count_call(ids bigint[]) RETURNS integer LANGUAGE plpgsql
	SET lock_timeout = '200ms' SET enable_seqscan = off AS $$
DECLARE
	counted integer;
	again   bigint;
BEGIN
	counted := customer_count_new(ids);
	FOR again IN SELECT c.id FROM calls c WHERE c.id = ANY (ids) AND c.counted_as IS NOT NULL
			AND c.state IN ('ended', 'lost') AND customer_counts_as(c) IS DISTINCT FROM c.counted_as
			ORDER BY c.id LOOP
		counted := counted + customer_recount_call(again)::int;
	END LOOP;
	RETURN counted;
EXCEPTION WHEN OTHERS THEN
	RAISE WARNING 'customers: % calls are counted later: %', cardinality(ids), SQLERRM;
	INSERT INTO customers_late (call_id) SELECT c.id FROM calls c WHERE c.id = ANY (ids) ORDER BY c.id
		ON CONFLICT DO NOTHING;
	RETURN 0;
END $$;

-- Try again, one by one, so that a row that is still held keeps only its own calls waiting. Returns how
-- many have waited for more than a minute.
CREATE OR REPLACE FUNCTION customer_count_late() RETURNS integer LANGUAGE plpgsql
	SET enable_seqscan = off AS $$
DECLARE
	late bigint;
BEGIN
	FOR late IN SELECT call_id FROM customers_late ORDER BY since LIMIT 100 LOOP
		DELETE FROM customers_late WHERE call_id = late;
		PERFORM customer_count_call(late);
	END LOOP;
	RETURN (SELECT count(*) FROM customers_late WHERE since < now() - interval '1 minute');
END $$;

-- Ended calls that nobody needs to remember: found by the time, not by looking at each that is remembered.
CREATE INDEX fold_calls_ended ON fold_calls (forget_at) WHERE forget_at IS NOT NULL;
CREATE FUNCTION fold_forget(at_most integer) RETURNS SETOF bigint LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
	RETURN QUERY DELETE FROM fold_calls WHERE call_id IN (SELECT f.call_id FROM fold_calls f
		WHERE f.forget_at < now() ORDER BY f.forget_at LIMIT at_most FOR UPDATE SKIP LOCKED) RETURNING call_id;
END $$;

-- A call is written anew a few times while it goes on: with room on its page that touches no index.
ALTER TABLE calls SET (fillfactor = 60);
ALTER TABLE call_legs SET (fillfactor = 60);
