-- The foundation: tenants and their people, the event log, calls, the outbox.
-- Names follow the system that callweave replaces, where it had them.

-- Tenants ------------------------------------------------------------------------------------------

-- One of 64 partitions of the work; a dispatcher owns partitions by lease.
CREATE FUNCTION enterprise_shard(number text) RETURNS smallint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (('x' || substr(md5(number), 1, 4))::bit(16)::int % 64)::smallint;

CREATE TABLE enterprises (
	number              text PRIMARY KEY CHECK (number ~ '^[0-9A-Za-z_-]{1,50}$'),
	name                text NOT NULL,
	name2               text UNIQUE,                 -- the token that its PBX sends
	secret              text UNIQUE,
	bot_token           text,
	chat_id             bigint,                      -- the owner's chat
	chat_disabled_at    timestamptz,                 -- Telegram refused that chat: not asked again
	chat_disabled_reason text,
	zone                text NOT NULL DEFAULT 'Europe/Minsk',
	locale              text NOT NULL DEFAULT 'ru' CHECK (locale IN ('ru', 'en')),
	country             text NOT NULL DEFAULT 'BY' CHECK (country ~ '^[A-Z]{2}$'),
	ip                  text,
	host                text,
	active              boolean NOT NULL DEFAULT true,
	debug_log           boolean NOT NULL DEFAULT false, -- every event to logs/<number>.log
	settings            jsonb NOT NULL DEFAULT '{}',
	integrations_config jsonb NOT NULL DEFAULT '{}',
	shard               smallint NOT NULL GENERATED ALWAYS AS (enterprise_shard(number)) STORED,
	created_at          timestamptz NOT NULL DEFAULT now(),
	CHECK (name2 <> ''), CHECK (secret <> ''), CHECK (bot_token <> '')
);
CREATE INDEX enterprises_bot_token ON enterprises (bot_token);

-- Another chat or another bot deserves another try.
CREATE FUNCTION enterprises_enable_chat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.chat_disabled_at := NULL;
	NEW.chat_disabled_reason := NULL;
	RETURN NEW;
END $$;
CREATE TRIGGER enterprises_enable_chat BEFORE UPDATE ON enterprises FOR EACH ROW
	WHEN (NEW.chat_id IS DISTINCT FROM OLD.chat_id OR NEW.bot_token IS DISTINCT FROM OLD.bot_token)
	EXECUTE FUNCTION enterprises_enable_chat();

CREATE TABLE telegram_users (
	id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	tg_id           bigint NOT NULL,
	bot_token       text NOT NULL,
	email           text,
	disabled_at     timestamptz,                     -- Telegram said 403: not asked again
	disabled_reason text,
	created_at      timestamptz NOT NULL DEFAULT now(),
	updated_at      timestamptz NOT NULL DEFAULT now(),
	UNIQUE (tg_id, bot_token)
);

