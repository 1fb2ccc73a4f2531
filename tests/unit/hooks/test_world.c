/*
 * test_world: what happens at Twilio, told as a PBX would, and what the fold makes of it: what people
 * then read in a message.
 */
#include "call_fold.h"
#include "fold_story.h"
#include "hooks.h"

#define SID   "CA11111111111111111111111111111111"
#define PEER  "+33612345678"
#define LINE  "+33184800000"
#define START ((int64_t)1789000000000)

struct world {
	struct story story;
	struct number_rules *numbers;
	int64_t call;
	char recording[256];
};

static void world_begin(struct world *world)
{
	*world = (struct world){.numbers = number_rules_new()};
	assert_true(number_rules_add_line(world->numbers, STR(LINE), STR(""), &(struct error){0}));
	number_rules_add_extension(world->numbers, STR("151"));
	world->story = begin((struct call_fold_rules){.numbers = world->numbers});
}

static void world_end(struct world *world)
{
	finish(&world->story);
	number_rules_free(&world->numbers);
}

/* As call_event_add() does it with the items of a list. */
static void add(struct world *world, const struct json *item, const char *type)
{
	struct story *story = &world->story;
	struct str of_its_own = json_text(json_member(item, "Event"));
	struct call_event event;
	enum call_event_type known;
	struct error error = {0};

	if (of_its_own.size > 0) {
		assert_true(str_equal(of_its_own, STR("recording")));
		str_copy(world->recording, sizeof(world->recording),
			json_text(json_member(item, "Url")));
		return;
	}
	assert_true(call_event_type_from(str_from(type), &known));
	assert_true(call_event_read(known, item, NULL, story->arena, &event, &error));
	event.id = ++story->next_id;
	event.at_ms = story->at_ms;
	if (world->call == 0)
		world->call = event.id;
	call_fold_event(story->fold, &event, &story->changes);
	assert_null(story->changes.warning);
}

static void happens(struct world *world, struct world_event event)
{
	struct error error = {0};
	struct json *body;
	struct world_row row;

	event.enterprise = "0367";
	event.call_sid = SID;
	event.peer = PEER;
	event.line = LINE;
	row = world_row(world->story.arena, &event);
	assert_string_equal(row.enterprise, "0367");
	assert_string_equal(row.unique_id, SID);
	assert_string_equal(row.trace, "");
	body = json_parse(str_from(row.body), (struct json_limits){1 << 18, 8}, &error);
	assert_non_null(body);
	if (json_kind(body) != JSON_ARRAY)
		add(world, body, row.type);
	for (const struct json *at = json_kind(body) == JSON_ARRAY ? json_first(body) : NULL;
		at != NULL; at = json_next(at))
		add(world, at, row.type);
	json_free(&body);
	world->story.at_ms += 10000;
}

static void ends(struct world *world, const char *talker, int status, const char *url)
{
	happens(world, (struct world_event){.kind = WORLD_HANGUP,
			       .talker = talker,
			       .call_status = status,
			       .started_ms = START,
			       .ended_ms = START + 60000,
			       .recording_url = url});
}

static const struct call *seen(const struct world *world)
{
	assert_int_equal(call_fold_remembered(world->story.fold), 1);
	return found(&world->story, world->call);
}

static void a_call_that_the_agent_answers(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world);
	happens(&world, (struct world_event){.kind = WORLD_START});
	assert_int_equal(seen(&world)->state, CALL_GREETING);
	assert_string_equal(seen(&world)->external, PEER);
	assert_string_equal(seen(&world)->line, LINE);
	happens(&world, (struct world_event){.kind = WORLD_DIAL, .talker = "agent"});
	assert_int_equal(seen(&world)->state, CALL_RINGING);
	happens(&world, (struct world_event){.kind = WORLD_BRIDGE, .talker = "agent"});
	assert_int_equal(seen(&world)->state, CALL_TALKING);
	assert_string_equal(seen(&world)->talking, "agent");
	ends(&world, "agent", 2, NULL);
	assert_int_equal(seen(&world)->state, CALL_ENDED);
	assert_int_equal(seen(&world)->direction, CALL_INCOMING);
	assert_true(seen(&world)->answered);
	assert_int_equal(seen(&world)->talkers.count, 1);
	assert_string_equal(seen(&world)->talkers.items[0], "agent");
	assert_int_equal(seen(&world)->transfer_count, 0);
	assert_int_equal(seen(&world)->started_ms, START);
	assert_int_equal(seen(&world)->ended_ms, START + 60000);
	world_end(&world);
}

