-- The bot's side of Telegram: what people write to bots and which buttons they press.
--
-- Each update is handled by one call of a function, in one transaction: what it changes, that it was
-- handled, and what the person is told. So a process may end at any moment and nothing is done twice.

CREATE INDEX users_telegram ON users (telegram_tg_id) WHERE telegram_tg_id IS NOT NULL;

-- Who asks whom for updates ------------------------------------------------------------------------

-- Running instances of `bot`; one that is silent for its lease loses its bots.
CREATE TABLE bot_instances (
	name        text PRIMARY KEY,
	lease_until timestamptz NOT NULL
) WITH (fillfactor = 20);

CREATE TABLE telegram_bots (
	bot_token     text PRIMARY KEY,
	next_update   bigint NOT NULL DEFAULT 0,         -- offset of getUpdates: all before it are handled
	username      text,                              -- what getMe said
	introduced    text,                              -- the mode that Telegram was told of, see introduce.c
	owner         text,                              -- bot_instances.name
	last_error    text,                              -- why it does not listen; NULL: it does
	last_error_at timestamptz
) WITH (fillfactor = 50);

-- Renew `me`, take free bots up to the fair part, give back what is above it. True when something
-- changed. One instance at a time: parts are counted.
CREATE FUNCTION bot_lease(me text, lease interval) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	share   integer;
	mine    integer;
	changed boolean := false;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('bot_lease'));
	INSERT INTO bot_instances AS i VALUES (me, clock_timestamp() + lease)
		ON CONFLICT (name) DO UPDATE SET lease_until = excluded.lease_until;
	DELETE FROM bot_instances i WHERE i.lease_until < clock_timestamp() - 12 * lease;
	DELETE FROM telegram_bots b WHERE NOT EXISTS
		(SELECT FROM enterprises e WHERE e.bot_token = b.bot_token AND e.active);
	changed := FOUND;
	INSERT INTO telegram_bots (bot_token) SELECT DISTINCT e.bot_token FROM enterprises e
		WHERE e.active AND e.bot_token IS NOT NULL
		AND NOT EXISTS (SELECT FROM telegram_bots b WHERE b.bot_token = e.bot_token);
	changed := changed OR FOUND;
	SELECT ceil(count(*)::numeric / (SELECT count(*) FROM bot_instances i
		WHERE i.lease_until > clock_timestamp())) INTO share FROM telegram_bots;
	UPDATE telegram_bots b SET owner = NULL WHERE b.bot_token IN
		(SELECT o.bot_token FROM telegram_bots o WHERE o.owner = me ORDER BY o.bot_token OFFSET share);
	changed := changed OR FOUND;
	SELECT count(*) INTO mine FROM telegram_bots b WHERE b.owner = me;
	UPDATE telegram_bots b SET owner = me WHERE b.bot_token IN
		(SELECT f.bot_token FROM telegram_bots f WHERE f.owner IS NULL OR NOT EXISTS
			(SELECT FROM bot_instances i WHERE i.name = f.owner AND i.lease_until > clock_timestamp())
		ORDER BY f.bot_token LIMIT greatest(share - mine, 0));
	RETURN changed OR FOUND;
END $$;

-- A clean end: the others need not wait for the lease.
CREATE FUNCTION bot_leave(me text) RETURNS void LANGUAGE sql AS $$
	UPDATE telegram_bots SET owner = NULL WHERE owner = me;
	DELETE FROM bot_instances WHERE name = me;
$$;

-- Updates that were handled, kept longer than Telegram keeps them (24 hours): after a failure they
-- come again, by a webhook also out of order.
CREATE TABLE telegram_updates (
	bot_token text NOT NULL,
	update_id bigint NOT NULL,
	taken_at  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (bot_token, update_id)
);
CREATE INDEX telegram_updates_taken ON telegram_updates (taken_at);

