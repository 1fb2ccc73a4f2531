/*
 * test_twilio_signature: the vectors of Twilio's documentation and of its npm library, the variants of URLs,
 * and that nothing is right without a token (P11, P12).
 */
#include "crypto.h"
#include "twilio_signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CA "CA11111111111111111111111111111111"
#define AC "AC22222222222222222222222222222222"

static const char body_json[] = "{\"CallSid\":\"CA1234567890ABCDE\",\"Caller\":\"+12349013030\"}";

struct vector {
	const char *url, *form, *signature; /* form NULL: none */
	bool websocket, json;
};

static const struct vector vectors[] = {
	{"https://example.com/myapp.php?foo=1&bar=2",
		"CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310&"
		"To=%2B18005551212",
		"L/OH5YylLD5NRKLltdqwSvS0BnU=", false, false},
	{"https://mycompany.com/myapp.php?foo=1&bar=2",
		"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&"
		"To=%2B18005551212",
		"RSOYDt4T1cUTdK1PDd93/VVr8B8=", false, false},
	{"https://example.com/"
	 "myapp?bodySHA256=5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9",
		NULL, "hPXmLwIy3Fgqv1i9KPmH/HhQ6zo=", false, true},
	{"wss://example.com/ws/twilio-media", NULL, "WBxAF43rvp6g9F8Szu06yA8pv+8=", true, false},
	{"wss://example.com/ws/twilio-media/", NULL, "HGhasagwd+4p7t6z3gsUWpxzbYE=", true, false},
	{"https://example.com/webhook/incoming_call",
		"CallSid=" CA "&AccountSid=" AC "&From=%2B972500000000&To=%2B97230000000&"
		"CallStatus=ringing&Direction=inbound&ApiVersion=2010-04-01",
		"yddVOqpDdHJpjmDSyJ67tKEM8a0=", false, false},
	{"https://example.com/webhook.php?lang=fr&x=%2B1",
		"Body=Horaires+&From=%2B33600000000&To=%2B33100000000&"
		"MessageSid=SM33333333333333333333333333333333&NumMedia=0",
		"f7KOta3g0rV0jUD5TNbpNNhzSzI=", false, false},
	{"https://example.com/webhook/whatsapp/twilio",
		"Body=%D7%A9%D7%9C%D7%95%D7%9D&From=whatsapp%3A%2B972500000000&NumMedia=0&"
		"MessageSid=SM44444444444444444444444444444444",
		"yNcZOzv+2lc8bUqjHWorHLd5+yY=", false, false},
	{"https://example.com/webhook.php?CallSid=CA1&From=%2B3361", NULL,
		"xRBqCmg+T/OOIaC002/jgIJr7ik=", false, false},
	{"https://example.com/a", "A=b&A=a&A=b&Z=", "Yh7MSGUEKVUz+MQzRnaDfc9y6Q8=", false, false},
};

struct world {
	struct arena *arena;
	struct twilio_form form;
	struct twilio_request request;
};

static void make(struct world *world, const struct vector *vector)
{
	struct error error;

	world->arena = arena_new((size_t)1 << 20);
	world->request = (struct twilio_request){
		.url = str_from(vector->url),
		.signature = str_from(vector->signature),
		.websocket = vector->websocket,
		.json = vector->json,
		.body = vector->json ? STR(body_json) : str_of(NULL, 0),
	};
	world->request.body = vector->json ? str_from(body_json) : str_of(NULL, 0);
	if (vector->form == NULL)
		return;
	assert_true(twilio_form_read(str_from(vector->form), world->arena, &world->form, &error));
	world->request.form = &world->form;
}

static bool check_with(struct world *world, const char *token)
{
	struct twilio_tokens tokens = {.items = {str_from(token)}, .count = 1};
	struct error error;

	return twilio_signature_check(&world->request, &tokens, world->arena, &error);
}

static void test_vectors(void **state)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct world world = {0};
		char made[TWILIO_SIGNATURE_BYTES];

		make(&world, &vectors[i]);
		twilio_signature_make(&world.request, STR("12345"), world.arena, made);
		assert_string_equal(made, vectors[i].signature);
		assert_true(check_with(&world, "12345"));
		assert_false(check_with(&world, "12346"));
		arena_free(&world.arena);
	}
}