/* To a telephone outside, and to an extension: the message shows who took it over from whom. */
static void check_transfer(const char *target, const char *shown)
{
	struct world world;

	world_begin(&world);
	happens(&world, (struct world_event){.kind = WORLD_START});
	happens(&world, (struct world_event){.kind = WORLD_BRIDGE, .talker = "agent"});
	happens(&world, (struct world_event){.kind = WORLD_DIAL, .talker = target});
	assert_int_equal(seen(&world)->transfer_count, 1);
	assert_int_equal(seen(&world)->transfers[0].result, TRANSFER_PENDING);
	happens(&world, (struct world_event){.kind = WORLD_BRIDGE, .talker = target});
	assert_string_equal(seen(&world)->talking, shown);
	ends(&world, target, 2, NULL);
	assert_int_equal(seen(&world)->state, CALL_ENDED);
	assert_int_equal(seen(&world)->transfer_count, 1);
	assert_int_equal(seen(&world)->transfers[0].result, TRANSFER_ACCEPTED);
	assert_string_equal(seen(&world)->transfers[0].from, "agent");
	assert_string_equal(seen(&world)->transfers[0].to, shown);
	assert_int_equal(seen(&world)->talkers.count, 2);
	world_end(&world);
}

static void the_agent_hands_over(void **state)
{
	(void)state;
	check_transfer("+33700000001", "33700000001");
	check_transfer("151", "151");
}

static void nobody_takes_over(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world);
	happens(&world, (struct world_event){.kind = WORLD_START});
	happens(&world, (struct world_event){.kind = WORLD_BRIDGE, .talker = "agent"});
	happens(&world, (struct world_event){.kind = WORLD_DIAL, .talker = "+33700000001"});
	ends(&world, "agent", 2, NULL);
	assert_true(seen(&world)->answered);
	assert_int_equal(seen(&world)->transfer_count, 1);
	assert_int_equal(seen(&world)->transfers[0].result, TRANSFER_UNANSWERED);
	world_end(&world);
}

/* A menu, an operator who does not answer, a voicemail: missed, with something to listen to. */
static void a_voicemail_is_a_missed_call(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world);
	happens(&world, (struct world_event){.kind = WORLD_START});
	happens(&world, (struct world_event){.kind = WORLD_DIAL, .talker = "+33700000001"});
	assert_int_equal(seen(&world)->state, CALL_RINGING);
	ends(&world, "", 0, "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1");
	assert_int_equal(seen(&world)->state, CALL_ENDED);
	assert_false(seen(&world)->answered);
	assert_int_equal(seen(&world)->rang.count, 1);
	assert_string_equal(seen(&world)->rang.items[0], "33700000001");
	assert_string_equal(
		world.recording, "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1");
	world_end(&world);
}

static void who_hangs_up_in_the_menu_is_missed(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world);
	happens(&world, (struct world_event){.kind = WORLD_START});
	ends(&world, NULL, 0, NULL);
	assert_int_equal(seen(&world)->state, CALL_ENDED);
	assert_false(seen(&world)->answered);
	assert_int_equal(seen(&world)->rang.count, 0);
	assert_string_equal(world.recording, "");
	world_end(&world);
}

