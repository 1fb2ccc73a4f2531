-- Deliveries to CRMs among several instances: who is alive, who serves which channel, what came of an attempt.

-- One row an instance of integration-cache. A channel is served by crm_channels.owner for as long as that one is
-- alive here: so the lease of all its channels, ten thousand of them, is renewed by one row.
CREATE TABLE crm_instances (
	name        text PRIMARY KEY,
	boot        uuid NOT NULL,                       -- of the process: a restarted one takes its channels along
	lease_until timestamptz NOT NULL
);
ALTER TABLE crm_channels DROP COLUMN lease_until;

-- A dead delivery that a person sends again has its time anew.
ALTER TABLE crm_deliveries ADD COLUMN retried_at timestamptz;
-- Those that wait for their next try: when the first is due, and whether one of a call is among them.
CREATE INDEX crm_deliveries_failed ON crm_deliveries (enterprise_number, crm, next_at) WHERE state = 'failed';
CREATE INDEX crm_deliveries_failed_calls ON crm_deliveries (enterprise_number, crm, call_key) WHERE state = 'failed';

-- Renew, and take what nobody serves, up to a fair share. All channels of `me` come back, at least one row (of NULLs);
-- no row at all: another process has this name now. `fresh`: the process has just started, and an older one of
-- the same name must not write any more. `waiting`: something is to be told there.
CREATE FUNCTION crm_lease(me text, my_boot uuid, fresh boolean, lease interval)
	RETURNS TABLE (enterprise_number text, crm text, epoch bigint, fair integer, waiting boolean)
	LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	share integer;
	mine  integer;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('crm_lease'));
	INSERT INTO crm_instances AS i VALUES (me, my_boot, clock_timestamp() + lease)
		ON CONFLICT (name) DO UPDATE SET boot = excluded.boot, lease_until = excluded.lease_until
			WHERE i.boot = my_boot OR fresh;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	IF fresh THEN
		UPDATE crm_channels c SET epoch = c.epoch + 1, updated_at = now() WHERE c.owner = me;
	END IF;
	DELETE FROM crm_instances i WHERE i.lease_until < clock_timestamp() - 12 * lease;
	SELECT ceil((SELECT count(*) FROM crm_channels)::numeric / count(*)) INTO share
		FROM crm_instances i WHERE i.lease_until > clock_timestamp();
	SELECT count(*) INTO mine FROM crm_channels c WHERE c.owner = me;
	UPDATE crm_channels c SET owner = me, epoch = c.epoch + 1, updated_at = now()
		WHERE (c.enterprise_number, c.crm) IN (SELECT f.enterprise_number, f.crm FROM crm_channels f
			WHERE NOT EXISTS (SELECT FROM crm_instances i WHERE i.name = f.owner AND i.lease_until > clock_timestamp())
			ORDER BY 1, 2 LIMIT greatest(share - mine, 0) FOR UPDATE SKIP LOCKED);
	RETURN QUERY SELECT c.enterprise_number, c.crm, c.epoch, share, EXISTS (SELECT FROM crm_deliveries d
			WHERE d.enterprise_number = c.enterprise_number AND d.crm = c.crm
				AND d.state IN ('queued', 'sending', 'failed'))
		FROM (VALUES (1)) AS one (row) LEFT JOIN crm_channels c ON c.owner = me;
END $$;

-- Give channels back; whoever has room takes them at once.
CREATE FUNCTION crm_release(me text, enterprises text[], crms text[]) RETURNS void LANGUAGE sql AS $$
	UPDATE crm_channels c SET owner = NULL, updated_at = now()
		FROM unnest(enterprises, crms) AS g (enterprise, crm)
		WHERE c.enterprise_number = g.enterprise AND c.crm = g.crm AND c.owner = me;
	SELECT pg_notify('callweave_crm', '');
$$;

-- The end of an instance: the others need not wait for its lease to run out.
CREATE FUNCTION crm_goodbye(me text, my_boot uuid) RETURNS void LANGUAGE sql AS $$
	UPDATE crm_channels SET owner = NULL, updated_at = now()
		WHERE owner = me AND EXISTS (SELECT FROM crm_instances WHERE name = me AND boot = my_boot);
	DELETE FROM crm_instances WHERE name = me AND boot = my_boot;
	SELECT pg_notify('callweave_crm', '');
$$;