/* Signed as Twilio saw it, checked as we see it. */
static bool agrees(const char *signed_url, const char *seen_url, bool websocket)
{
	const struct vector vector = {
		signed_url, websocket ? NULL : "CallSid=CA1", "", websocket, false};
	struct world world = {0};
	char made[TWILIO_SIGNATURE_BYTES];
	bool good;

	make(&world, &vector);
	twilio_signature_make(&world.request, STR("12345"), world.arena, made);
	world.request.url = str_from(seen_url);
	world.request.signature = str_from(made);
	good = check_with(&world, "12345");
	arena_free(&world.arena);
	return good;
}

static void test_ports(void **state)
{
	/* Voice over TLS: without the port; messages: with it. */
	assert_true(agrees("https://h.example/a", "https://h.example:8443/a", false));
	assert_true(agrees("https://h.example:8443/a", "https://h.example:8443/a", false));
	assert_true(agrees("https://h.example:443/a", "https://h.example/a", false));
	assert_true(agrees("http://h.example:80/a", "http://h.example/a", false));
	assert_true(agrees("wss://h.example:443/ws", "wss://h.example/ws", true));
	assert_true(agrees("https://[2001:db8::1]/a", "https://[2001:db8::1]:8443/a", false));
	assert_false(agrees("https://h.example:9/a", "https://h.example:8443/a", false));
	assert_false(agrees("http://h.example/a", "https://h.example/a", false));
}

static void test_slashes(void **state)
{
	assert_true(agrees("wss://h.example/ws/", "wss://h.example/ws", true));
	assert_true(agrees("wss://h.example/ws", "wss://h.example/ws/", true));
	assert_true(agrees("wss://h.example:443/ws/", "wss://h.example/ws", true));
	/* Of webhooks the last slash counts, and so does a lonely question mark. */
	assert_false(agrees("https://h.example/a/", "https://h.example/a", false));
	assert_false(agrees("https://h.example/a?", "https://h.example/a", false));
	assert_true(agrees("https://h.example/a?", "https://h.example/a?", false));
}

static void test_userinfo_is_not_signed(void **state)
{
	assert_true(agrees("https://h.example/a", "https://user:pass@h.example/a", false));
}

static void test_fails_closed(void **state)
{
	struct world world = {0};
	struct twilio_tokens none = {0}, empty = {.count = 1};
	struct error error;

	make(&world, &vectors[0]);
	assert_false(twilio_signature_check(&world.request, &none, world.arena, &error));
	assert_int_equal(error.kind, ERROR_AUTH);
	assert_false(twilio_signature_check(&world.request, &empty, world.arena, &error));
	world.request.signature = STR("");
	assert_false(check_with(&world, "12345"));
	/* HMAC under an empty key is a signature, too: it must not pass. */
	twilio_signature_make(
		&world.request, STR(""), world.arena, (char[TWILIO_SIGNATURE_BYTES]){0});
	assert_false(check_with(&world, ""));
	arena_free(&world.arena);
}

static void test_rotation(void **state)
{
	struct world world = {0};
	struct twilio_tokens tokens = {.items = {STR("new"), STR(""), STR("12345")}, .count = 3};
	struct error error;

	make(&world, &vectors[0]);
	assert_true(twilio_signature_check(&world.request, &tokens, world.arena, &error));
	arena_free(&world.arena);
}

static void test_another_body_is_refused(void **state)
{
	struct world world = {0};

	make(&world, &vectors[2]);
	world.request.body = STR("{\"CallSid\":\"CA1234567890ABCDE\",\"Caller\":\"+12349013031\"}");
	assert_false(check_with(&world, "12345"));
	/* A JSON body without its hash in the URL proves nothing. */
	world.request.url = STR("https://example.com/myapp");
	assert_false(check_with(&world, "12345"));
	arena_free(&world.arena);
}

static void test_tried_urls(void **state)
{
	const struct vector vector = {"wss://h.example:8080/ws", NULL, "x", true, false};
	struct world world = {0};
	struct buf urls;

	make(&world, &vector);
	buf_init(&urls, 4096);
	twilio_signature_urls(&world.request, world.arena, &urls);
	assert_string_equal(urls.data, " wss://h.example/ws wss://h.example:8080/ws"
				       " wss://h.example/ws/ wss://h.example:8080/ws/");
	buf_free(&urls);
	arena_free(&world.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_slashes),
		cmocka_unit_test(test_userinfo_is_not_signed),
		cmocka_unit_test(test_fails_closed),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_another_body_is_refused),
		cmocka_unit_test(test_tried_urls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