CREATE TABLE users (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	email             text,
	first_name        text NOT NULL DEFAULT '',
	last_name         text NOT NULL DEFAULT '',
	patronymic        text NOT NULL DEFAULT '',
	personal_phone    text,
	status            text NOT NULL DEFAULT 'active',
	is_admin          boolean NOT NULL DEFAULT false,
	is_employee       boolean NOT NULL DEFAULT true,
	follow_me_number  integer,
	follow_me_enabled boolean NOT NULL DEFAULT false,
	follow_me_steps   jsonb,
	telegram_tg_id    bigint,
	created_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX users_enterprise ON users (enterprise_number);

CREATE TABLE user_internal_phones (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id           bigint REFERENCES users ON DELETE SET NULL,
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	phone_number      text NOT NULL,
	password          text,
	UNIQUE (enterprise_number, phone_number)
);

CREATE TABLE gsm_lines (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	line_id           text NOT NULL,                 -- '0001363': leading zeros matter
	internal_id       text,
	prefix            text,
	phone_number      text,
	line_name         text,
	in_schema         text,
	out_schema        text,
	shop              text,
	slot              integer,
	redirect          text,
	created_at        timestamptz NOT NULL DEFAULT now(),
	UNIQUE (enterprise_number, line_id)
);

CREATE TABLE sip_unit (
	id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	enterprise_number  text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	line_name          text NOT NULL,                -- the SIP login: the Trunk of events
	password           text,
	prefix             text,
	info               text,
	in_schema          text,
	out_schema         text,
	incoming_transform text,                         -- '+375{9}'
	UNIQUE (enterprise_number, line_name)
);

CREATE TABLE customers (
	id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	enterprise_number   text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	phone_e164          text NOT NULL,
	first_seen_at       timestamptz,
	last_seen_at        timestamptz,
	last_call_at        timestamptz,
	last_success_at     timestamptz,
	calls_total_in      integer NOT NULL DEFAULT 0,
	calls_total_out     integer NOT NULL DEFAULT 0,
	calls_answered_in   integer NOT NULL DEFAULT 0,
	calls_answered_out  integer NOT NULL DEFAULT 0,
	calls_missed_in     integer NOT NULL DEFAULT 0,
	calls_missed_out    integer NOT NULL DEFAULT 0,
	last_call_direction text CHECK (last_call_direction IN ('in', 'out', 'internal', 'unknown')),
	last_call_status    text CHECK (last_call_status IN ('answered', 'missed', 'unknown')),
	last_agent_internal text,
	last_line           text,
	field1              varchar(100),
	field2              varchar(100),
	field3              varchar(100),
	field4              varchar(100),
	black_list          boolean NOT NULL DEFAULT false,
	meta                jsonb NOT NULL DEFAULT '{}',
	last_name           varchar(100),
	first_name          varchar(100),
	middle_name         varchar(100),
	enterprise_name     varchar(200),
	UNIQUE (enterprise_number, phone_e164)
);
CREATE INDEX customers_last_call ON customers (enterprise_number, last_call_at DESC);

-- Who keeps a copy of these tables follows them within a second.
CREATE FUNCTION notify_config() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('callweave_config', TG_TABLE_NAME);
	RETURN NULL;
END $$;
CREATE TRIGGER enterprises_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON enterprises
	FOR EACH STATEMENT EXECUTE FUNCTION notify_config();
CREATE TRIGGER telegram_users_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON telegram_users
	FOR EACH STATEMENT EXECUTE FUNCTION notify_config();
CREATE TRIGGER users_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON users
	FOR EACH STATEMENT EXECUTE FUNCTION notify_config();
CREATE TRIGGER user_internal_phones_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON user_internal_phones
	FOR EACH STATEMENT EXECUTE FUNCTION notify_config();
CREATE TRIGGER gsm_lines_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON gsm_lines
	FOR EACH STATEMENT EXECUTE FUNCTION notify_config();
CREATE TRIGGER sip_unit_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sip_unit
	FOR EACH STATEMENT EXECUTE FUNCTION notify_config();

-- The log ------------------------------------------------------------------------------------------

-- Append-only, every event. Readers go by (tx, id) and stop below the oldest running transaction:
-- ids of concurrent writers become visible out of order, transaction ids below that mark do not.
-- created_at is the transaction's time on this server and chooses the partition (one a day).
CREATE TABLE call_events (
	id                 bigint GENERATED ALWAYS AS IDENTITY,
	tx                 xid8 NOT NULL DEFAULT pg_current_xact_id(),
	shard              smallint NOT NULL,
	enterprise_number  text NOT NULL,
	unique_id          text NOT NULL,
	event_type         text NOT NULL,
	event_timestamp    timestamptz NOT NULL,         -- when ingest received it
	data_source        text NOT NULL DEFAULT 'live', -- live | recovery | downloaded | migrated
	trace_id           text NOT NULL DEFAULT '',
	raw_data           jsonb NOT NULL,
	created_at         timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tx, id, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX idx_events_unique_id ON call_events (unique_id);

-- Nothing is ever refused for want of a partition.
CREATE TABLE call_events_default PARTITION OF call_events DEFAULT;

-- Make the partitions from yesterday to `days` ahead; returns how many were made. Days that already
-- have rows in the default partition stay there.
CREATE FUNCTION call_events_make_partitions(days integer) RETURNS integer LANGUAGE plpgsql
	SET lock_timeout = '300ms' AS $$ -- rather tried again than ingest held up behind the lock
DECLARE
	day  date;
	name text;
	made integer := 0;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('call_events_make_partitions'));
	FOR day IN SELECT d::date FROM generate_series((now() AT TIME ZONE 'UTC')::date - 1,
			(now() AT TIME ZONE 'UTC')::date + days, interval '1 day') AS d LOOP
		name := 'call_events_' || to_char(day, 'YYYYMMDD');
		CONTINUE WHEN to_regclass(name) IS NOT NULL;
		BEGIN
			EXECUTE format('CREATE TABLE %I PARTITION OF call_events FOR VALUES FROM (%L) TO (%L)',
				name, day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
			made := made + 1;
		EXCEPTION WHEN check_violation THEN
			NULL; -- the default partition holds rows of that day
		END;
	END LOOP;
	RETURN made;
END $$;

-- Drop whole days older than `days`; returns how many.
CREATE FUNCTION call_events_drop_older_than(days integer) RETURNS integer LANGUAGE plpgsql
	SET lock_timeout = '300ms' AS $$
DECLARE
	name    text;
	dropped integer := 0;
BEGIN
	FOR name IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
			WHERE i.inhparent = 'call_events'::regclass AND c.relname ~ '^call_events_[0-9]{8}$'
			AND to_date(right(c.relname, 8), 'YYYYMMDD') < (now() AT TIME ZONE 'UTC')::date - days LOOP
		EXECUTE format('DROP TABLE %I', name);
		dropped := dropped + 1;
	END LOOP;
	RETURN dropped;
END $$;

SELECT call_events_make_partitions(7);

-- One row a commit of ingest: a commit whose answer was lost is repeated under the same number and
-- then does nothing if it had happened. Old rows are deleted by their writer.
CREATE TABLE ingest_batches (
	writer     uuid NOT NULL,
	batch      bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (writer, batch)
);

-- Idempotency-Key of POSTs, kept for a week.
CREATE TABLE event_keys (
	enterprise_number text NOT NULL,
	key               text NOT NULL,
	created_at        timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (enterprise_number, key)
);
CREATE INDEX event_keys_created ON event_keys (created_at);

-- Events of unknown tokens: bounded by ingest; an operator may replay them.
CREATE TABLE event_quarantine (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	event_type  text NOT NULL,
	token       text NOT NULL,
	reason      text NOT NULL,
	peer        text NOT NULL,
	trace_id    text NOT NULL DEFAULT '',
	body        text NOT NULL,
	received_at timestamptz NOT NULL DEFAULT now(),
	replayed_at timestamptz
);
CREATE INDEX event_quarantine_token ON event_quarantine (token, id);

-- Calls --------------------------------------------------------------------------------------------

-- Where each partition of the work stands in the log, and who owns it.
CREATE TABLE fold_cursors (
	shard       smallint PRIMARY KEY CHECK (shard BETWEEN 0 AND 63),
	tx          xid8 NOT NULL DEFAULT '0',
	id          bigint NOT NULL DEFAULT 0,
	at          timestamptz NOT NULL DEFAULT '-infinity', -- created_at of that event: bounds the search
	owner       text,
	lease_until timestamptz,
	epoch       bigint NOT NULL DEFAULT 0            -- grows with each change of owner: fences the old one
) WITH (fillfactor = 20);
INSERT INTO fold_cursors (shard) SELECT generate_series(0, 63);

-- Running dispatchers, also those that own nothing yet: shards are shared fairly among them.
CREATE TABLE dispatchers (
	name    text PRIMARY KEY,
	seen_at timestamptz NOT NULL
) WITH (fillfactor = 20);

-- Renew `me`'s shards, take free and expired ones up to its fair part, and say what it owns now
-- (one row with shard NULL when nothing) and what its fair part is. Rows that a commit of their
-- owner holds are passed over, so a new owner never starts behind a commit that is still under way.
CREATE FUNCTION fold_lease(me text, lease interval)
	RETURNS TABLE (shard smallint, epoch bigint, tx xid8, id bigint, at timestamptz, fair integer)
	LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	now_ts timestamptz := clock_timestamp();
	share  integer;
	mine   integer;
BEGIN
	INSERT INTO dispatchers AS d VALUES (me, now_ts)
		ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at;
	DELETE FROM dispatchers d WHERE d.seen_at < now_ts - 12 * lease;
	SELECT ceil(64.0 / count(*)) INTO share FROM dispatchers d WHERE d.seen_at > now_ts - lease;
	PERFORM 1 FROM fold_cursors c WHERE c.owner = me ORDER BY c.shard FOR UPDATE;
	UPDATE fold_cursors c SET lease_until = clock_timestamp() + lease WHERE c.owner = me;
	GET DIAGNOSTICS mine = ROW_COUNT;
	UPDATE fold_cursors c SET owner = me, epoch = c.epoch + 1, lease_until = clock_timestamp() + lease
		WHERE c.shard IN (SELECT f.shard FROM fold_cursors f
			WHERE f.owner IS NULL OR f.lease_until < clock_timestamp()
			ORDER BY f.shard LIMIT greatest(share - mine, 0) FOR UPDATE SKIP LOCKED);
	RETURN QUERY SELECT c.shard, c.epoch, c.tx, c.id, c.at, share
		FROM (VALUES (1)) AS one (row) LEFT JOIN fold_cursors c ON c.owner = me ORDER BY c.shard;
END $$;

-- Give shards back.
CREATE FUNCTION fold_release(me text, shards smallint[]) RETURNS void LANGUAGE sql AS $$
	UPDATE fold_cursors SET owner = NULL, lease_until = NULL
		WHERE shard IN (SELECT f.shard FROM fold_cursors f
			WHERE f.owner = me AND f.shard = ANY (shards) ORDER BY f.shard FOR UPDATE);
$$;

-- The first statement of each commit of the fold: moves cursors on, or refuses the whole commit
-- when a shard belongs to somebody else by now. `positions`: [{shard, epoch, tx, id, at}].
CREATE FUNCTION fold_advance(me text, positions json) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	held integer;
BEGIN
	PERFORM 1 FROM fold_cursors c, json_to_recordset(positions) AS p (shard smallint, epoch bigint)
		WHERE c.shard = p.shard AND c.owner = me AND c.epoch = p.epoch
		ORDER BY c.shard FOR UPDATE OF c;
	GET DIAGNOSTICS held = ROW_COUNT;
	IF held <> json_array_length(positions) THEN
		RAISE EXCEPTION 'fold: a shard changed hands' USING ERRCODE = 'CW001';
	END IF;
	UPDATE fold_cursors c SET tx = p.tx, id = p.id, at = p.at
		FROM json_to_recordset(positions) AS p (shard smallint, tx xid8, id bigint, at timestamptz)
		WHERE c.shard = p.shard AND (p.tx, p.id) > (c.tx, c.id);
END $$;

CREATE TABLE calls (
	id                 bigint PRIMARY KEY,           -- log id of its first event
	shard              smallint NOT NULL,
	enterprise_id      text NOT NULL,                -- enterprises.number
	unique_id          text NOT NULL,                -- of its primary channel
	unique_ids         text[] NOT NULL DEFAULT '{}',
	direction          text NOT NULL CHECK (direction IN ('incoming', 'outgoing', 'internal', 'unknown')),
	state              text NOT NULL CHECK (state IN ('greeting', 'ringing', 'talking', 'ended', 'lost')),
	answered           boolean NOT NULL DEFAULT false,
	phone_number       text,                         -- the other side, E.164
	caller             text,
	callee             text,
	main_extension     text,                         -- who talked last, else who rang first
	talkers            text[] NOT NULL DEFAULT '{}',
	rang               text[] NOT NULL DEFAULT '{}',
	trunk              text,                         -- the line
	call_type          text NOT NULL,                -- '0' in, '1' out, '2' internal
	call_status        text,                         -- of the final hangup; '2' is answered
	start_time         timestamptz,
	answer_time        timestamptz,
	end_time           timestamptz,
	ring_seconds       integer,
	duration           integer,                      -- seconds of talk
	data_source        text NOT NULL DEFAULT 'live',
	uuid_token         uuid NOT NULL DEFAULT gen_random_uuid(), -- of the recording's link
	call_url           text,
	version            integer NOT NULL DEFAULT 1,
	trace_id           text NOT NULL DEFAULT '',
	trace              jsonb NOT NULL DEFAULT '[]',  -- why the fold decided as it did; bounded
	created_at         timestamptz NOT NULL DEFAULT now(),
	updated_at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_calls_enterprise_start ON calls (enterprise_id, start_time DESC);
CREATE INDEX idx_calls_unique_id ON calls (unique_id);
CREATE INDEX idx_calls_phone_number ON calls (enterprise_id, phone_number);

-- What the fold remembers of each call while it is open or lingers: lets a new owner of the shard go
-- on exactly where the old one stopped. Apart from calls, because it changes with each event.
CREATE TABLE fold_calls (
	shard     smallint NOT NULL,
	call_id   bigint NOT NULL REFERENCES calls ON DELETE CASCADE,
	enterprise_id text NOT NULL,
	state     text NOT NULL,                         -- call_fold_save()
	forget_at timestamptz,                           -- end of lingering; NULL while open
	PRIMARY KEY (call_id)
) WITH (fillfactor = 50);
CREATE INDEX fold_calls_shard ON fold_calls (shard, call_id);

CREATE TABLE call_legs (
	call_id            bigint NOT NULL REFERENCES calls ON DELETE CASCADE,
	leg                smallint NOT NULL,
	extension          text NOT NULL,
	participant_status text NOT NULL CHECK (participant_status IN ('dialing', 'answered', 'no_answer', 'busy')),
	ring_order         smallint NOT NULL,
	answer_time        timestamptz,
	hangup_time        timestamptz,
	PRIMARY KEY (call_id, leg)
);

CREATE TABLE call_transfers (
	call_id        bigint NOT NULL REFERENCES calls ON DELETE CASCADE,
	transfer       smallint NOT NULL,
	from_extension text NOT NULL,
	to_extension   text NOT NULL,
	kind           text NOT NULL CHECK (kind IN ('attended', 'blind')),
	result         text NOT NULL CHECK (result IN ('pending', 'accepted', 'refused', 'unanswered')),
	started_at     timestamptz,
	PRIMARY KEY (call_id, transfer)
);

-- One row a call, for people and reports.
CREATE VIEW call_report AS
SELECT c.enterprise_id AS enterprise, c.id AS call_id, c.direction, c.answered,
	c.phone_number AS external, c.caller, c.callee, c.talkers, c.rang, c.trunk AS line,
	COALESCE((SELECT jsonb_agg(jsonb_build_object('from', t.from_extension, 'to', t.to_extension,
			'kind', t.kind, 'result', t.result) ORDER BY t.transfer)
		FROM call_transfers t WHERE t.call_id = c.id), '[]'::jsonb) AS transfers,
	c.state, c.start_time AS started_at, c.answer_time AS answered_at, c.end_time AS ended_at,
	c.ring_seconds, c.duration AS talk_seconds, c.unique_ids
FROM calls c;

-- What has to be told -------------------------------------------------------------------------------

-- One row a (call, destination) for live messages: a newer state replaces the payload of a queued
-- one. Deliveries that must all arrive (gateway, webhooks) take further slots.
CREATE TABLE outbox (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	shard             smallint NOT NULL,
	enterprise_number text NOT NULL,
	call_id           bigint NOT NULL,
	destination       text NOT NULL,                 -- 'telegram:<chat id>'
	slot              integer NOT NULL DEFAULT 0,
	version           integer NOT NULL,              -- of the call
	sending_version   integer,                       -- the one that is or was under way as a new message
	final             boolean NOT NULL DEFAULT false,
	payload           jsonb NOT NULL,                -- {"html": ...} or {"delete": true}
	state             text NOT NULL DEFAULT 'queued'
		CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'dead', 'unknown')),
	attempts          integer NOT NULL DEFAULT 0,
	next_at           timestamptz NOT NULL DEFAULT now(),
	lease_owner       text,
	last_error        text,
	http_status       integer,
	idempotency_key   uuid NOT NULL DEFAULT gen_random_uuid(),
	trace_id          text NOT NULL DEFAULT '',
	created_at        timestamptz NOT NULL DEFAULT now(),
	updated_at        timestamptz NOT NULL DEFAULT now(),
	UNIQUE (call_id, destination, slot)
);
CREATE INDEX outbox_open ON outbox (shard, id)
	WHERE state IN ('queued', 'sending', 'failed') OR (state = 'unknown' AND final);
CREATE INDEX outbox_done ON outbox (updated_at) WHERE state = 'sent' AND final;
CREATE INDEX outbox_attention ON outbox (updated_at) WHERE state IN ('dead', 'unknown');

-- What became of deliveries, many at once; gives the numbers (n) of the rows that it changed. A newer
-- version that the fold has put into a row meanwhile keeps it open. A claim ('sending') is refused
-- when its shard is not `me`'s any more. Row by row, so that each goes by its key whatever the
-- planner believes of a table without statistics.
CREATE FUNCTION outbox_report(me text, reports json) RETURNS SETOF integer LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM json_to_recordset(reports) AS x (n integer, shard smallint, epoch bigint,
			call_id bigint, destination text, state text, version integer, unknown_sends integer,
			attempts integer, next_at timestamptz, words text, http_status integer) LOOP
		CONTINUE WHEN r.state = 'sending' AND NOT EXISTS (SELECT FROM fold_cursors f
			WHERE f.shard = r.shard AND f.owner = me AND f.epoch = r.epoch);
		UPDATE outbox o SET
			state = CASE WHEN r.state IN ('sent', 'dead', 'unknown') AND o.version > r.version
				AND r.unknown_sends < 3 THEN 'queued' ELSE r.state END,
			sending_version = CASE WHEN r.state = 'sending' THEN r.version ELSE o.sending_version END,
			lease_owner = CASE WHEN r.state = 'sending' THEN me END,
			attempts = r.attempts, next_at = coalesce(r.next_at, now()), last_error = r.words,
			http_status = r.http_status, updated_at = now()
			WHERE o.call_id = r.call_id AND o.destination = r.destination AND o.slot = 0
			AND (o.lease_owner IS NULL OR o.lease_owner = me);
		IF FOUND THEN
			RETURN NEXT r.n;
		END IF;
	END LOOP;
END $$;

-- What stands in each chat: the message to edit. unknown_sends counts sends whose outcome nobody
-- knows: each may have left one more message in the chat.
CREATE TABLE telegram_messages (
	call_id           bigint NOT NULL,
	chat_id           bigint NOT NULL,
	enterprise_number text NOT NULL,
	message_id        bigint,
	sent_version      integer,
	text              text NOT NULL DEFAULT '',
	unknown_sends     integer NOT NULL DEFAULT 0,
	created_at        timestamptz NOT NULL DEFAULT now(),
	updated_at        timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (call_id, chat_id)
);

CREATE TABLE integration_logs (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	created_at        timestamptz NOT NULL DEFAULT now(),
	enterprise_number text NOT NULL,
	integration_type  text NOT NULL,
	event_type        text NOT NULL,
	call_id           bigint,
	request_data      jsonb,
	response_data     jsonb,
	status            text NOT NULL CHECK (status IN ('success', 'error')),
	error_message     text
);
CREATE INDEX integration_logs_enterprise ON integration_logs (enterprise_number, created_at DESC);
