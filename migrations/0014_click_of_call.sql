-- A click is given to one call, and that call may ask again: what asked may have ended before it told.

ALTER TABLE click_calls ADD COLUMN call_id bigint;   -- the call that came of it; NULL: not known
CREATE INDEX click_calls_call ON click_calls (call_id) WHERE call_id IS NOT NULL;

-- The click that an outgoing call came of, as click_call_take() finds it. No row: nobody clicked.
CREATE FUNCTION click_call_of(call bigint, enterprise text, ext text, number text, began timestamptz)
	RETURNS TABLE (crm text, origin_call text) LANGUAGE plpgsql
	SET lock_timeout = '200ms' AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT c.crm, c.origin_call FROM click_calls c WHERE c.call_id = call;
	IF FOUND THEN
		RETURN;
	END IF;
	RETURN QUERY UPDATE click_calls c SET taken = true, call_id = call WHERE c.id = (
		SELECT o.id FROM click_calls o WHERE o.enterprise_number = enterprise AND o.extension = ext
			AND o.phone = number AND NOT o.taken
			AND o.at BETWEEN began - interval '2 minutes' AND began + interval '10 seconds'
			ORDER BY o.at DESC LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING c.crm, c.origin_call;
END $$;
