-- What the sandbox has to know to play the CRMs of the demo enterprise: one JSON object a line, for
-- POST /_sandbox/crm/accounts. Keys are read from the enterprise, which is the only place that keeps them.
WITH e AS (
	SELECT integrations_config AS config FROM enterprises WHERE number = '0367'
), people AS (
	SELECT p.phone_number AS code, concat_ws(' ', u.last_name, u.first_name) AS name, u.last_name, u.first_name,
		15 + row_number() OVER (ORDER BY p.phone_number) AS id
	FROM user_internal_phones p JOIN users u ON u.id = p.user_id
	WHERE p.enterprise_number = '0367' AND p.phone_number IN ('150', '151', '152')
), users AS (
	SELECT json_agg(json_build_object('id', id, 'code', code, 'name', name, 'last_name', last_name,
			'first_name', first_name, 'email', 'user' || code || '@june.example') ORDER BY id) AS plain,
		json_agg(json_build_object('id', '00000000-0000-4000-8000-000000000' || code, 'code', code, 'name', name,
			'email', 'user' || code || '@june.example') ORDER BY id) AS moysklad
	FROM people
), customers AS (
	SELECT json_build_array(
		json_build_object('id', '815', 'last_name', 'Ильин', 'first_name', 'Пётр', 'phones', json_build_array('+375291112233'),
			'manager_id', '17'),
		json_build_object('id', '816', 'last_name', 'Мороз', 'first_name', 'Ольга', 'phones', json_build_array('+375447654321'),
			'manager_id', '16'),
		json_build_object('id', '900', 'company', true, 'company_name', 'ООО «Ромашка»',
			'phones', json_build_array('+375172000000'), 'manager_id', '18')) AS plain
)
SELECT account FROM e, users, customers, LATERAL (VALUES
	(json_build_object('crm', 'retailcrm', 'key', config -> 'retailcrm' ->> 'api_key', 'name', 'june',
		'users', users.plain, 'customers', customers.plain)),
	(json_build_object('crm', 'uon', 'key', config -> 'uon' ->> 'api_key', 'name', 'june',
		'users', users.plain, 'customers', customers.plain)),
	(json_build_object('crm', 'moysklad', 'key', config -> 'ms' ->> 'integration_code', 'name', 'june',
		'api_token', config -> 'ms' ->> 'api_token', 'users', users.moysklad, 'customers', customers.plain)),
	(json_build_object('crm', 'bitrix24', 'key', 'portal-of-june', 'name', 'june', 'client_id', config -> 'bitrix24' ->> 'client_id',
		'client_secret', config -> 'bitrix24' ->> 'client_secret', 'member_id', 'portal-of-june',
		'application_token', md5('application' || (config -> 'bitrix24' ->> 'client_secret')),
		'users', users.plain, 'customers', customers.plain)),
	(json_build_object('crm', 'webhook', 'key', 'june', 'name', 'june', 'secret', config -> 'webhook' ->> 'secret'))
) AS accounts (account);
