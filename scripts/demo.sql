-- The demo enterprise of scripts/up. Run again it changes nothing.
-- psql variables: bot_token (made up for the sandbox, no bot of Telegram has it), secret and control_url
-- (of a PBX that the sandbox plays), sandbox (its URL: it plays the CRMs, too) and random (hex digits, of
-- which the keys of the CRMs are made).
BEGIN;

INSERT INTO enterprises (number, name, name2, secret, bot_token, chat_id, zone, locale, country, debug_log, settings)
VALUES ('0367', 'june', '375293332255', :'secret', :'bot_token', 367000001, 'Europe/Minsk', 'ru', 'BY', true,
	jsonb_build_object('control_url', :'control_url'))
ON CONFLICT DO NOTHING;

-- A person and a group beside the owner's chat.
INSERT INTO telegram_users (tg_id, bot_token)
SELECT chat.id, e.bot_token
FROM enterprises e, (VALUES (367000002::bigint), (-1000000367001::bigint)) AS chat (id)
WHERE e.number = '0367' AND e.bot_token IS NOT NULL
ON CONFLICT DO NOTHING;

-- One of them is the person whose chat that is: he has buttons.
INSERT INTO users (enterprise_number, first_name, last_name, telegram_tg_id)
SELECT '0367', person.first_name, person.last_name, person.chat
FROM (VALUES ('Анна', 'Ковалёва', NULL), ('Игорь', 'Савицкий', 367000002), ('Мария', 'Лис', NULL))
	AS person (first_name, last_name, chat)
WHERE NOT EXISTS (SELECT FROM users u WHERE u.enterprise_number = '0367'
	AND (u.first_name, u.last_name) = (person.first_name, person.last_name));

INSERT INTO user_internal_phones (user_id, enterprise_number, phone_number)
SELECT u.id, '0367', manager.phone
FROM (VALUES ('150', 'Ковалёва'), ('151', 'Савицкий'), ('152', 'Лис')) AS manager (phone, last_name)
JOIN users u ON u.enterprise_number = '0367' AND u.last_name = manager.last_name
ON CONFLICT DO NOTHING;

INSERT INTO gsm_lines (enterprise_number, line_id, internal_id, phone_number, line_name)
VALUES ('0367', '0001363', '0001363', '+375293332201', 'МТС-1'),
	('0367', '0001366', '0001366', '+375293332202', 'А1-2')
ON CONFLICT DO NOTHING;

INSERT INTO sip_unit (enterprise_number, line_name, info)
VALUES ('0367', '3880004', 'SIP')
ON CONFLICT DO NOTHING;

-- Four CRMs, and a CRM of its own by signed webhooks. Each key begins unlike the others, so that one that
-- turns up in the wrong place can be told.
UPDATE enterprises SET integrations_config = jsonb_build_object(
	'smart', jsonb_build_object('primary', 'retailcrm', 'mode', 'routing+name'),
	'retailcrm', jsonb_build_object('enabled', true, 'domain', :'sandbox', 'api_key', 'retailcrm-' || :'random',
		'client_id', md5('client' || :'random'), 'user_extensions', '{"16": "150", "17": "151", "18": "152"}'::jsonb),
	'uon', jsonb_build_object('enabled', true, 'api_url', :'sandbox', 'api_key', 'uon-' || :'random', 'log_calls', true,
		'webhook_secret', md5('webhook' || :'random'), 'notifications', '{"call_notify_mode": "during", "notify_incoming": true,
			"notify_outgoing": true}'::jsonb, 'user_extensions', '{"16": "150", "17": "151", "18": "152"}'::jsonb),
	'ms', jsonb_build_object('enabled', true, 'phone_api_url', :'sandbox' || '/api/phone/1.0',
		'remap_api_url', :'sandbox' || '/api/remap/1.2', 'integration_code', 'moysklad-' || :'random',
		'api_token', 'remap-' || :'random', 'webhook_uuid', gen_random_uuid(), 'employee_mapping', '{
			"150": {"employee_id": "00000000-0000-4000-8000-000000000150"},
			"151": {"employee_id": "00000000-0000-4000-8000-000000000151"},
			"152": {"employee_id": "00000000-0000-4000-8000-000000000152"}}'::jsonb),
	'bitrix24', jsonb_build_object('enabled', true, 'portal_domain', :'sandbox', 'client_id', 'app.callweave',
		'client_secret', 'bitrix24-' || :'random', 'webhook_uuid', gen_random_uuid(), 'default_user_id', '16',
		'user_extensions', '{"16": "150", "17": "151", "18": "152"}'::jsonb),
	'webhook', jsonb_build_object('enabled', true, 'url', :'sandbox' || '/hook/june',
		'secret', 'whsec_' || encode(decode(:'random', 'hex'), 'base64')))
WHERE number = '0367' AND integrations_config = '{}';

COMMIT;
