/*
 * test_hook_texts: words that are for a machine, one person by all his names, who answers what.
 */
#include "keywords.h"
#include "text_came.h"
#include "text_peer.h"
#include "text_provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* -- words ------------------------------------------------------------------------------------------- */

static void words_lose_case_accents_and_what_stands_around(void **state)
{
	static const char *const cases[][2] = {
		{"STOP", "STOP"},
		{" stop\r\n", "STOP"},
		{"\"Stop!\"", "STOP"},
		{"Désabonner", "DESABONNER"},
		{"de\xCC\x81sabonner", "DESABONNER"}, /* a combining accent */
		{"ARRÊT", "ARRET"},
		{"\xC2\xA0"
		 "arrêt.",
			"ARRET"},
		{"стоп", "СТОП"},
		{"Ещё", "ЕЩЕ"},
		{"הסר", "הסר"},
		{"a b", "A B"},
	};
	char folded[KEYWORD_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(keyword_fold(str_from(cases[i][0]), folded));
		assert_string_equal(folded, cases[i][1]);
	}
	assert_false(keyword_fold(STR(""), folded));
	assert_false(keyword_fold(STR("  ?! "), folded));
	assert_false(keyword_fold(STR("STOP\xFF"), folded));
	assert_false(keyword_fold(STR("STOPSTOPSTOPSTOPSTOPSTOPSTOPSTOPSTOPSTOPSTOPSTOPSTOPSTOPSTOP"
				      "STOPSTOPSTOP"),
		folded));
}

static void twilios_words_and_ours(void **state)
{
	static const char *const stops[] = {
		"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"};
	static const char *const starts[] = {"START", "YES", "UNSTOP"};

	(void)state;
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		assert_int_equal(keyword_find(str_from(stops[i])).keyword, KEYWORD_STOP);
		assert_true(keyword_find(str_from(stops[i])).of_twilio);
	}
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		assert_int_equal(keyword_find(str_from(starts[i])).keyword, KEYWORD_START);
	assert_int_equal(keyword_find(STR("ARRET")).keyword, KEYWORD_STOP);
	assert_false(keyword_find(STR("ARRET")).of_twilio);
	assert_int_equal(keyword_find(STR("STOP IT")).keyword, KEYWORD_NONE);
	assert_int_equal(keyword_find(STR("INFO")).keyword, KEYWORD_NONE);
	assert_int_equal(keyword_of_type(STR("STOP")), KEYWORD_STOP);
	assert_int_equal(keyword_of_type(STR("")), KEYWORD_NONE);
}

/* -- who answers ------------------------------------------------------------------------------------- */

struct decided {
	enum keyword keyword;
	bool replied;
};

static struct decided decide(
	const char *channel, const char *body, bool own, const char *type, const struct menu *menu)
{
	struct text_came came = {.channel = channel, .body = str_from(body)};
	const struct text_rules rules = {.menu = menu,
		.language = "fr",
		.own_confirmation = own,
		.opt_out_type = str_from(type)};

	text_came_decide(&came, &rules);
	return (struct decided){came.keyword, came.reply.size > 0};
}

static void nobody_confirms_twice(void **state)
{
	struct arena *arena = arena_new((size_t)1 << 20);
	struct menu *menu = menu_default(arena);

	(void)state;
	assert_false(decide("sms", "STOP", false, "", menu).replied); /* Twilio did */
	assert_int_equal(decide("sms", "STOP", false, "", menu).keyword, KEYWORD_STOP);
	assert_true(decide("sms", "STOP", true, "", menu).replied);
	assert_true(decide("sms", "arrêt", false, "", menu).replied); /* Twilio does not know it */
	assert_true(decide("whatsapp", "STOP", false, "", menu).replied);
	assert_false(decide("sms", "arrêt", true, "STOP", menu).replied);
	assert_int_equal(decide("sms", "au revoir", false, "STOP", menu).keyword, KEYWORD_STOP);
	assert_false(decide("sms", "HELP", false, "", menu).replied);
	assert_true(decide("sms", "HELP", true, "", menu).replied);
	assert_true(decide("sms", "horaires", false, "", menu).replied);
	assert_false(decide("sms", "horaires ?! demain", false, "", menu).replied);
	assert_false(decide("sms", "INFO", false, "", NULL).replied);
	assert_true(decide("whatsapp", "START", false, "", NULL).replied);
	menu_close(menu);
	arena_free(&arena);
}

/* -- who it is ---------------------------------------------------------------------------------------- */

