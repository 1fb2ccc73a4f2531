/*
 * call_sql: see call_sql.h. Limits are those of call_view.h.
 */
#include "call_sql.h"

#define MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"

/* Where enterprises are compared the page of one never shows what is another's, whatever id it has. */
#define CALL_LIST(column)                                                                          \
	"FROM calls c, unnest(c." column ") WITH ORDINALITY AS n (number, place) "                 \
	"WHERE c.id = $2 AND c.enterprise_id = $1"
#define CALL "FROM calls c WHERE c.id = $2 AND c.enterprise_id = $1"

const char *const call_sql[ASK_STATEMENTS] = {
	[ASK_ROW] =
		"SELECT c.id, c.version, c.direction, c.state, c.answered, c.phone_number, "
		"c.caller, c.callee, c.trunk, " MS("c.start_time") ", " MS("c.answer_time") ", " MS("c.end_time") ", c.unique_id, c.data_source, c.trace_id, " MS(
			"c.created_at") ", " MS("c.updated_at") ", (SELECT "
								"coalesce(nullif(k.enterprise_name,"
								" ''), "
								"concat_ws(' ', "
								"nullif(k.last_name, ''), "
								"nullif(k.first_name, ''), "
								"nullif(k.middle_name, ''))) FROM "
								"customers k WHERE "
								"k.enterprise_number = $1 AND "
								"k.phone_e164 = c.phone_number), "
								"e.number, e.name, e.locale, "
								"e.country, e.zone "
								"FROM calls c JOIN enterprises e "
								"ON e.number = c.enterprise_id "
								"WHERE c.id = $2 AND "
								"c.enterprise_id = $1",

	[ASK_NUMBERS] =
		"SELECT kind, number FROM ("
		"SELECT 'talkers' AS kind, n.number, n.place " CALL_LIST(
			"talkers") " UNION ALL "
				   "SELECT 'rang', n.number, n.place " CALL_LIST(
					   "rang") " UNION ALL "
						   "SELECT 'unique_ids', n.number, "
						   "n.place " CALL_LIST(
							   "unique_ids") ") AS numbers ORDER BY "
									 "kind, place LIMIT 200",

	[ASK_TRANSFERS] = "SELECT t.from_extension, t.to_extension, t.kind, t.result, " MS(
		"t.started_at") " FROM call_transfers t WHERE t.call_id = $2 AND EXISTS "
				"(SELECT " CALL ") "
				"ORDER BY t.transfer LIMIT 16",

	/* Who has the extension, whose mobile it is, whose FollowMe number: the surest first. */
	[ASK_NAMES] =
		"WITH numbers AS (SELECT unnest(c.talkers || c.rang || ARRAY[c.caller, c.callee]) "
		"AS number " CALL " UNION SELECT unnest(ARRAY[t.from_extension, t.to_extension]) "
		"FROM call_transfers t WHERE t.call_id = $2) "
		"SELECT key, name FROM ("
		"SELECT 1 AS sure, p.phone_number AS key, concat_ws(' ', nullif(u.last_name, ''), "
		"nullif(u.first_name, '')) AS name FROM user_internal_phones p "
		"JOIN users u ON u.id = p.user_id WHERE p.enterprise_number = $1 "
		"AND p.phone_number IN (SELECT number FROM numbers) UNION ALL "
		"SELECT 2, n.number, concat_ws(' ', nullif(u.last_name, ''), "
		"nullif(u.first_name, '')) FROM users u JOIN numbers n ON n.number = "
		"regexp_replace(u.personal_phone, '[^0-9]', '', 'g') "
		"OR n.number = u.follow_me_number::text "
		"WHERE u.enterprise_number = $1 UNION ALL "
		"SELECT 3, 'line:' || l.line_id, l.line_name FROM gsm_lines l "
		"WHERE l.enterprise_number = $1 UNION ALL "
		"SELECT 3, 'line:' || s.line_name, s.info FROM sip_unit s "
		"WHERE s.enterprise_number = $1) AS found ORDER BY sure LIMIT 2000",

	[ASK_REASONS] = "SELECT " MS(
		"r.at") ", r.event, r.why FROM calls c, "
			"jsonb_to_recordset(c.trace) AS r (at timestamptz, event bigint, why text) "
			"WHERE c.id = $2 AND c.enterprise_id = $1 LIMIT 200",

	[ASK_CHATS] = "SELECT o.destination, o.state, o.version, coalesce(m.sent_version, 0), "
		      "coalesce(m.message_id, 0), o.attempts, coalesce(o.http_status, 0), "
		      "o.last_error, " MS("o.updated_at") ", " MS(
			      "o.next_at") " FROM outbox o LEFT JOIN telegram_messages m ON "
					   "m.call_id = o.call_id "
					   "AND o.destination = 'telegram:' || m.chat_id "
					   "WHERE o.call_id = $2 AND o.enterprise_number = $1 "
					   "ORDER BY o.id LIMIT 200",

	[ASK_DELIVERIES] = "SELECT " MS(
		"d.at") ", d.destination, d.what, d.version, d.outcome, "
			"coalesce(d.http_status, 0), d.words, d.took_ms, d.trace_id FROM "
			"delivery_log d "
			"WHERE d.call_id = $2 AND d.enterprise_number = $1 ORDER BY d.at LIMIT 200",

	[ASK_CRM] = "SELECT " MS(
		"i.created_at") ", i.integration_type, i.event_type, i.status, "
				"i.error_message, left(i.request_data::text, 4000), "
				"left(i.response_data::text, 4000) FROM integration_logs i "
				"WHERE i.call_id = $2 AND i.enterprise_number = $1 ORDER BY "
				"i.created_at, i.id "
				"LIMIT 200",
};

/* A PBX's token lets anybody speak for it: it never leaves the database. */
#define EVENT                                                                                      \
	"SELECT e.id, " MS(                                                                        \
		"e.event_timestamp") ", e.event_type, e.data_source, e.trace_id, "                 \
				     "length(e.raw_data::text), CASE WHEN "                        \
				     "length(e.raw_data::text) <= 8000 THEN "                      \
				     "(e.raw_data - '{Token,token,TOKEN}'::text[])::text END "     \
				     "FROM call_events e "                                         \
				     "WHERE e.enterprise_number = $1 AND e.created_at >= "         \
				     "$2::timestamptz "                                            \
				     "AND e.created_at < $3::timestamptz "
#define IN_ORDER " ORDER BY e.event_timestamp, e.id LIMIT 1001"

const char call_sql_events[] =
	EVENT "AND e.unique_id <> '' AND e.unique_id = ANY ((SELECT c.unique_ids || c.unique_id "
	      "FROM calls c WHERE c.id = $4::bigint AND c.enterprise_id = $1)::text[])" IN_ORDER;

const char call_sql_bridges[] =
	EVENT "AND e.unique_id = '' AND (e.raw_data ->> 'BridgeUniqueid') = "
	      "ANY (ARRAY(SELECT json_array_elements_text($4::json)))" IN_ORDER;
