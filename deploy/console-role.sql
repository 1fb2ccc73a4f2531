-- A database role for console that can read what the pages of calls and customers show, and no more: no tokens, no
-- passwords, nothing to write. Run as the owner of the database, after scripts/migrate; then give the role a
-- password and console a DATABASE_URL of its own.
CREATE ROLE callweave_console LOGIN;
GRANT SELECT ON schema_migrations, calls, call_events, call_transfers, customers, gsm_lines, outbox,
	telegram_messages, delivery_log, integration_logs, threads, messages, call_turns TO callweave_console;
GRANT SELECT (number, name, locale, country, zone) ON enterprises TO callweave_console;
GRANT SELECT (id, enterprise_number, last_name, first_name, personal_phone, follow_me_number) ON users
	TO callweave_console;
GRANT SELECT (user_id, enterprise_number, phone_number) ON user_internal_phones TO callweave_console;
GRANT SELECT (enterprise_number, line_name, info) ON sip_unit TO callweave_console;