static void one_person_by_all_his_names(void **state)
{
	static const struct {
		const char *sent, *country;
		enum text_peer kind;
		const char *peer;
	} cases[] = {
		{"whatsapp:+972501234567", "", TEXT_PEER_PERSON, "+972501234567"},
		{"whatsapp:whatsapp:+972501234567", "", TEXT_PEER_PERSON, "+972501234567"},
		{"+972 50-123-4567", "", TEXT_PEER_PERSON, "+972501234567"},
		{"972501234567@s.whatsapp.net", "FR", TEXT_PEER_PERSON, "+972501234567"},
		{"972501234567:12@s.whatsapp.net", "", TEXT_PEER_PERSON, "+972501234567"},
		{"972501234567@c.us", "", TEXT_PEER_PERSON, "+972501234567"},
		{"06 12 34 56 78", "FR", TEXT_PEER_PERSON, "+33612345678"},
		{"123456789012345@lid", "", TEXT_PEER_LID, "lid:123456789012345"},
		{"lid:123456789012345", "", TEXT_PEER_LID, "lid:123456789012345"},
		{"120363012345678901@g.us", "", TEXT_PEER_IGNORED, ""},
		{"status@broadcast", "", TEXT_PEER_IGNORED, ""},
		{"123@newsletter", "", TEXT_PEER_IGNORED, ""},
		{"abc@s.whatsapp.net", "", TEXT_PEER_WRONG, ""},
		{"@s.whatsapp.net", "", TEXT_PEER_WRONG, ""},
		{"x@lid", "", TEXT_PEER_WRONG, ""},
		{"", "", TEXT_PEER_WRONG, ""},
		{"whatsapp:", "", TEXT_PEER_WRONG, ""},
		{"Amazon", "", TEXT_PEER_NAME, "Amazon"},
	};
	char peer[TEXT_PEER_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum text_peer kind =
			text_peer_read(str_from(cases[i].sent), cases[i].country, peer);

		if (kind != cases[i].kind)
			fail_msg("%s: %d", cases[i].sent, kind);
		if (cases[i].peer[0] != '\0')
			assert_string_equal(peer, cases[i].peer);
	}
	assert_string_equal(text_channel(STR("whatsapp:+1")), "whatsapp");
	assert_string_equal(text_channel(STR("+1")), "sms");
}

/* -- Twilio ------------------------------------------------------------------------------------------ */

static const struct text_access access_of_tests = {.base_url = "http://twilio.test",
	.account_sid = "AC1",
	.token = "secret",
	.status_url = "https://hooks.test/webhook/message_status?ours=7"};

static struct json *parse(const char *text)
{
	return json_parse(
		str_from(text), (struct json_limits){.max_bytes = 65536, .max_depth = 8}, NULL);
}

static void a_send_is_as_documented(void **state)
{
	struct arena *arena = arena_new((size_t)1 << 20);
	struct json *media = parse("[{\"url\":\"https://x/a?b=1&c\"},{\"url\":\"https://x/d\"}]");
	const struct text_message message = {.channel = "whatsapp",
		.peer = "+972501234567",
		.ours = "+33100000002",
		.body = STR("50% = ½ & more"),
		.media = media};
	struct http_call call;

	(void)state;
	text_twilio.send(&message, &access_of_tests, arena, &call);
	assert_string_equal(call.method, "POST");
	assert_string_equal(call.url, "http://twilio.test/2010-04-01/Accounts/AC1/Messages.json");
	assert_string_equal(call.headers[0][1], "Basic QUMxOnNlY3JldA==");
	assert_string_equal(call.body.data,
		"To=whatsapp%3A%2B972501234567&From=whatsapp%3A%2B33100000002"
		"&Body=50%25%20%3D%20%C2%BD%20%26%20more&MediaUrl=https%3A%2F%2Fx%2Fa%3Fb%3D1%26c"
		"&MediaUrl=https%3A%2F%2Fx%2Fd"
		"&StatusCallback=https%3A%2F%2Fhooks.test%2Fwebhook%2Fmessage_status%3Fours%3D7");
	json_free(&media);
	arena_free(&arena);
}

static struct text_result sent(
	struct arena *arena, enum http_reach reach, int status, const char *body)
{
	const struct http_answer answer = {
		.reach = reach, .status = status, .body = str_from(body), .retry_after_ms = -1};
	struct text_result result = {0};

	text_twilio.sent(&answer, arena, &result);
	return result;
}