static void a_call_that_we_make(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world);
	happens(&world,
		(struct world_event){.kind = WORLD_START, .outgoing = true, .talker = "agent"});
	assert_int_equal(seen(&world)->direction, CALL_OUTGOING);
	assert_string_equal(seen(&world)->external, PEER);
	happens(&world,
		(struct world_event){.kind = WORLD_BRIDGE, .outgoing = true, .talker = "agent"});
	assert_string_equal(seen(&world)->talking, "agent");
	happens(&world, (struct world_event){.kind = WORLD_HANGUP,
				.outgoing = true,
				.talker = "agent",
				.call_status = 2,
				.started_ms = START,
				.ended_ms = START + 60000});
	assert_int_equal(seen(&world)->state, CALL_ENDED);
	assert_true(seen(&world)->answered);
	assert_string_equal(seen(&world)->caller, "agent");
	world_end(&world);
}

/* P23: Twilio asks twice, and the same is told twice. */
static void told_twice_is_told_once(void **state)
{
	struct world world;
	unsigned version;

	(void)state;
	world_begin(&world);
	for (int i = 0; i < 2; i++)
		happens(&world, (struct world_event){.kind = WORLD_START});
	for (int i = 0; i < 2; i++)
		happens(&world, (struct world_event){.kind = WORLD_BRIDGE, .talker = "agent"});
	version = seen(&world)->version;
	happens(&world, (struct world_event){.kind = WORLD_BRIDGE, .talker = "agent"});
	assert_int_equal(seen(&world)->version, version);
	for (int i = 0; i < 2; i++)
		ends(&world, "agent", 2, NULL);
	assert_int_equal(seen(&world)->talkers.count, 1);
	assert_int_equal(seen(&world)->transfer_count, 0);
	world_end(&world);
}

/* Two people at once are two calls, also when one of them calls twice. */
static void a_withheld_number_is_a_call_too(void **state)
{
	struct world world;
	const struct world_event event = {.kind = WORLD_START,
		.enterprise = "0367",
		.call_sid = SID,
		.peer = NULL,
		.line = LINE};
	struct world_row row;
	struct json *body;

	(void)state;
	world_begin(&world);
	row = world_row(world.story.arena, &event);
	body = json_parse(str_from(row.body), (struct json_limits){65536, 8}, &(struct error){0});
	add(&world, body, row.type);
	json_free(&body);
	assert_int_equal(seen(&world)->direction, CALL_INCOMING);
	assert_string_equal(seen(&world)->external, "");
	world_end(&world);
}

static void a_text_is_no_call(void **state)
{
	struct arena *arena = arena_new((size_t)4 << 20);
	enum call_event_type type;
	char *text = arena_alloc(arena, 20001);
	struct json *body;

	(void)state;
	memset(text, '"', 8191);
	memcpy(text + 8191, "é and more", 11); /* the limit is within a character */
	struct world_row row = world_row(arena, &(struct world_event){.kind = WORLD_TEXT,
							.enterprise = "0367",
							.call_sid = "SM1",
							.peer = PEER,
							.channel = "whatsapp",
							.text = text});
	assert_string_equal(row.type, "text");
	assert_false(call_event_type_from(str_from(row.type), &type));
	body = json_parse(str_from(row.body), (struct json_limits){1 << 18, 8}, &(struct error){0});
	assert_non_null(body);
	assert_int_equal(json_text(json_member(body, "Text")).size, 8191);
	assert_true(str_equal(json_text(json_member(body, "Channel")), STR("whatsapp")));
	json_free(&body);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_the_agent_answers),
		cmocka_unit_test(the_agent_hands_over),
		cmocka_unit_test(nobody_takes_over),
		cmocka_unit_test(a_voicemail_is_a_missed_call),
		cmocka_unit_test(who_hangs_up_in_the_menu_is_missed),
		cmocka_unit_test(a_call_that_we_make),
		cmocka_unit_test(told_twice_is_told_once),
		cmocka_unit_test(a_withheld_number_is_a_call_too),
		cmocka_unit_test(a_text_is_no_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