-- What came of attempts, many in one transaction: the delivery, what the driver remembers of the call, the journal.
-- An owner that was replaced meanwhile may still say that something was told, but not plan what comes next.
-- `again`: the answer to this very call may have been lost once, so its rows of the journal may be there.
CREATE FUNCTION crm_report(me text, again boolean, reports json) RETURNS void LANGUAGE sql AS $$
	WITH r AS MATERIALIZED (SELECT * FROM json_to_recordset(reports) AS x (
			id bigint, enterprise text, crm text, epoch bigint, call_key text, kind text, call_id bigint, trace text,
			state text, attempts integer, wait_ms bigint, reason text, http_status integer, memory jsonb, attempt integer,
			logged text, crm_success boolean, took_ms integer, requests jsonb, replies jsonb)),
	d AS (UPDATE crm_deliveries d SET state = r.state, attempts = r.attempts,
			next_at = now() + r.wait_ms * interval '1 millisecond', last_error = r.reason,
			http_status = r.http_status, updated_at = now()
		FROM r WHERE d.id = r.id AND d.state IN ('queued', 'sending', 'failed')
			AND (r.state IN ('done', 'skipped') OR EXISTS (SELECT FROM crm_channels c
				WHERE c.enterprise_number = r.enterprise AND c.crm = r.crm AND c.owner = me AND c.epoch = r.epoch))
		RETURNING d.id),
	m AS (INSERT INTO crm_calls AS m (enterprise_number, crm, call_key, memory)
		SELECT r.enterprise, r.crm, r.call_key, r.memory FROM r JOIN d USING (id) WHERE r.memory IS NOT NULL
		ON CONFLICT (enterprise_number, crm, call_key) DO UPDATE SET memory = excluded.memory, updated_at = now()
			WHERE m.memory <> excluded.memory)
	INSERT INTO integration_logs (enterprise_number, integration_type, event_type, call_id, call_unique_id, delivery_id,
			trace_id, attempt, status, http_status, crm_success, latency_ms, request_data, response_data, error_message)
		SELECT r.enterprise, r.crm, r.kind, nullif(r.call_id, 0), r.call_key, r.id, r.trace, r.attempt, r.logged,
			r.http_status, r.crm_success, r.took_ms, r.requests, r.replies, r.reason
		FROM r WHERE r.logged IS NOT NULL AND NOT (again AND EXISTS (SELECT FROM integration_logs l
			WHERE l.enterprise_number = r.enterprise AND l.call_unique_id = r.call_key AND l.delivery_id = r.id
				AND l.attempt = r.attempt AND l.status = r.logged AND l.latency_ms IS NOT DISTINCT FROM r.took_ms))
		ORDER BY r.id;
$$;

-- Whether doors are open, for people and for the next owner.
CREATE FUNCTION crm_channel_report(me text, channels json) RETURNS void LANGUAGE sql AS $$
	UPDATE crm_channels c SET failures = x.failures, locked = x.locked, reason = coalesce(x.reason, ''),
			open_until = now() + x.open_ms * interval '1 millisecond', updated_at = now()
		FROM json_to_recordset(channels) AS x (enterprise text, crm text, epoch bigint, failures integer, locked boolean,
			open_ms bigint, reason text)
		WHERE c.enterprise_number = x.enterprise AND c.crm = x.crm AND c.owner = me AND c.epoch = x.epoch;
$$;

-- What is older than a day is given up, also where it was never tried: its door was closed. In bites.
CREATE FUNCTION crm_give_up(bite integer) RETURNS integer LANGUAGE sql AS $$
	WITH gone AS (UPDATE crm_deliveries d SET state = 'dead', updated_at = now(),
			last_error = left('given up after 24 hours: ' || coalesce(nullif(d.last_error, ''),
				(SELECT nullif(c.reason, '') FROM crm_channels c
					WHERE c.enterprise_number = d.enterprise_number AND c.crm = d.crm), 'never tried'), 500)
		WHERE d.id IN (SELECT o.id FROM crm_deliveries o WHERE o.state IN ('queued', 'sending', 'failed')
			AND coalesce(o.retried_at, o.created_at) < now() - interval '24 hours'
			AND (o.state <> 'sending' OR o.updated_at < now() - interval '2 minutes')
			LIMIT bite FOR UPDATE SKIP LOCKED)
		RETURNING 1)
	SELECT count(*)::integer FROM gone;
$$;

-- Send dead ones again: one, or all (id NULL). For scripts/deliveries.
CREATE FUNCTION crm_retry(delivery bigint) RETURNS integer LANGUAGE sql AS $$
	WITH again AS (UPDATE crm_deliveries d SET state = 'queued', next_at = now(), retried_at = now(), updated_at = now()
		WHERE d.state = 'dead' AND (crm_retry.delivery IS NULL OR d.id = crm_retry.delivery)
		RETURNING d.enterprise_number, d.crm),
	told AS (SELECT pg_notify('callweave_crm', c.enterprise_number || ' ' || c.crm || ' now')
		FROM (SELECT DISTINCT enterprise_number, crm FROM again) AS c)
	SELECT count(*)::integer + 0 * (SELECT count(*)::integer FROM told) FROM again;
$$;

-- A person has mended what a channel was locked for.
CREATE FUNCTION crm_unlock(enterprise text, code text) RETURNS integer LANGUAGE sql AS $$
	WITH open AS (UPDATE crm_channels c SET locked = false, failures = 0, open_until = NULL, reason = '',
			updated_at = now()
		WHERE c.enterprise_number = enterprise AND c.crm = code
		RETURNING pg_notify('callweave_crm', c.enterprise_number || ' ' || c.crm || ' now'))
	SELECT count(*)::integer FROM open;
$$;