static void what_an_answer_means(void **state)
{
	static const struct {
		enum http_reach reach;
		int status;
		const char *body;
		enum text_outcome outcome;
		const char *code;
	} cases[] = {
		{HTTP_ANSWERED, 201, "{\"sid\":\"SM1\",\"status\":\"accepted\"}", TEXT_SENT, ""},
		{HTTP_ANSWERED, 201, "{}", TEXT_DOUBTFUL, "201"},
		{HTTP_ANSWERED, 200, "<html>", TEXT_DOUBTFUL, "200"},
		{HTTP_ANSWERED, 201, "{\"sid\":{}}", TEXT_DOUBTFUL, "201"},
		{HTTP_ANSWERED, 400, "{\"code\":21610,\"message\":\"x\"}", TEXT_STOPPED, "21610"},
		{HTTP_ANSWERED, 400, "{\"code\":21211}", TEXT_REFUSED, "21211"},
		{HTTP_ANSWERED, 400, "{\"code\":63016}", TEXT_REFUSED, "63016"},
		{HTTP_ANSWERED, 404, "", TEXT_REFUSED, "404"},
		{HTTP_ANSWERED, 401, "{\"code\":20003}", TEXT_AGAIN, "20003"},
		{HTTP_ANSWERED, 429, "{\"code\":20429}", TEXT_AGAIN, "20429"},
		{HTTP_ANSWERED, 503, "", TEXT_AGAIN, "503"},
		{HTTP_ANSWERED, 500, "", TEXT_DOUBTFUL, "500"},
		{HTTP_UNKNOWN, 0, "", TEXT_DOUBTFUL, ""},
		{HTTP_NOT_SENT, 0, "", TEXT_ELSEWHERE, ""},
	};
	struct arena *arena = arena_new((size_t)1 << 20);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text_result result =
			sent(arena, cases[i].reach, cases[i].status, cases[i].body);

		if (result.outcome != cases[i].outcome || strcmp(result.code, cases[i].code) != 0)
			fail_msg("%d %s: %d %s", cases[i].status, cases[i].body, result.outcome,
				result.code);
	}
	arena_free(&arena);
}

static void only_what_may_be_ours_is_a_candidate(void **state)
{
	static const char list[] = "{\"messages\":["
				   "{\"sid\":\"SM4\",\"body\":\"hi\",\"direction\":\"inbound\","
				   "\"date_created\":\"Sat, 21 Nov 2026 22:00:01 +0000\"},"
				   "{\"sid\":\"SM3\",\"body\":\"hi\",\"direction\":\"outbound-"
				   "api\",\"date_created\":\"Sat, 21 Nov 2026 22:00:01 +0000\"},"
				   "{\"sid\":\"SM2\",\"body\":\"ho\",\"direction\":\"outbound-"
				   "api\",\"date_created\":\"Sat, 21 Nov 2026 22:00:01 +0000\"},"
				   "{\"sid\":\"SM1\",\"body\":\"hi\",\"direction\":\"outbound-"
				   "api\",\"date_created\":\"Sat, 21 Nov 2026 21:50:00 +0000\"},"
				   "{\"sid\":\"SM0\",\"body\":\"hi\",\"direction\":\"outbound-"
				   "api\",\"date_created\":\"yesterday\"}]}";
	struct arena *arena = arena_new((size_t)1 << 20);
	const struct text_message message = {
		.body = STR("hi"), .created_ms = INT64_C(1795298400000)}; /* 22:00:00 */
	struct http_answer answer = {
		.reach = HTTP_ANSWERED, .status = 200, .body = STR(list), .retry_after_ms = -1};
	struct text_result result = {0};

	(void)state;
	text_twilio.seen(&message, &answer, arena, &result);
	assert_int_equal(result.outcome, TEXT_FOUND);
	assert_int_equal(result.candidate_count, 1);
	assert_true(str_equal(result.candidates[0], STR("SM3")));
	answer.body = STR("{\"messages\":[]}");
	result = (struct text_result){0};
	text_twilio.seen(&message, &answer, arena, &result);
	assert_int_equal(result.outcome, TEXT_ABSENT);
	answer.body = STR("{}");
	text_twilio.seen(&message, &answer, arena, &result);
	assert_int_equal(result.outcome, TEXT_DOUBTFUL); /* no list says nothing */
	answer.status = 500;
	text_twilio.seen(&message, &answer, arena, &result);
	assert_int_equal(result.outcome, TEXT_DOUBTFUL);
	arena_free(&arena);
}

static void statuses_are_ours(void **state)
{
	(void)state;
	assert_string_equal(text_status_name(STR("accepted")), "queued");
	assert_string_equal(text_status_name(STR("partially_delivered")), "delivered");
	assert_string_equal(text_status_name(STR("read")), "read");
	assert_null(text_status_name(STR("receiving")));
	assert_null(text_status_name(STR("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_lose_case_accents_and_what_stands_around),
		cmocka_unit_test(twilios_words_and_ours),
		cmocka_unit_test(nobody_confirms_twice),
		cmocka_unit_test(one_person_by_all_his_names),
		cmocka_unit_test(a_send_is_as_documented),
		cmocka_unit_test(what_an_answer_means),
		cmocka_unit_test(only_what_may_be_ours_is_a_candidate),
		cmocka_unit_test(statuses_are_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
