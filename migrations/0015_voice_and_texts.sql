-- Numbers at Twilio, calls that we answer, texts and chats.

-- Our own numbers outside a PBX: whose they are, and what happens to who calls or writes there.
CREATE TABLE hook_numbers (
	number            text PRIMARY KEY CHECK (number ~ '^\+[1-9][0-9]{6,14}$'), -- E.164
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	line              text NOT NULL DEFAULT '',          -- as `Trunk` of its calls; '': the number
	voice             text NOT NULL DEFAULT 'menu' CHECK (voice IN ('menu', 'agent', 'operator', 'voicemail')),
	menu              text NOT NULL DEFAULT 'main',      -- of voice_menus, for voice and keywords alike
	engine            text NOT NULL DEFAULT 'builtin'    -- of agents
		CHECK (engine IN ('builtin', 'openai-realtime', 'pipeline', 'ws-audio', 'sink', 'echo', 'tone')),
	dialogue          text NOT NULL DEFAULT 'main',      -- of voice_dialogues
	language          text NOT NULL DEFAULT 'fr' CHECK (language IN ('fr', 'he', 'ru', 'en')),
	operator          text CHECK (operator ~ '^\+[1-9][0-9]{6,14}$'),
	own_confirmation  boolean NOT NULL DEFAULT false,    -- STOP and START are confirmed by us, not by Twilio
	whatsapp          boolean NOT NULL DEFAULT false,    -- it is a WhatsApp sender, too
	created_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX hook_numbers_enterprise ON hook_numbers (enterprise_number);

-- A menu and a dialogue are data with a check (services/hooks/menu.c, services/media-ws/dialogue.c).
CREATE TABLE voice_menus (
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	name              text NOT NULL,
	menu              jsonb NOT NULL,
	PRIMARY KEY (enterprise_number, name)
);
CREATE TABLE voice_dialogues (
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	name              text NOT NULL,
	dialogue          jsonb NOT NULL,
	PRIMARY KEY (enterprise_number, name)
);

-- A call at Twilio, from its first webhook on. CallSid is the key of idempotency (P23).
CREATE TABLE voice_calls (
	call_sid          text PRIMARY KEY,
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	account_sid       text NOT NULL DEFAULT '',
	our_number        text NOT NULL,
	peer              text NOT NULL,                     -- E.164, '' withheld
	direction         text NOT NULL DEFAULT 'incoming' CHECK (direction IN ('incoming', 'outgoing')),
	language          text NOT NULL DEFAULT 'fr',
	engine            text NOT NULL DEFAULT '',          -- '': no agent
	dialogue          text NOT NULL DEFAULT '',
	tries             integer NOT NULL DEFAULT 0,        -- of the menu
	state             text NOT NULL DEFAULT 'ringing'
		CHECK (state IN ('ringing', 'menu', 'stream', 'operator', 'voicemail', 'over')),
	talker            text NOT NULL DEFAULT '',          -- at whom it rings: 'agent', 'menu', an operator's number
	talked            text NOT NULL DEFAULT '',          -- who talked with the caller last; '': nobody did
	stream_sid        text NOT NULL DEFAULT '',
	outcome           jsonb,                             -- what media-ws leaves for /webhook/stream_ended
	last_status       text NOT NULL DEFAULT '',
	last_sequence     integer NOT NULL DEFAULT -1,       -- of status callbacks: they overtake each other
	recording_url     text NOT NULL DEFAULT '',
	recording_sid     text NOT NULL DEFAULT '',
	started_at        timestamptz NOT NULL DEFAULT now(),
	answered_at       timestamptz,
	ended_at          timestamptz
);
CREATE INDEX voice_calls_enterprise ON voice_calls (enterprise_number, started_at DESC);
CREATE INDEX voice_calls_open ON voice_calls (started_at) WHERE state <> 'over';

-- What was said, and how long each part of each turn took. Kept as long as the setting says.
CREATE TABLE call_turns (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	call_sid          text NOT NULL,
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	turn              integer NOT NULL,
	started_at        timestamptz NOT NULL DEFAULT now(),
	engine            text NOT NULL,
	user_text         text NOT NULL DEFAULT '' CHECK (length(user_text) <= 8000),
	reply_text        text NOT NULL DEFAULT '' CHECK (length(reply_text) <= 8000),
	heard_ms          integer, -- of speech
	recognise_ms      integer, -- end of utterance to text
	think_ms          integer, -- text to the first words of an answer
	speak_ms          integer, -- words to the first audio
	total_ms          integer, -- end of utterance to the first audio that was sent
	played_ms         integer, -- of the answer, until it was over or cut short
	interrupted       boolean NOT NULL DEFAULT false,
	error             text NOT NULL DEFAULT '',
	UNIQUE (call_sid, turn)
);
CREATE INDEX call_turns_enterprise ON call_turns (enterprise_number, started_at DESC);
CREATE INDEX call_turns_started ON call_turns (started_at);

-- Every request that came, also refused ones and 404s; bodies masked. A day's rows are deleted together.
CREATE TABLE hook_requests (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	request_id        text NOT NULL,
	received_at       timestamptz NOT NULL DEFAULT now(),
	method            text NOT NULL,
	path              text NOT NULL,                     -- without the query
	peer              text NOT NULL DEFAULT '',
	our_number        text NOT NULL DEFAULT '',
	sid               text NOT NULL DEFAULT '',
	signature         text NOT NULL DEFAULT '',          -- ok | wrong | missing | not asked for
	status            integer NOT NULL,
	took_us           integer NOT NULL,
	request           text NOT NULL DEFAULT '',
	answer            text NOT NULL DEFAULT ''
);
CREATE INDEX hook_requests_received ON hook_requests (received_at);
CREATE INDEX hook_requests_number ON hook_requests (our_number, received_at DESC);

-- Texts and chats ----------------------------------------------------------------------------------

CREATE TABLE threads (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	channel           text NOT NULL CHECK (channel IN ('sms', 'whatsapp')),
	peer              text NOT NULL,                     -- E.164: one person, whatever the provider calls him
	title             text NOT NULL DEFAULT '',
	last_message_at   timestamptz,
	last_inbound_at   timestamptz,                       -- WhatsApp: free text within 24 hours of it (63016)
	created_at        timestamptz NOT NULL DEFAULT now(),
	UNIQUE (enterprise_number, channel, peer)
);

CREATE TABLE messages (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	thread_id         bigint NOT NULL REFERENCES threads ON DELETE CASCADE,
	enterprise_number text NOT NULL,
	direction         text NOT NULL CHECK (direction IN ('in', 'out')),
	provider          text NOT NULL CHECK (provider IN ('twilio', 'baileys')),
	provider_id       text,                              -- SM..., or Baileys' id
	our_number        text NOT NULL DEFAULT '',
	message_type      text NOT NULL DEFAULT 'text',
	body              text NOT NULL DEFAULT '' CHECK (length(body) <= 65536),
	media             jsonb NOT NULL DEFAULT '[]',       -- [{"url":..., "type":...}]
	template          jsonb,                             -- {"content_sid":..., "variables":{...}}
	status            text NOT NULL DEFAULT 'queued' CHECK (status IN ('received', 'queued', 'sending', 'sent',
		'delivered', 'read', 'undelivered', 'failed', 'canceled')),
	error_code        text NOT NULL DEFAULT '',
	error             text NOT NULL DEFAULT '',
	idempotency_key   text,                              -- 'api:' of who asked us to send it, 'reply:' of what it answers
	-- the outbox
	attempts          integer NOT NULL DEFAULT 0,
	next_at           timestamptz,                       -- to be tried; NULL: nothing to do
	leased_until      timestamptz,                       -- 'sending' and in the past: nobody knows what became of it
	doubtful          boolean NOT NULL DEFAULT false,    -- it may have been sent: the provider is asked before it is sent again
	looks             integer NOT NULL DEFAULT 0,        -- how often it was asked
	other_provider    text CHECK (other_provider IN ('twilio', 'baileys')), -- takes it when the first is away
	other_number      text,
	created_at        timestamptz NOT NULL DEFAULT now(),
	sent_at           timestamptz,
	delivered_at      timestamptz,
	read_at           timestamptz,
	UNIQUE (provider, provider_id),
	UNIQUE (enterprise_number, idempotency_key)
);
CREATE INDEX messages_thread ON messages (thread_id, id DESC);
CREATE INDEX messages_enterprise ON messages (enterprise_number, id DESC);
CREATE INDEX messages_due ON messages (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX messages_line ON messages (thread_id, id) WHERE next_at IS NOT NULL;

-- Who wrote STOP, on which channel; every sender asks here first (21610).
CREATE TABLE opt_outs (
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	channel           text NOT NULL CHECK (channel IN ('sms', 'whatsapp')),
	peer              text NOT NULL,
	since             timestamptz NOT NULL DEFAULT now(),
	by                text NOT NULL,                     -- keyword | OptOutType | 21610 | operator
	PRIMARY KEY (enterprise_number, channel, peer)
);

-- Keys of enterprises for /api/*; only their digests are kept.
CREATE TABLE api_keys (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	name              text NOT NULL,
	digest            bytea NOT NULL UNIQUE,             -- SHA-256 of the key
	created_at        timestamptz NOT NULL DEFAULT now(),
	used_at           timestamptz
);
CREATE INDEX api_keys_enterprise ON api_keys (enterprise_number);

-- Payments -----------------------------------------------------------------------------------------

CREATE TABLE payments (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	provider          text NOT NULL CHECK (provider IN ('paypal', 'tranzila')),
	provider_ref      text NOT NULL DEFAULT '',          -- PayPal's order, Tranzila's transaction
	amount_minor      bigint NOT NULL CHECK (amount_minor > 0), -- agorot, cents
	currency          text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
	status            text NOT NULL DEFAULT 'created' CHECK (status IN ('created', 'approved', 'captured', 'failed')),
	error             text NOT NULL DEFAULT '',
	created_at        timestamptz NOT NULL DEFAULT now(),
	updated_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payments_ref ON payments (provider, provider_ref);
CREATE TABLE payment_events (                            -- each callback once
	provider          text NOT NULL,
	event_id          text NOT NULL,
	payment_id        bigint NOT NULL REFERENCES payments ON DELETE CASCADE,
	kind              text NOT NULL,
	received_at       timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (provider, event_id)
);

-- One world ----------------------------------------------------------------------------------------

-- What no PBX tells, into the same log as what PBXs post: one event, or a list of them, in order. Of a list,
-- `UniqueId` and `Event` of the item say whose it is and of which type, where that is not said of all. A text's
-- sender goes with his name of that moment. The caller then wakes the dispatchers (PUBLISH callweave:events, as
-- ingest does; without it they look every second).
CREATE FUNCTION call_event_add(enterprise text, unique_id text, type text, body jsonb, trace text DEFAULT '')
	RETURNS void LANGUAGE sql AS $$
	INSERT INTO call_events (shard, enterprise_number, unique_id, event_type, event_timestamp, trace_id, raw_data)
	SELECT enterprise_shard(enterprise), enterprise, coalesce(e.item ->> 'UniqueId', unique_id),
		coalesce(e.item ->> 'Event', type), clock_timestamp(), trace,
		CASE WHEN type = 'text' THEN e.item || jsonb_build_object('Name', coalesce((SELECT customer_name(k)
			FROM customers k WHERE k.enterprise_number = enterprise AND k.phone_e164 = e.item ->> 'Phone'), ''))
		ELSE e.item END
	FROM jsonb_array_elements(CASE jsonb_typeof(body) WHEN 'array' THEN body ELSE jsonb_build_array(body) END)
		WITH ORDINALITY AS e (item, place)
	ORDER BY e.place
$$;

CREATE TRIGGER hook_numbers_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON hook_numbers
	FOR EACH STATEMENT EXECUTE FUNCTION notify_config();
CREATE TRIGGER voice_menus_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON voice_menus
	FOR EACH STATEMENT EXECUTE FUNCTION notify_config();
CREATE TRIGGER voice_dialogues_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON voice_dialogues
	FOR EACH STATEMENT EXECUTE FUNCTION notify_config();

-- Texts and chats: what happens to them ---------------------------------------------------------------

-- How far a text has come; what was refused stands between sent and delivered: it does not take back what
-- was delivered, and nothing follows it.
CREATE FUNCTION text_rank(status text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE status WHEN 'queued' THEN 1 WHEN 'sending' THEN 2 WHEN 'sent' THEN 3 WHEN 'undelivered' THEN 4
		WHEN 'failed' THEN 4 WHEN 'canceled' THEN 4 WHEN 'delivered' THEN 5 WHEN 'read' THEN 6 ELSE 0 END
$$;
-- Statuses overtake each other and come twice.
CREATE FUNCTION text_moves(old text, new text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT text_rank(new) > text_rank(old) AND text_rank(old) NOT IN (0, 4)
$$;

CREATE FUNCTION text_opted_out(enterprise text, via text, who text) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT FROM opt_outs o WHERE o.enterprise_number = enterprise AND o.channel = via AND o.peer = who)
$$;

CREATE FUNCTION text_world(enterprise text, world jsonb) RETURNS void LANGUAGE sql AS $$
	SELECT call_event_add(enterprise, world->>'unique_id', world->>'type', world->'body', world->>'trace')
	WHERE world IS NOT NULL
$$;

-- WhatsApp names some people by an id that is no number ("lid:..."). Once both are known they are one person.
CREATE FUNCTION text_same_person(enterprise text, lid text, who text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	was bigint;
BEGIN
	SELECT t.id INTO was FROM threads t
		WHERE t.enterprise_number = enterprise AND t.channel = 'whatsapp' AND t.peer = lid FOR UPDATE;
	IF was IS NULL OR lid = who THEN
		RETURN;
	END IF;
	INSERT INTO threads (enterprise_number, channel, peer) VALUES (enterprise, 'whatsapp', who) ON CONFLICT DO NOTHING;
	UPDATE messages m SET thread_id = t.id FROM threads t WHERE m.thread_id = was
		AND t.enterprise_number = enterprise AND t.channel = 'whatsapp' AND t.peer = who;
	UPDATE opt_outs o SET peer = who WHERE o.enterprise_number = enterprise AND o.channel = 'whatsapp' AND o.peer = lid
		AND NOT text_opted_out(enterprise, 'whatsapp', who);
	DELETE FROM threads WHERE id = was;
END $$;

-- A text that came. Its message, thread, opt-out, answer and event: all of it, or nothing. The same again
-- changes nothing and is answered as the first time.
CREATE FUNCTION text_in(doc jsonb, late boolean) RETURNS TABLE (message bigint, thread bigint, replied boolean)
	LANGUAGE plpgsql AS $$
DECLARE
	firm  text := doc->>'enterprise';
	via   text := doc->>'channel';
	who   text := doc->>'peer';
	at    timestamptz := to_timestamp((doc->>'at')::bigint / 1000.0);
	reply jsonb := nullif(doc->'reply', 'null');
	key   text := 'reply:' || (doc->>'provider') || ':' || (doc->>'provider_id');
BEGIN
	PERFORM text_same_person(firm, doc->>'lid', who) WHERE doc->>'lid' IS NOT NULL;
	INSERT INTO threads (enterprise_number, channel, peer) VALUES (firm, via, who) ON CONFLICT DO NOTHING;
	SELECT t.id INTO thread FROM threads t
		WHERE t.enterprise_number = firm AND t.channel = via AND t.peer = who FOR UPDATE;
	INSERT INTO messages (thread_id, enterprise_number, direction, provider, provider_id, our_number, message_type,
			body, media, status, created_at)
		VALUES (thread, firm, 'in', doc->>'provider', doc->>'provider_id', doc->>'our_number', doc->>'type',
			left(doc->>'body', 65536), doc->'media', 'received', at)
		ON CONFLICT DO NOTHING RETURNING id INTO message;
	IF message IS NULL THEN
		SELECT m.id, m.thread_id INTO message, thread FROM messages m
			WHERE m.provider = doc->>'provider' AND m.provider_id = doc->>'provider_id';
		replied := EXISTS (SELECT FROM messages m WHERE m.enterprise_number = firm AND m.idempotency_key = key
			AND m.attempts = 0 AND m.next_at IS NULL); -- else the outbox says it
		RETURN NEXT;
		RETURN;
	END IF;
	UPDATE threads t SET last_message_at = greatest(t.last_message_at, at),
		last_inbound_at = greatest(t.last_inbound_at, at),
		title = CASE WHEN doc->>'title' <> '' THEN left(doc->>'title', 200) ELSE t.title END WHERE t.id = thread;
	IF doc->>'opt' = 'stop' THEN
		INSERT INTO opt_outs (enterprise_number, channel, peer, since, by) VALUES (firm, via, who, at, doc->>'opt_by')
			ON CONFLICT DO NOTHING;
		reply := CASE WHEN FOUND THEN reply END; -- he knows already
	ELSIF doc->>'opt' = 'start' THEN
		DELETE FROM opt_outs o WHERE o.enterprise_number = firm AND o.channel = via AND o.peer = who;
		reply := CASE WHEN FOUND THEN reply END;
	END IF;
	PERFORM text_world(firm, doc->'world');
	replied := reply IS NOT NULL AND at > now() - interval '1 hour'
		AND (doc->>'opt' = 'stop' OR NOT text_opted_out(firm, via, who));
	IF replied THEN -- in TwiML it is said by the webhook's answer; out of the journal there was none
		INSERT INTO messages (thread_id, enterprise_number, direction, provider, our_number, message_type, body,
				idempotency_key, next_at)
			VALUES (thread, firm, 'out', doc->>'provider', doc->>'our_number',
				CASE WHEN doc->>'opt' = 'stop' THEN 'confirmation' ELSE 'text' END, reply->>'body', key,
				CASE WHEN late OR NOT (reply->>'twiml')::boolean THEN now() END);
	END IF;
	RETURN NEXT;
END $$;

-- What a provider says of a text that we sent; 21610 says that he wrote STOP, wherever he did. Ours is known by the provider's id, or by what we gave along: its
-- number, or what it answers; so a callback that is quicker than the answer to our request finds it, too.
CREATE FUNCTION text_status(doc jsonb, late boolean) RETURNS TABLE (message bigint, now_is text) LANGUAGE sql AS $$
	WITH changed AS (UPDATE messages m SET
		provider_id = coalesce(m.provider_id, doc->>'provider_id'),
		status = CASE WHEN text_moves(m.status, doc->>'status') THEN doc->>'status' ELSE m.status END,
		error_code = CASE WHEN text_moves(m.status, doc->>'status') THEN doc->>'error_code' ELSE m.error_code END,
		error = CASE WHEN text_moves(m.status, doc->>'status') THEN doc->>'error' ELSE m.error END,
		sent_at = coalesce(m.sent_at, CASE WHEN doc->>'status' IN ('sent', 'delivered', 'read') THEN at END),
		delivered_at = coalesce(m.delivered_at, CASE WHEN doc->>'status' IN ('delivered', 'read') THEN at END),
		read_at = coalesce(m.read_at, CASE WHEN doc->>'status' = 'read' THEN at END),
		next_at = NULL, leased_until = NULL, doubtful = false
	FROM (SELECT to_timestamp((doc->>'at')::bigint / 1000.0) AS at) AS x
	WHERE m.direction = 'out' AND m.enterprise_number = doc->>'enterprise' AND m.provider = doc->>'provider'
		AND m.id = coalesce(
			(SELECT o.id FROM messages o WHERE o.provider = doc->>'provider' AND o.provider_id = doc->>'provider_id'),
			(SELECT o.id FROM messages o WHERE o.id = (doc->>'ours')::bigint AND o.provider_id IS NULL),
			(SELECT o.id FROM messages o WHERE o.enterprise_number = doc->>'enterprise' AND o.provider_id IS NULL
				AND o.idempotency_key = 'reply:' || (doc->>'provider') || ':' || (doc->>'answers')))
	RETURNING m.id, m.status, m.thread_id),
	stopped AS (INSERT INTO opt_outs (enterprise_number, channel, peer, by)
		SELECT t.enterprise_number, t.channel, t.peer, '21610' FROM changed c JOIN threads t ON t.id = c.thread_id
		WHERE doc->>'error_code' = '21610' ON CONFLICT DO NOTHING)
	SELECT c.id, c.status FROM changed c
$$;

-- From which of our numbers: the one that is asked for, else the one that this person knows, else the first.
CREATE FUNCTION text_number(firm text, via text, who text, asked text) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT n.number FROM hook_numbers n
	WHERE n.enterprise_number = firm AND (via = 'sms' OR n.whatsapp) AND (asked = '' OR n.number = asked)
	ORDER BY n.number = (SELECT m.our_number FROM messages m JOIN threads t ON t.id = m.thread_id
			WHERE t.enterprise_number = firm AND t.channel = via AND t.peer = who ORDER BY m.id DESC LIMIT 1)
		DESC NULLS LAST, n.created_at, n.number LIMIT 1
$$;

-- A text that is to be sent goes into the outbox, once for each key. `refused` says why not: 'opted out', 'no
-- number', 'another' (the key stands for another text), 'window' (WhatsApp: nothing from him for 24 hours).
CREATE FUNCTION text_out(doc jsonb) RETURNS TABLE (message bigint, thread bigint, refused text) LANGUAGE plpgsql AS $$
DECLARE
	firm text := doc->>'enterprise';
	via  text := doc->>'channel';
	who  text := doc->>'peer';
	ours text := doc->>'our_number';
	first text := doc->>'provider';
	other text := doc->>'other_provider';
	open boolean;
	old  messages;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(firm || ' ' || (doc->>'key'), 15)); -- the same key twice at once
	SELECT * INTO old FROM messages m
		WHERE m.enterprise_number = firm AND m.idempotency_key = doc->>'key';
	IF FOUND THEN
		message := old.id;
		thread := old.thread_id;
		IF old.body <> doc->>'body' OR who <> (SELECT t.peer FROM threads t WHERE t.id = old.thread_id) THEN
			refused := 'another';
		END IF;
		RETURN NEXT;
		RETURN;
	END IF;
	open := via = 'sms' OR jsonb_typeof(coalesce(doc->'template', 'null')) = 'object' OR EXISTS (SELECT FROM threads t
		WHERE t.enterprise_number = firm AND t.channel = via AND t.peer = who
			AND t.last_inbound_at > now() - interval '24 hours');
	IF first = 'twilio' AND other = 'baileys' AND NOT open THEN -- a phone may write at any time
		first := other;
		other := NULL;
		ours := doc->>'other_number';
	ELSIF first = 'twilio' THEN
		ours := text_number(firm, via, who, ours);
	END IF;
	refused := CASE WHEN text_opted_out(firm, via, who) THEN 'opted out' WHEN ours IS NULL THEN 'no number'
		WHEN first = 'twilio' AND NOT open THEN 'window' END;
	IF refused IS NOT NULL THEN
		RETURN NEXT;
		RETURN;
	END IF;
	INSERT INTO threads AS t (enterprise_number, channel, peer, last_message_at) VALUES (firm, via, who, now())
		ON CONFLICT (enterprise_number, channel, peer)
		DO UPDATE SET last_message_at = greatest(t.last_message_at, now()) RETURNING id INTO thread;
	INSERT INTO messages (thread_id, enterprise_number, direction, provider, our_number, message_type, body, media,
			template, idempotency_key, next_at, other_provider, other_number)
		VALUES (thread, firm, 'out', first, ours, doc->>'type', doc->>'body', doc->'media',
			nullif(doc->'template', 'null'), doc->>'key', now(), other,
			CASE other WHEN 'twilio' THEN text_number(firm, via, who, '') ELSE doc->>'other_number' END)
		RETURNING id INTO message;
	PERFORM text_world(firm, doc->'world');
	RETURN NEXT;
END $$;

-- What is due: of each conversation the oldest only, of each of our numbers two at a time, none of `resting` ones.
CREATE FUNCTION text_claim(most integer, lease interval, resting text[]) RETURNS TABLE (id bigint, enterprise text,
		provider text, via text, peer text, ours text, kind text, body text, media jsonb, template jsonb,
		attempts integer, doubtful boolean, looks integer, opted_out boolean, in_window boolean,
		created_ms bigint, other text) LANGUAGE sql AS $$
	WITH due AS (SELECT m.id, m.provider || ':' || m.our_number AS lane,
			row_number() OVER (PARTITION BY m.provider, m.our_number ORDER BY m.next_at, m.id) AS place
		FROM messages m WHERE m.next_at <= now() AND (m.leased_until IS NULL OR m.leased_until < now())
			AND m.provider || ':' || m.our_number <> ALL (resting)
			AND NOT EXISTS (SELECT FROM messages e
				WHERE e.thread_id = m.thread_id AND e.id < m.id AND e.next_at IS NOT NULL)),
	taken AS (SELECT m.id, m.status FROM messages m JOIN due USING (id)
		WHERE due.place <= 2 AND m.next_at <= now() AND (m.leased_until IS NULL OR m.leased_until < now())
		ORDER BY m.next_at, m.id LIMIT most FOR UPDATE OF m SKIP LOCKED)
	UPDATE messages m SET status = 'sending', leased_until = now() + lease, attempts = m.attempts + 1,
		doubtful = m.doubtful OR taken.status = 'sending'
	FROM taken, threads t WHERE m.id = taken.id AND t.id = m.thread_id
	RETURNING m.id, m.enterprise_number, m.provider, t.channel, t.peer, m.our_number, m.message_type, m.body, m.media,
		m.template, m.attempts, m.doubtful, m.looks,
		text_opted_out(m.enterprise_number, t.channel, t.peer) AND m.message_type <> 'confirmation',
		coalesce(t.last_inbound_at > now() - interval '24 hours', false),
		(extract(epoch FROM m.created_at) * 1000)::bigint, m.other_provider
$$;

-- What APIs show of a message.
CREATE FUNCTION text_time(at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
CREATE FUNCTION text_json(m messages, t threads) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('id', m.id, 'business_id', m.enterprise_number, 'thread_id', m.thread_id,
		'channel', t.channel, 'to_number', t.peer, 'our_number', m.our_number, 'direction', m.direction, 'body', m.body,
		'content_text', m.body, 'message_type', m.message_type, 'media_url', m.media->0->>'url', 'media', m.media,
		'status', m.status, 'provider', m.provider, 'provider_message_id', m.provider_id,
		'provider_msg_id', m.provider_id, 'error_code', nullif(m.error_code, ''), 'error', nullif(m.error, ''),
		'in_outbox', m.next_at IS NOT NULL, 'attempts', m.attempts, 'created_at', text_time(m.created_at),
		'sent_at', text_time(m.sent_at), 'delivered_at', text_time(m.delivered_at), 'read_at', text_time(m.read_at))
$$;
