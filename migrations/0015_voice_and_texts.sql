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
	talker            text NOT NULL DEFAULT '',          -- who answered last: 'agent', 'menu', an operator's number
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
	idempotency_key   text,                              -- of who asked us to send it
	-- the outbox
	attempts          integer NOT NULL DEFAULT 0,
	next_at           timestamptz,                       -- to be tried; NULL: nothing to do
	leased_until      timestamptz,
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

-- An event of a call that no PBX tells, into the same log as theirs. The caller then wakes the dispatchers
-- (PUBLISH callweave:events, as ingest does; without it they look every second).
CREATE FUNCTION call_event_add(enterprise text, unique_id text, type text, body jsonb, trace text DEFAULT '')
	RETURNS void LANGUAGE sql AS $$
	INSERT INTO call_events (shard, enterprise_number, unique_id, event_type, event_timestamp, trace_id, raw_data)
	VALUES (enterprise_shard(enterprise), enterprise, unique_id, type, clock_timestamp(), trace, body)
$$;

CREATE TRIGGER hook_numbers_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON hook_numbers
	FOR EACH STATEMENT EXECUTE FUNCTION notify_config();
CREATE TRIGGER voice_menus_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON voice_menus
	FOR EACH STATEMENT EXECUTE FUNCTION notify_config();
CREATE TRIGGER voice_dialogues_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON voice_dialogues
	FOR EACH STATEMENT EXECUTE FUNCTION notify_config();
