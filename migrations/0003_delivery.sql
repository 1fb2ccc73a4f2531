-- How calls are told: two chats of the owner, filters, messages that take each other's place,
-- recordings that come later, and a record of what was told.

-- A second chat of the owner; switched off by itself, as the first ----------------------------------

ALTER TABLE enterprises
	ADD COLUMN chat_id2              bigint,
	ADD COLUMN chat2_disabled_at     timestamptz,    -- Telegram refused that chat: not asked again
	ADD COLUMN chat2_disabled_reason text;

-- Another chat or another bot deserves another try.
CREATE OR REPLACE FUNCTION enterprises_enable_chat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.chat_id IS DISTINCT FROM OLD.chat_id OR NEW.bot_token IS DISTINCT FROM OLD.bot_token THEN
		NEW.chat_disabled_at := NULL;
		NEW.chat_disabled_reason := NULL;
	END IF;
	IF NEW.chat_id2 IS DISTINCT FROM OLD.chat_id2 OR NEW.bot_token IS DISTINCT FROM OLD.bot_token THEN
		NEW.chat2_disabled_at := NULL;
		NEW.chat2_disabled_reason := NULL;
	END IF;
	RETURN NEW;
END $$;
DROP TRIGGER enterprises_enable_chat ON enterprises;
CREATE TRIGGER enterprises_enable_chat BEFORE UPDATE ON enterprises FOR EACH ROW
	WHEN (NEW.chat_id IS DISTINCT FROM OLD.chat_id OR NEW.chat_id2 IS DISTINCT FROM OLD.chat_id2
		OR NEW.bot_token IS DISTINCT FROM OLD.bot_token)
	EXECUTE FUNCTION enterprises_enable_chat();

-- Only calls in which a phone of the chat's user (users.telegram_tg_id) takes part.
ALTER TABLE telegram_users ADD COLUMN only_mine boolean NOT NULL DEFAULT false;

-- What stands in a chat -------------------------------------------------------------------------------

-- payload: {"html", "markup" (text of reply_markup), "recording": {"at", "size", "with"}} or
-- {"delete": true}. "recording" says where in html a link to the recording goes once there is one.
ALTER TABLE outbox ADD COLUMN failing_since timestamptz; -- of the present row of failures: 24 h at most

ALTER TABLE telegram_messages
	ADD COLUMN old_message_ids bigint[] NOT NULL DEFAULT '{}', -- replaced ones that are still to be deleted
	ADD COLUMN sent_at         timestamptz,          -- of message_id: 48 h later Telegram does not change it
	ADD COLUMN sent_final      boolean NOT NULL DEFAULT false; -- it shows a final state: only edited from then on

-- As before, and how long a delivery has failed: a restart does not begin its 24 hours anew.
CREATE OR REPLACE FUNCTION outbox_report(me text, reports json) RETURNS SETOF integer LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM json_to_recordset(reports) AS x (n integer, shard smallint, epoch bigint,
			call_id bigint, destination text, state text, version integer, unknown_sends integer,
			attempts integer, next_at timestamptz, failing_since timestamptz, words text,
			http_status integer) LOOP
		CONTINUE WHEN r.state = 'sending' AND NOT EXISTS (SELECT FROM fold_cursors f
			WHERE f.shard = r.shard AND f.owner = me AND f.epoch = r.epoch);
		UPDATE outbox o SET
			state = CASE WHEN r.state IN ('sent', 'dead', 'unknown') AND o.version > r.version
				AND r.unknown_sends < 3 THEN 'queued' ELSE r.state END,
			sending_version = CASE WHEN r.state = 'sending' THEN r.version ELSE o.sending_version END,
			lease_owner = CASE WHEN r.state = 'sending' THEN me END,
			attempts = r.attempts, next_at = coalesce(r.next_at, now()), last_error = r.words,
			failing_since = r.failing_since, http_status = r.http_status, updated_at = now()
			WHERE o.call_id = r.call_id AND o.destination = r.destination AND o.slot = 0
			AND (o.lease_owner IS NULL OR o.lease_owner = me);
		IF FOUND THEN
			RETURN NEXT r.n;
		END IF;
	END LOOP;
END $$;

-- What was told ---------------------------------------------------------------------------------------

-- One row a request, in the order of the answers. Dropped with the deliveries themselves.
CREATE TABLE delivery_log (
	call_id           bigint NOT NULL,
	at                timestamptz NOT NULL,          -- when the answer came, or the wait for it ended
	destination       text NOT NULL,                 -- 'telegram:<chat id>'
	what              text NOT NULL CHECK (what IN ('send', 'edit', 'delete')),
	enterprise_number text NOT NULL,
	version           integer NOT NULL,              -- of the outbox row
	outcome           text NOT NULL,                 -- done, slow_down, moved, message_gone, unknown, ...
	http_status       integer,                       -- NULL: no answer
	words             text,
	took_ms           integer,
	trace_id          text NOT NULL DEFAULT '',
	PRIMARY KEY (call_id, at, destination, what)
);
CREATE INDEX delivery_log_at ON delivery_log USING brin (at);

-- Recordings --------------------------------------------------------------------------------------------

ALTER TABLE calls ADD COLUMN recorded_at timestamptz; -- a recording exists, under uuid_token unless call_url says where

-- A recording came, its call's final message does not show it yet. A recorder needs no more than
-- UPDATE (call_url, recorded_at) ON calls: idempotent, at any time. `changes` tells the dispatcher
-- whether something came while it was busy with the last.
CREATE TABLE recording_requests (
	call_id    bigint PRIMARY KEY,
	shard      smallint NOT NULL,
	changes    integer NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX recording_requests_shard ON recording_requests (shard, created_at);

CREATE FUNCTION calls_recording() RETURNS trigger LANGUAGE plpgsql
	SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
	INSERT INTO recording_requests AS r (call_id, shard) VALUES (NEW.id, NEW.shard)
		ON CONFLICT (call_id) DO UPDATE SET changes = r.changes + 1;
	PERFORM pg_notify('callweave_recording', NEW.id::text);
	RETURN NULL;
END $$;
CREATE TRIGGER calls_recording AFTER UPDATE OF call_url, recorded_at ON calls FOR EACH ROW
	WHEN (NEW.call_url IS DISTINCT FROM OLD.call_url OR NEW.recorded_at IS DISTINCT FROM OLD.recorded_at)
	EXECUTE FUNCTION calls_recording();
