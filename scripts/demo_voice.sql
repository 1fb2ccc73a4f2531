-- What the demo enterprise has at Twilio: a number with a menu in French, a number with a voice agent in English.
-- Run again it changes nothing. It prints what the sandbox has to know to play Twilio, one JSON object a line, for
-- POST /_sandbox/twilio/numbers. psql variables: random (hex digits, of which the account and its token are made),
-- hooks (its URL) and dialogue (scripts/demo_dialogue.json).
BEGIN;

UPDATE enterprises SET integrations_config = integrations_config || jsonb_build_object('twilio', jsonb_build_object(
	'enabled', true, 'account_sid', 'AC' || md5('account' || :'random'),
	'auth_tokens', jsonb_build_array(md5('token' || :'random'))))
WHERE number = '0367' AND NOT integrations_config ? 'twilio';

INSERT INTO voice_dialogues (enterprise_number, name, dialogue)
SELECT number, 'main', :'dialogue'::jsonb FROM enterprises WHERE number = '0367'
ON CONFLICT DO NOTHING;

-- Without a row in voice_menus the menu is the usual one: 1 information, 2 voicemail, 0 the operator.
INSERT INTO hook_numbers (number, enterprise_number, voice, language, operator, whatsapp)
SELECT n.number, e.number, n.voice, n.language, '+33700000367', n.voice = 'menu'
FROM enterprises e, (VALUES ('+33184800367', 'menu', 'fr'), ('+33184800368', 'agent', 'en')) AS n (number, voice, language)
WHERE e.number = '0367'
ON CONFLICT DO NOTHING;

COMMIT;

SELECT json_build_object('number', n.number, 'account_sid', e.integrations_config -> 'twilio' ->> 'account_sid',
	'auth_token', e.integrations_config -> 'twilio' -> 'auth_tokens' ->> 0,
	'voice_url', :'hooks' || CASE n.voice WHEN 'menu' THEN '/webhook' ELSE '/webhook/incoming_call' END,
	'status_callback', :'hooks' || '/webhook/call_status', 'sms_url', :'hooks' || '/webhook',
	'whatsapp_url', :'hooks' || '/webhook/whatsapp/twilio')
FROM hook_numbers n JOIN enterprises e ON e.number = n.enterprise_number
WHERE n.enterprise_number = '0367' AND e.integrations_config ? 'twilio'
ORDER BY n.number;
