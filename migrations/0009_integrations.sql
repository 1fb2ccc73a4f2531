-- CRMs: what has to be told to which, what each remembers of a call, tokens, the journal.

-- Deliveries -----------------------------------------------------------------------------------------
-- One row a (enterprise, CRM, call, kind): what was taken is told, in this order a call, or a person can
-- see why not. `kind`: ringing, answered, hangup, recording, recovered; the n-th of a kind is "ringing:1".
CREATE TABLE crm_deliveries (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	enterprise_number text NOT NULL,
	crm               text NOT NULL,                 -- the driver's code: retailcrm, uon, ms, bitrix24, webhook
	call_key          text NOT NULL,                 -- UniqueId
	kind              text NOT NULL,
	payload           jsonb NOT NULL,                -- struct crm_call
	state             text NOT NULL DEFAULT 'queued'
		CHECK (state IN ('queued', 'sending', 'failed', 'done', 'skipped', 'dead')),
	attempts          integer NOT NULL DEFAULT 0,
	next_at           timestamptz NOT NULL DEFAULT now(),
	last_error        text,
	http_status       integer,
	trace_id          text NOT NULL DEFAULT '',
	idempotency_key   uuid NOT NULL DEFAULT gen_random_uuid(),
	created_at        timestamptz NOT NULL DEFAULT now(),
	updated_at        timestamptz NOT NULL DEFAULT now(),
	UNIQUE (enterprise_number, crm, call_key, kind)
);
CREATE INDEX crm_deliveries_open ON crm_deliveries (enterprise_number, crm, id)
	WHERE state IN ('queued', 'sending', 'failed');
CREATE INDEX crm_deliveries_over ON crm_deliveries (updated_at) WHERE state IN ('done', 'skipped', 'dead');
CREATE INDEX crm_deliveries_dead ON crm_deliveries (enterprise_number, id) WHERE state = 'dead';

-- One row a (enterprise, CRM): who delivers there now, and whether its door is open.
CREATE TABLE crm_channels (
	enterprise_number text NOT NULL,
	crm               text NOT NULL,
	owner             text,
	lease_until       timestamptz,
	epoch             bigint NOT NULL DEFAULT 0,     -- grows with each change of owner
	failures          integer NOT NULL DEFAULT 0,    -- in a row
	open_until        timestamptz,                   -- the breaker: nothing is sent before
	locked            boolean NOT NULL DEFAULT false,-- credentials are refused: a person must act
	reason            text NOT NULL DEFAULT '',      -- for people: why it does not go
	updated_at        timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (enterprise_number, crm)
) WITH (fillfactor = 50);

-- What a driver remembers of a call (Bitrix24's CALL_ID, MoySklad's sequence).
CREATE TABLE crm_calls (
	enterprise_number text NOT NULL,
	crm               text NOT NULL,
	call_key          text NOT NULL,
	memory            jsonb NOT NULL DEFAULT '{}',
	updated_at        timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (enterprise_number, crm, call_key)
);
CREATE INDEX crm_calls_old ON crm_calls (updated_at);

-- What an adapter remembers of an enterprise: where its reading of changes stands, what it registered.
CREATE TABLE crm_memory (
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	crm               text NOT NULL,
	task              text NOT NULL,                 -- changes, register
	memory            jsonb NOT NULL DEFAULT '{}',
	next_at           timestamptz NOT NULL DEFAULT now(),
	lease_owner       text,
	lease_until       timestamptz,
	failures          integer NOT NULL DEFAULT 0,
	last_error        text,
	updated_at        timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (enterprise_number, crm, task)
);

-- Tokens of OAuth applications. A refresh token rotates: the row is locked while it is being renewed.
CREATE TABLE crm_oauth (
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	crm               text NOT NULL,
	tokens            jsonb NOT NULL,
	version           bigint NOT NULL DEFAULT 1,
	updated_at        timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (enterprise_number, crm)
);

-- The journal ----------------------------------------------------------------------------------------
-- One row an attempt, by months. Secrets are masked before they come here.
ALTER TABLE integration_logs RENAME TO integration_logs_before;
DROP INDEX integration_logs_enterprise, integration_logs_call;
CREATE TABLE integration_logs (
	id                bigint GENERATED ALWAYS AS IDENTITY,
	created_at        timestamptz NOT NULL DEFAULT now(),
	enterprise_number text NOT NULL,
	integration_type  text NOT NULL,                 -- the driver's code
	event_type        text NOT NULL,                 -- "hangup", "ringing:1", "find", "changes"
	call_id           bigint,
	call_unique_id    text,
	delivery_id       bigint,
	trace_id          text NOT NULL DEFAULT '',
	attempt           integer NOT NULL DEFAULT 1,
	status            text NOT NULL CHECK (status IN ('success', 'error', 'skipped')),
	http_status       integer,                       -- of the last request; NULL: there was no answer
	crm_success       boolean,                       -- what the CRM itself said; NULL: nothing
	latency_ms        integer,
	request_data      jsonb,                         -- [{name, method, url, body}], masked
	response_data     jsonb,                         -- [{status, body}], masked, cut
	error_message     text,
	PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX integration_logs_enterprise ON integration_logs (enterprise_number, created_at DESC);
CREATE INDEX integration_logs_call ON integration_logs (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX integration_logs_unique_id ON integration_logs (enterprise_number, call_unique_id, id);
CREATE TABLE integration_logs_default PARTITION OF integration_logs DEFAULT;

-- Make this month's partition and the next; returns how many were made.
CREATE FUNCTION integration_logs_make_partitions() RETURNS integer LANGUAGE plpgsql
	SET lock_timeout = '300ms' AS $$ -- rather tried again than a journal held up behind the lock
DECLARE
	month date;
	name  text;
	made  integer := 0;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('integration_logs_make_partitions'));
	FOR month IN SELECT d::date FROM generate_series(date_trunc('month', now() AT TIME ZONE 'UTC'),
			date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month', interval '1 month') AS d LOOP
		name := 'integration_logs_' || to_char(month, 'YYYYMM');
		CONTINUE WHEN to_regclass(name) IS NOT NULL;
		BEGIN
			EXECUTE format('CREATE TABLE %I PARTITION OF integration_logs FOR VALUES FROM (%L) TO (%L)', name,
				month::text || ' 00:00:00+00', (month + interval '1 month')::date::text || ' 00:00:00+00');
			made := made + 1;
		EXCEPTION WHEN check_violation THEN
			NULL; -- the default partition holds rows of that month
		END;
	END LOOP;
	RETURN made;
END $$;

-- Drop whole months that ended more than `days` ago; returns how many.
CREATE FUNCTION integration_logs_drop_older_than(days integer) RETURNS integer LANGUAGE plpgsql
	SET lock_timeout = '300ms' AS $$
DECLARE
	name    text;
	dropped integer := 0;
BEGIN
	FOR name IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
			WHERE i.inhparent = 'integration_logs'::regclass AND c.relname ~ '^integration_logs_[0-9]{6}$'
			AND to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month'
				< (now() AT TIME ZONE 'UTC')::date - days LOOP
		EXECUTE format('DROP TABLE %I', name);
		dropped := dropped + 1;
	END LOOP;
	RETURN dropped;
END $$;

SELECT integration_logs_make_partitions();
INSERT INTO integration_logs (created_at, enterprise_number, integration_type, event_type, call_id, request_data,
		response_data, status, error_message)
	SELECT created_at, enterprise_number, integration_type, event_type, call_id, request_data, response_data, status,
		error_message FROM integration_logs_before;
DROP TABLE integration_logs_before;