-- The first statement of each handling: false when the update was handled before. `me` is NULL for one
-- that came by a webhook; else the bot must still be `me`'s, or the whole transaction is refused.
CREATE FUNCTION bot_take(me text, token text, update_id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF me IS NOT NULL THEN
		UPDATE telegram_bots b SET next_update = bot_take.update_id + 1
			WHERE b.bot_token = token AND b.owner = me;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'bot: it changed hands' USING ERRCODE = 'CW002';
		END IF;
	END IF;
	INSERT INTO telegram_updates (bot_token, update_id) VALUES (token, bot_take.update_id)
		ON CONFLICT DO NOTHING;
	RETURN FOUND;
END $$;

-- What people are told -----------------------------------------------------------------------------

-- A queue: a row goes when it is told, or too old. `code` names a text in services/bot/texts.c.
CREATE TABLE bot_answers (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	bot_token   text NOT NULL,
	chat_id     bigint NOT NULL,
	callback_id text,                                -- of the press that it answers
	locale      text NOT NULL,
	code        text NOT NULL,
	args        jsonb NOT NULL DEFAULT '{}',
	attempts    integer NOT NULL DEFAULT 0,
	next_at     timestamptz NOT NULL DEFAULT now(),
	created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX bot_answers_due ON bot_answers (next_at);
CREATE INDEX bot_answers_chat ON bot_answers (bot_token, chat_id, id);

-- The enterprise whose language a chat is spoken to in; a bot of several enterprises speaks that of
-- the first.
CREATE FUNCTION bot_say(token text, chat bigint, callback text, enterprise text, code text,
	args jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	INSERT INTO bot_answers (bot_token, chat_id, callback_id, locale, code, args)
	VALUES (token, chat, callback, coalesce((SELECT e.locale FROM enterprises e
		WHERE e.bot_token = token AND (enterprise IS NULL OR e.number = enterprise)
		ORDER BY e.number LIMIT 1), 'ru'), code, args);
$$;

-- Up to `most` answers that are due, oldest first and one a chat; they come again in 20 s should this
-- process end before it says what became of them. Presses do not wait for a chat's messages.
CREATE FUNCTION bot_answers_claim(most integer) RETURNS SETOF bot_answers LANGUAGE sql AS $$
	UPDATE bot_answers a SET attempts = a.attempts + 1, next_at = now() + interval '20 seconds'
	WHERE a.id IN (SELECT d.id FROM bot_answers d WHERE d.next_at <= now()
		AND (d.callback_id IS NOT NULL OR NOT EXISTS (SELECT FROM bot_answers o
			WHERE o.bot_token = d.bot_token AND o.chat_id = d.chat_id AND o.callback_id IS NULL
			AND o.id < d.id))
		ORDER BY d.id LIMIT most FOR UPDATE SKIP LOCKED)
	RETURNING a.*;
$$;

-- Subscription -------------------------------------------------------------------------------------

CREATE TABLE telegram_codes (
	code              text PRIMARY KEY,
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	user_id           bigint REFERENCES users ON DELETE CASCADE, -- whose chat it becomes; NULL: any chat
	created_at        timestamptz NOT NULL DEFAULT now(),
	expires_at        timestamptz NOT NULL,
	used_at           timestamptz,
	used_by           bigint                         -- the chat
);

-- Wrong codes of a chat since `since`.
CREATE TABLE telegram_code_tries (
	bot_token text NOT NULL,
	tg_id     bigint NOT NULL,
	tries     integer NOT NULL DEFAULT 1,
	since     timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (bot_token, tg_id)
);

-- A new code: eight of 32 characters that cannot be mistaken for each other, 40 random bits.
CREATE FUNCTION telegram_code_make(enterprise text, for_user bigint, valid interval) RETURNS text
	LANGUAGE plpgsql AS $$
DECLARE
	random bytea := substr(uuid_send(gen_random_uuid()), 1, 6) || substr(uuid_send(gen_random_uuid()), 1, 2);
	made   text := '';
BEGIN
	IF for_user IS NOT NULL AND NOT EXISTS (SELECT FROM users u
			WHERE u.id = for_user AND u.enterprise_number = enterprise AND u.status = 'active') THEN
		RAISE EXCEPTION 'enterprise % has no active user %', enterprise, for_user;
	END IF;
	FOR i IN 0..7 LOOP
		made := made || substr('ABCDEFGHJKLMNPQRSTUVWXYZ23456789', get_byte(random, i) % 32 + 1, 1);
	END LOOP;
	INSERT INTO telegram_codes (code, enterprise_number, user_id, expires_at)
		VALUES (made, enterprise, for_user, now() + valid);
	RETURN made;
END $$;

-- Why a code is not taken, as a code of bot_answers; NULL: it is. Five tries a quarter of an hour.
CREATE FUNCTION bot_code_refusal(token text, chat bigint, found telegram_codes) RETURNS text
	LANGUAGE plpgsql AS $$
DECLARE
	counted integer;
BEGIN
	INSERT INTO telegram_code_tries AS t (bot_token, tg_id) VALUES (token, chat)
		ON CONFLICT (bot_token, tg_id) DO UPDATE SET
			tries = CASE WHEN t.since < now() - interval '15 minutes' THEN 1 ELSE t.tries + 1 END,
			since = CASE WHEN t.since < now() - interval '15 minutes' THEN now() ELSE t.since END
		RETURNING t.tries INTO counted;
	RETURN CASE
		WHEN counted > 5 THEN 'code_tries'
		WHEN found.code IS NULL THEN 'code_wrong'
		WHEN found.used_at IS NOT NULL THEN 'code_used'
		WHEN found.expires_at < now() THEN 'code_expired'
		WHEN found.user_id IS NOT NULL AND chat < 0 THEN 'code_private'
	END;
END $$;

-- A chat is one person's: whoever had it in this enterprise before has it no more.
CREATE FUNCTION bot_link_user(chat bigint, found telegram_codes) RETURNS void LANGUAGE sql AS $$
	UPDATE users u SET telegram_tg_id = CASE WHEN u.id = found.user_id THEN chat END
	WHERE u.enterprise_number = found.enterprise_number AND found.user_id IS NOT NULL
		AND (u.id = found.user_id OR u.telegram_tg_id = chat);
$$;

CREATE FUNCTION bot_subscribe(token text, chat bigint, given text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	found   telegram_codes;
	refusal text;
BEGIN
	SELECT c.* INTO found FROM telegram_codes c JOIN enterprises e ON e.number = c.enterprise_number
		WHERE c.code = upper(given) AND e.bot_token = token AND e.active FOR UPDATE OF c;
	refusal := bot_code_refusal(token, chat, found);
	IF refusal IS NOT NULL THEN
		PERFORM bot_say(token, chat, NULL, found.enterprise_number, refusal);
		RETURN;
	END IF;
	DELETE FROM telegram_code_tries t WHERE t.bot_token = token AND t.tg_id = chat;
	UPDATE telegram_codes c SET used_at = now(), used_by = chat WHERE c.code = found.code;
	INSERT INTO telegram_users (tg_id, bot_token, email)
		VALUES (chat, token, (SELECT u.email FROM users u WHERE u.id = found.user_id))
		ON CONFLICT (tg_id, bot_token) DO UPDATE SET disabled_at = NULL, disabled_reason = NULL,
			email = coalesce(excluded.email, telegram_users.email), updated_at = now();
	-- The owner who had blocked the bot is back, too.
	UPDATE enterprises e SET chat_disabled_at = NULL, chat_disabled_reason = NULL
		WHERE e.bot_token = token AND e.chat_id = chat AND e.chat_disabled_at IS NOT NULL;
	UPDATE enterprises e SET chat2_disabled_at = NULL, chat2_disabled_reason = NULL
		WHERE e.bot_token = token AND e.chat_id2 = chat AND e.chat2_disabled_at IS NOT NULL;
	PERFORM bot_link_user(chat, found);
	PERFORM bot_say(token, chat, NULL, found.enterprise_number, 'subscribed', jsonb_build_object('enterprise',
		(SELECT e.name FROM enterprises e WHERE e.number = found.enterprise_number)));
END $$;

-- Owner chats are entered by operators, not by codes.
CREATE FUNCTION bot_is_owner(token text, chat bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN EXISTS (SELECT FROM enterprises e WHERE e.bot_token = token AND chat IN (e.chat_id, e.chat_id2));
END $$;

CREATE FUNCTION bot_is_subscribed(token text, chat bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT FROM telegram_users t
		WHERE t.bot_token = token AND t.tg_id = chat AND t.disabled_at IS NULL) OR bot_is_owner(token, chat);
$$;

-- The people of a bot's enterprises whom this Telegram account is.
CREATE FUNCTION bot_users(token text, account bigint) RETURNS SETOF users LANGUAGE sql STABLE AS $$
	SELECT u.* FROM users u JOIN enterprises e ON e.number = u.enterprise_number
	WHERE u.telegram_tg_id = account AND u.status = 'active' AND e.bot_token = token AND e.active;
$$;

-- The phones of one person, as digits.
CREATE FUNCTION bot_phones(person bigint) RETURNS SETOF text LANGUAGE sql STABLE AS $$
	SELECT p.phone_number FROM user_internal_phones p WHERE p.user_id = person
	UNION ALL
	SELECT regexp_replace(u.personal_phone, '[^0-9]', '', 'g') FROM users u
		WHERE u.id = person AND u.personal_phone ~ '[0-9]';
$$;

CREATE FUNCTION bot_unsubscribe(token text, chat bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM telegram_users t WHERE t.bot_token = token AND t.tg_id = chat;
	IF NOT FOUND THEN
		RETURN CASE WHEN bot_is_owner(token, chat) THEN 'owner_chat' ELSE 'not_subscribed' END;
	END IF;
	UPDATE users u SET telegram_tg_id = NULL FROM bot_users(token, chat) mine WHERE u.id = mine.id;
	RETURN CASE WHEN bot_is_owner(token, chat) THEN 'owner_chat' ELSE 'unsubscribed' END;
END $$;

-- "Only my calls" needs to know who "I" am.
CREATE FUNCTION bot_mine(token text, chat bigint, choice text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM telegram_users t
			WHERE t.bot_token = token AND t.tg_id = chat AND t.disabled_at IS NULL) THEN
		RETURN CASE WHEN bot_is_owner(token, chat) THEN 'owner_chat' ELSE 'not_subscribed' END;
	ELSIF lower(choice) NOT IN ('on', 'off') THEN
		RETURN 'mine_which';
	ELSIF lower(choice) = 'on' AND NOT EXISTS (SELECT FROM bot_users(token, chat)) THEN
		RETURN 'mine_nobody';
	END IF;
	UPDATE telegram_users t SET only_mine = lower(choice) = 'on', updated_at = now()
		WHERE t.bot_token = token AND t.tg_id = chat;
	RETURN 'mine_' || lower(choice);
END $$;

CREATE FUNCTION bot_status(token text, chat bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object(
		'enterprise', (SELECT string_agg(e.name, ', ' ORDER BY e.number) FROM enterprises e
			WHERE e.bot_token = token AND e.active),
		'owner', bot_is_owner(token, chat),
		'mine', coalesce((SELECT t.only_mine FROM telegram_users t
			WHERE t.bot_token = token AND t.tg_id = chat), false),
		'phones', coalesce((SELECT string_agg(phone, ', ' ORDER BY length(phone), phone)
			FROM bot_users(token, chat) u, bot_phones(u.id) phone), ''));
$$;

-- One command of a chat. `verb` is start, stop, mine, status, or the code of a text that is the
-- whole answer. False when the update was handled before.
CREATE FUNCTION bot_command(me text, token text, update_id bigint, chat bigint, verb text, argument text)
	RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	code text := verb;
	args jsonb := '{}';
BEGIN
	IF NOT bot_take(me, token, update_id) THEN
		RETURN false;
	END IF;
	IF verb = 'start' AND argument <> '' THEN
		PERFORM bot_subscribe(token, chat, argument);
		RETURN true;
	ELSIF verb = 'start' THEN
		code := CASE WHEN bot_is_subscribed(token, chat) THEN 'help' ELSE 'welcome' END;
	ELSIF verb = 'stop' THEN
		code := bot_unsubscribe(token, chat);
	ELSIF verb = 'mine' THEN
		code := bot_mine(token, chat, argument);
	ELSIF verb = 'status' THEN
		code := CASE WHEN bot_is_subscribed(token, chat) THEN 'status' ELSE 'not_subscribed' END;
		args := bot_status(token, chat);
	END IF;
	PERFORM bot_say(token, chat, NULL, NULL, code, args);
	RETURN true;
END $$;

-- A person blocked the bot, or a group threw it out: the same as a 403 to a message.
CREATE FUNCTION bot_left(me text, token text, update_id bigint, chat bigint, reason text)
	RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF NOT bot_take(me, token, update_id) THEN
		RETURN false;
	END IF;
	UPDATE telegram_users t SET disabled_at = now(), disabled_reason = reason, updated_at = now()
		WHERE t.bot_token = token AND t.tg_id = chat AND t.disabled_at IS NULL;
	RETURN true;
END $$;

-- Buttons ------------------------------------------------------------------------------------------

-- Commands to PBXs: each is sent at most once. `id` is the idempotency key.
CREATE TABLE pbx_commands (
	id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	call_id           bigint NOT NULL,
	action            text NOT NULL CHECK (action IN ('listen', 'whisper', 'conference', 'call')),
	phone             text NOT NULL,                 -- whose button
	target            text NOT NULL DEFAULT '',      -- the extension that talks
	external          text NOT NULL DEFAULT '',      -- the other side
	bot_token         text NOT NULL,
	chat_id           bigint NOT NULL,
	callback_id       text NOT NULL,
	state             text NOT NULL DEFAULT 'queued' CHECK (state IN (
		'queued', 'sending', 'done', 'refused', 'failed', 'late', -- late: not sent in time, never will be
		'unknown')),                                 -- sent, but nobody knows what came of it
	http_status       integer,
	words             text,                          -- of the PBX, or why not
	deadline          timestamptz NOT NULL,
	created_at        timestamptz NOT NULL DEFAULT now(),
	updated_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX pbx_commands_open ON pbx_commands (deadline) WHERE state IN ('queued', 'sending');
CREATE INDEX pbx_commands_call ON pbx_commands (call_id, action, phone);
CREATE INDEX pbx_commands_age ON pbx_commands (created_at);

-- Why a press is refused, as a code of bot_answers; NULL: it is not.
CREATE FUNCTION bot_press_refusal(token text, chat bigint, account bigint, c calls, e enterprises,
	what text, own_phone text) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE
		WHEN c.id IS NULL OR e.number IS NULL THEN 'press_gone'
		WHEN NOT bot_is_subscribed(token, chat) THEN 'press_stranger'
		WHEN NOT EXISTS (SELECT FROM bot_users(token, account) u, bot_phones(u.id) phone
			WHERE u.enterprise_number = e.number AND phone = own_phone) THEN 'press_not_yours'
		WHEN coalesce(e.settings ->> 'control_url', '') = '' OR e.secret IS NULL THEN 'press_no_pbx'
		WHEN what = 'call' AND c.state NOT IN ('ended', 'lost') THEN 'press_not_yet'
		WHEN what = 'call' AND coalesce(c.phone_number, '') = '' THEN 'press_no_number'
		WHEN what <> 'call' AND c.state <> 'talking' THEN 'press_too_late'
		WHEN what <> 'call' AND own_phone = c.main_extension THEN 'press_yourself'
		WHEN (SELECT count(*) FROM pbx_commands p WHERE p.enterprise_number = e.number
			AND p.state IN ('queued', 'sending') AND p.deadline > now()) >= 20 THEN 'press_busy'
	END;
$$;

-- A press of a button whose data is ours. Pressed again within half a minute it rings nobody again.
CREATE FUNCTION bot_press(me text, token text, update_id bigint, callback text, chat bigint,
	account bigint, what text, call bigint, own_phone text, valid interval)
	RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	c       calls;
	e       enterprises;
	refusal text;
BEGIN
	IF NOT bot_take(me, token, update_id) THEN
		RETURN false;
	END IF;
	-- Two presses at once, perhaps by two people's chats on two instances: one after the other.
	PERFORM pg_advisory_xact_lock(hashtextextended(format('press %s %s %s', call, what, own_phone), 0));
	SELECT * INTO c FROM calls k WHERE k.id = call;
	SELECT * INTO e FROM enterprises n WHERE n.number = c.enterprise_id AND n.bot_token = token AND n.active;
	refusal := bot_press_refusal(token, chat, account, c, e, what, own_phone);
	IF refusal IS NULL AND EXISTS (SELECT FROM pbx_commands p
			WHERE p.call_id = call AND p.action = what AND p.phone = own_phone AND (
				(p.state IN ('queued', 'sending') AND p.deadline > now()) OR
				(p.state IN ('done', 'unknown') AND p.updated_at > now() - interval '30 seconds'))) THEN
		refusal := 'press_again';
	END IF;
	IF refusal IS NOT NULL THEN
		PERFORM bot_say(token, chat, callback, e.number, refusal);
		RETURN true;
	END IF;
	INSERT INTO pbx_commands (enterprise_number, call_id, action, phone, target, external, bot_token, chat_id,
			callback_id, deadline)
		VALUES (e.number, call, what, own_phone,
			CASE WHEN what <> 'call' THEN coalesce(c.main_extension, c.talkers[cardinality(c.talkers)], '') ELSE '' END,
			coalesce(c.phone_number, ''), token, chat, callback, now() + valid);
	RETURN true;
END $$;

-- A press that is answered without a command.
CREATE FUNCTION bot_press_answer(me text, token text, update_id bigint, callback text, chat bigint, code text)
	RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF NOT bot_take(me, token, update_id) THEN
		RETURN false;
	END IF;
	PERFORM bot_say(token, chat, callback, NULL, code);
	RETURN true;
END $$;

-- Commands to send now. They are `sending` before anything is sent, so that none is sent twice.
CREATE FUNCTION pbx_commands_claim(most integer) RETURNS TABLE (id uuid, url text, secret text,
	enterprise text, call_id bigint, action text, phone text, target text, external text, left_ms bigint)
	LANGUAGE sql AS $$
	UPDATE pbx_commands p SET state = 'sending', updated_at = now() FROM enterprises e
	WHERE e.number = p.enterprise_number AND p.id IN (SELECT q.id FROM pbx_commands q
		WHERE q.state = 'queued' AND q.deadline > now() ORDER BY q.created_at LIMIT most FOR UPDATE SKIP LOCKED)
	RETURNING p.id, coalesce(e.settings ->> 'control_url', ''), coalesce(e.secret, ''), e.number, p.call_id, p.action,
		p.phone, p.target, p.external, (extract(epoch FROM p.deadline - now()) * 1000)::bigint;
$$;

-- What became of a command, and the answer to who pressed; nothing when that is known already.
CREATE FUNCTION pbx_command_end(command uuid, new_state text, status integer, said text) RETURNS boolean
	LANGUAGE plpgsql AS $$
DECLARE
	p pbx_commands;
BEGIN
	UPDATE pbx_commands q SET state = new_state, http_status = status, words = said, updated_at = now()
		WHERE q.id = command AND q.state IN ('queued', 'sending') RETURNING q.* INTO p;
	IF p.id IS NULL THEN
		RETURN false;
	END IF;
	PERFORM bot_say(p.bot_token, p.chat_id, p.callback_id, p.enterprise_number,
		'command_' || CASE WHEN new_state = 'done' THEN p.action || '_done' ELSE new_state END,
		jsonb_build_object('phone', p.phone, 'words', coalesce(said, '')));
	RETURN true;
END $$;

-- Commands whose process ended: one that was not sent in time never will be, one that may have been
-- sent stays unknown. Five seconds are for a process that only writes late. Returns how many.
CREATE FUNCTION pbx_commands_sweep() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FILTER (WHERE pbx_command_end(p.id,
		CASE p.state WHEN 'queued' THEN 'late' ELSE 'unknown' END, NULL, NULL))
	FROM pbx_commands p WHERE (p.state = 'queued' AND p.deadline < now())
		OR (p.state = 'sending' AND p.deadline < now() - interval '5 seconds');
$$;

-- What is too old: updates that Telegram has forgotten, codes, tries, commands after a month, answers
-- that nobody could be given. Returns how many of the last.
CREATE FUNCTION bot_clean() RETURNS bigint LANGUAGE sql AS $$
	DELETE FROM telegram_updates WHERE taken_at < now() - interval '48 hours';
	DELETE FROM telegram_codes WHERE expires_at < now() - interval '7 days';
	DELETE FROM telegram_code_tries WHERE since < now() - interval '1 day';
	DELETE FROM pbx_commands WHERE created_at < now() - interval '30 days';
	WITH gone AS (DELETE FROM bot_answers WHERE created_at < now() - interval '10 minutes' RETURNING 1)
		SELECT count(*) FROM gone;
$$;
