/*
 * test_call_fold: the fold's promises about time, limits, late events and versions, told as small
 * stories.
 */
#include "fold_story.h"

#define START(uid) "{'UniqueId':'" uid "','Phone':'375290000001','CallType':0,'Trunk':'0001363'}"
#define DIAL(uid)                                                                                  \
	"{'UniqueId':'" uid "','Phone':'375290000001','CallType':0,'Trunk':'0001363',"             \
	"'Extensions':['151','152']}"
#define BRIDGE_US(uid, bridge)                                                                     \
	"{'UniqueId':'" uid "','BridgeUniqueid':'" bridge "','Channel':'SIP/151-0001',"            \
	"'CallerIDNum':'151','ConnectedLineNum':'375290000001','Exten':''}"
#define BRIDGE_THEM(uid, bridge)                                                                   \
	"{'UniqueId':'" uid "','BridgeUniqueid':'" bridge "','Channel':'SIP/0001363-0002',"        \
	"'CallerIDNum':'375290000001','ConnectedLineNum':'151','Exten':'0001363'}"
#define HANGUP(uid, status)                                                                        \
	"{'UniqueId':'" uid "','Phone':'375290000001','CallType':0,'Trunk':'0001363',"             \
	"'Extensions':['151'],'CallStatus':'" status "','StartTime':'2025-09-14 12:00:00',"        \
	"'DateReceived':'2025-09-14 12:00:00','EndTime':'2025-09-14 12:01:00'}"

static void versions_grow_when_something_shows(void **state)
{
	struct story story = begin((struct call_fold_rules){0});
	int64_t id = feed(&story, EVENT_START, START("1.1"));
	unsigned version = found(&story, id)->version;

	(void)state;
	assert_int_equal(version, 1);
	assert_int_equal(found(&story, id)->state, CALL_GREETING);
	feed(&story, EVENT_NEW_CALLERID,
		"{'UniqueId':'1.1','Channel':'SIP/0001363-1','CallerIDNum':'375290000001'}");
	assert_int_equal(story.changes.count, 1); /* to be saved, not to be shown */
	assert_int_equal(found(&story, id)->version, version);
	feed(&story, EVENT_DIAL, DIAL("1.1"));
	assert_int_equal(found(&story, id)->version, version + 1);
	assert_int_equal(found(&story, id)->state, CALL_RINGING);
	feed(&story, EVENT_DIAL, DIAL("1.1"));
	assert_int_equal(found(&story, id)->version, version + 1);
	finish(&story);
}

static void some_events_begin_no_call(void **state)
{
	struct story story = begin((struct call_fold_rules){0});

	(void)state;
	feed(&story, EVENT_BRIDGE_CREATE, "{'UniqueId':'','BridgeUniqueid':'b1'}");
	feed(&story, EVENT_NEW_CALLERID, "{'UniqueId':'1.1','CallerIDNum':'375290000001'}");
	feed(&story, EVENT_BRIDGE_LEAVE, "{'UniqueId':'1.1','BridgeUniqueid':'b1'}");
	feed(&story, EVENT_BRIDGE_DESTROY, "{'UniqueId':'','BridgeUniqueid':'b1'}");
	feed(&story, EVENT_START, "{}");
	feed(&story, EVENT_DIAL, "{}");
	feed(&story, EVENT_BRIDGE, "{}");
	feed(&story, EVENT_HANGUP, "{}");
	/* What a click in a program leaves behind. */
	feed(&story, EVENT_HANGUP,
		"{'UniqueId':'1.7','Phone':'<unknown>','CallType':2,'CallStatus':'0',"
		"'Extensions':[''],'ExternalInitiated':true}");
	feed(&story, EVENT_HANGUP,
		"{'UniqueId':'1.8','Phone':'375290000001','CallType':2,'CallStatus':'2',"
		"'Extensions':['151'],'ExternalInitiated':true}");
	assert_int_equal(call_fold_remembered(story.fold), 0);
	assert_int_equal(story.changes.count, 0);
	finish(&story);
}

/* Greeting, ring, talk, hangup: and the words people get for each second of it. */
static int64_t answered_call(struct story *story)
{
	int64_t id = feed(story, EVENT_START, START("1.1"));

	story->at_ms += 5000;
	feed(story, EVENT_DIAL, DIAL("1.1"));
	story->at_ms += 15000;
	feed(story, EVENT_BRIDGE, BRIDGE_US("1.2", "b1"));
	feed(story, EVENT_BRIDGE, BRIDGE_THEM("1.1", "b1"));
	story->at_ms += 40000;
	return id;
}

static void seconds_are_counted_by_the_hosts_clock(void **state)
{
	struct story story = begin((struct call_fold_rules){0});
	int64_t id = answered_call(&story);

	(void)state;
	assert_int_equal(found(&story, id)->state, CALL_TALKING);
	assert_string_equal(found(&story, id)->talking, "151");
	assert_int_equal(call_talk_seconds(found(&story, id)), -1);
	feed(&story, EVENT_HANGUP, HANGUP("1.1", "2"));
	assert_int_equal(found(&story, id)->state, CALL_ENDED);
	assert_int_equal(found(&story, id)->started_ms, INT64_C(1757851200000));
	assert_int_equal(found(&story, id)->ended_ms, INT64_C(1757851260000));
	assert_int_equal(call_ring_seconds(found(&story, id)), 20);
	assert_int_equal(call_talk_seconds(found(&story, id)), 40);
	assert_string_equal(found(&story, id)->talking, "");
	finish(&story);
}

static void a_clock_that_lies_gives_no_negative_seconds(void **state)
{
	struct story story = begin((struct call_fold_rules){0});
	int64_t id = answered_call(&story);

	(void)state;
	feed(&story, EVENT_HANGUP,
		"{'UniqueId':'1.1','Phone':'375290000001','CallType':0,'CallStatus':'2',"
		"'StartTime':'2025-09-14 12:00:00','EndTime':'2025-09-14 11:00:00'}");
	assert_int_equal(found(&story, id)->ended_ms - found(&story, id)->started_ms, 60000);
	assert_int_equal(call_ring_seconds(found(&story, id)), 20);
	assert_int_equal(call_talk_seconds(found(&story, id)), 40);
	finish(&story);
}

static void a_talk_that_was_seen_is_never_missed(void **state)
{
	struct story story = begin((struct call_fold_rules){0});
	int64_t id = answered_call(&story);

	(void)state;
	feed(&story, EVENT_HANGUP, HANGUP("1.1", "0"));
	assert_true(found(&story, id)->answered);
	finish(&story);
}

static void late_events_are_late(void **state)
{
	struct story story = begin((struct call_fold_rules){0});
	int64_t id = answered_call(&story);
	unsigned version;

	(void)state;
	feed(&story, EVENT_HANGUP, HANGUP("1.1", "2"));
	version = found(&story, id)->version;
	story.at_ms += 9000;
	feed(&story, EVENT_HANGUP, HANGUP("1.1", "0"));
	feed(&story, EVENT_BRIDGE, BRIDGE_THEM("1.1", "b1"));
	feed(&story, EVENT_BRIDGE, BRIDGE_US("1.2", "b1"));
	feed(&story, EVENT_BRIDGE, BRIDGE_US("1.3", "b1"));
	feed(&story, EVENT_BRIDGE_LEAVE, BRIDGE_THEM("1.1", "b1"));
	feed(&story, EVENT_BRIDGE_DESTROY, "{'UniqueId':'','BridgeUniqueid':'b1'}");
	feed(&story, EVENT_DIAL, DIAL("1.1"));
	feed(&story, EVENT_START, START("1.1"));
	assert_int_equal(found(&story, id)->version, version);
	assert_int_equal(call_fold_remembered(story.fold), 1);
	finish(&story);
}

static void an_old_name_begins_a_new_call_later(void **state)
{
	struct story story = begin((struct call_fold_rules){0});
	int64_t id = answered_call(&story);
	int64_t next;

	(void)state;
	feed(&story, EVENT_HANGUP, HANGUP("1.1", "2"));
	story.at_ms += 10001;
	next = feed(&story, EVENT_START, START("1.1"));
	assert_int_equal(found(&story, next)->state, CALL_GREETING);
	assert_int_equal(found(&story, id)->state, CALL_ENDED);
	feed(&story, EVENT_HANGUP, HANGUP("1.1", "0"));
	assert_false(found(&story, next)->answered);
	assert_true(found(&story, id)->answered);
	finish(&story);
}

static void ended_calls_are_forgotten_in_time(void **state)
{
	struct story story = begin((struct call_fold_rules){.linger_ms = 60000});
	int64_t id = answered_call(&story);

	(void)state;
	feed(&story, EVENT_HANGUP, HANGUP("1.1", "2"));
	assert_int_equal(call_fold_open(story.fold), 0);
	assert_int_equal(call_fold_due_ms(story.fold), story.at_ms + 60000);
	call_fold_tick(story.fold, story.at_ms + 59999, &story.changes);
	assert_non_null(call_fold_find(story.fold, id));
	call_fold_tick(story.fold, story.at_ms + 60000, &story.changes);
	assert_null(call_fold_find(story.fold, id));
	assert_int_equal(call_fold_remembered(story.fold), 0);
	assert_int_equal(call_fold_due_ms(story.fold), INT64_MAX);
	finish(&story);
}

static void silence_makes_a_call_lost(void **state)
{
	struct story story = begin((struct call_fold_rules){.lost_ms = 60000});
	int64_t id = feed(&story, EVENT_DIAL, DIAL("1.1"));

	(void)state;
	assert_int_equal(call_fold_due_ms(story.fold), story.at_ms + 60000);
	call_fold_tick(story.fold, story.at_ms + 60000, &story.changes);
	assert_int_equal(story.changes.count, 1);
	assert_non_null(strstr(story.changes.items[0].reason, "lost"));
	assert_int_equal(found(&story, id)->state, CALL_LOST);
	assert_false(found(&story, id)->answered);
	assert_true(found(&story, id)->ended_ms == CALL_NO_TIME);
	finish(&story);
}

static void all_gone_without_hangup_is_an_end(void **state)
{
	struct story story = begin((struct call_fold_rules){.grace_ms = 1000});
	int64_t id = answered_call(&story);

	(void)state;
	feed(&story, EVENT_BRIDGE_LEAVE, BRIDGE_US("1.2", "b1"));
	feed(&story, EVENT_BRIDGE_LEAVE, BRIDGE_THEM("1.1", "b1"));
	assert_int_equal(call_fold_due_ms(story.fold), story.at_ms + 24 * 1000);
	/* It may be a transfer that rings: a bridge in time takes it up again. */
	story.at_ms += 20000;
	feed(&story, EVENT_BRIDGE, BRIDGE_THEM("1.1", "b2"));
	feed(&story, EVENT_BRIDGE, BRIDGE_US("1.2", "b2"));
	feed(&story, EVENT_BRIDGE_DESTROY, "{'UniqueId':'','BridgeUniqueid':'b2'}");
	call_fold_tick(story.fold, story.at_ms + 24 * 1000, &story.changes);
	assert_int_equal(found(&story, id)->state, CALL_ENDED);
	assert_true(found(&story, id)->answered);
	/* The hangup that comes after all brings the true times. */
	story.at_ms += 30000;
	feed(&story, EVENT_HANGUP, HANGUP("1.1", "2"));
	assert_int_equal(found(&story, id)->ended_ms, INT64_C(1757851260000));
	finish(&story);
}

static void too_many_open_calls_give_up_the_oldest(void **state)
{
	struct story story = begin((struct call_fold_rules){.max_open_calls = 10});
	char body[256];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(body, sizeof(body),
			"{'UniqueId':'1.%d','Phone':'37529%07d','CallType':0,'Trunk':'0001363'}", i,
			i);
		story.at_ms += 10;
		feed(&story, EVENT_START, body);
		assert_true(call_fold_open(story.fold) <= 10);
		assert_true(call_fold_remembered(story.fold) <= 30);
		if (i == 10) {
			assert_non_null(story.changes.warning);
			assert_int_equal(found(&story, 1)->state, CALL_LOST);
			assert_int_equal(found(&story, 2)->state, CALL_GREETING);
		}
	}
	finish(&story);
}

static void one_call_keeps_a_bounded_graph(void **state)
{
	struct story story = begin((struct call_fold_rules){0});
	int64_t id = answered_call(&story);
	char body[256];
	bool warned = false;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		snprintf(body, sizeof(body),
			"{'UniqueId':'9.%d','BridgeUniqueid':'x%d','CallerIDNum':'375290000001',"
			"'ConnectedLineNum':'151','Channel':'SIP/a-%d'}",
			i, i, i);
		feed(&story, EVENT_BRIDGE, body);
		warned = warned || story.changes.warning != NULL;
	}
	assert_true(warned);
	assert_true(found(&story, id)->unique_id_count <= CALL_MAX_NUMBERS);
	finish(&story);
}

/* Mobiles, wires and colleagues who do not answer, in turn. */
static enum call_event_type flood(int i, char body[256])
{
	if (i % 3 == 0)
		snprintf(body, 256,
			"{'UniqueId':'9.%d','Phone':'37533%07d','CallType':1,'Trunk':'0001366',"
			"'Extensions':['375290000001']}",
			i, i);
	else if (i % 3 == 1)
		snprintf(body, 256,
			"{'UniqueId':'8.%d','BridgeUniqueid':'x%d','Channel':'Local/152@d-%d;2',"
			"'CallerIDNum':'151','ConnectedLineNum':'152','Exten':'152'}",
			i, i, i);
	else
		snprintf(body, 256,
			"{'UniqueId':'7.%d','Phone':'151','CallType':2,'CallStatus':'0',"
			"'Extensions':['%d']}",
			i, 100 + i % 900);
	return i % 3 == 0 ? EVENT_DIAL : i % 3 == 1 ? EVENT_BRIDGE : EVENT_HANGUP;
}

/* Ten thousand legs in one call, and a quiet call beside it that notices nothing. */
static void a_flood_in_one_call_leaves_others_alone(void **state)
{
	struct story story = begin((struct call_fold_rules){0});
	int64_t id = answered_call(&story);
	int64_t other = feed(&story, EVENT_START,
		"{'UniqueId':'2.1','Phone':'375290000002','CallType':0,'Trunk':'0001363'}");
	unsigned version = found(&story, other)->version;
	char body[256];
	bool warned = false;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		enum call_event_type type = flood(i, body);

		feed(&story, type, body);
		warned = warned || story.changes.warning != NULL;
		assert_true(found(&story, id)->leg_count <= CALL_MAX_NUMBERS);
		assert_true(found(&story, id)->transfer_count <= CALL_MAX_TRANSFERS);
	}
	assert_true(warned);
	assert_true(call_fold_open(story.fold) <= 20000);
	assert_int_equal(found(&story, other)->version, version);
	feed(&story, EVENT_HANGUP, HANGUP("1.1", "2"));
	assert_int_equal(found(&story, id)->state, CALL_ENDED);
	assert_true(found(&story, id)->answered);
	feed(&story, EVENT_HANGUP,
		"{'UniqueId':'2.1','Phone':'375290000002','CallType':0,'CallStatus':'0'}");
	assert_int_equal(found(&story, other)->state, CALL_ENDED);
	assert_false(found(&story, other)->answered);
	finish(&story);
}

/* Who rang, who answered, who was silent when: by the host's clock once the call has ended. */
static void legs_have_their_moments(void **state)
{
	struct story story = begin((struct call_fold_rules){0});
	int64_t id = answered_call(&story);
	const struct call *call;

	(void)state;
	feed(&story, EVENT_HANGUP, HANGUP("1.1", "2"));
	call = found(&story, id);
	assert_int_equal(call->leg_count, 2);
	assert_string_equal(call->legs[0].number, "151");
	assert_int_equal(call->legs[0].ringing_ms, call->started_ms + 5000);
	assert_int_equal(call->legs[0].answered_ms, call->answered_ms);
	assert_int_equal(call->legs[0].ended_ms, call->ended_ms);
	assert_string_equal(call->legs[1].number, "152");
	assert_true(call->legs[1].answered_ms == CALL_NO_TIME);
	assert_int_equal(call->legs[1].ended_ms, call->answered_ms);
	finish(&story);
}

static void busy_lines_are_remembered(void **state)
{
	struct story story = begin((struct call_fold_rules){0});
	int64_t id = feed(&story, EVENT_DIAL,
		"{'UniqueId':'1.1','Phone':'375290000001','CallType':1,'Trunk':'0001363',"
		"'Extensions':['151']}");

	(void)state;
	assert_string_equal(found(&story, id)->line_first, "");
	feed(&story, EVENT_DIAL,
		"{'UniqueId':'1.1','Phone':'375290000001','CallType':1,'Trunk':'0001366',"
		"'Extensions':['151']}");
	assert_string_equal(found(&story, id)->line_first, "0001363");
	assert_string_equal(found(&story, id)->line, "0001366");
	assert_int_equal(found(&story, id)->lines.count, 2);
	finish(&story);
}

static void a_gateways_line_is_not_a_caller(void **state)
{
	struct story story = begin((struct call_fold_rules){0});
	int64_t id = feed(&story, EVENT_START,
		"{'UniqueId':'1.1','Phone':'0001363','CallType':0,'Trunk':'0001363'}");

	(void)state;
	assert_string_equal(found(&story, id)->external, "");
	feed(&story, EVENT_DIAL, DIAL("1.1"));
	assert_string_equal(found(&story, id)->external, "+375290000001");
	finish(&story);
}

static void a_trunk_is_not_an_extension(void **state)
{
	struct story story = begin((struct call_fold_rules){0});
	int64_t id = feed(&story, EVENT_DIAL,
		"{'UniqueId':'1.1','Phone':'375290000001','CallType':1,'Trunk':'3880004',"
		"'Extensions':['3880004']}");

	(void)state;
	assert_string_equal(found(&story, id)->caller, "");
	feed(&story, EVENT_BRIDGE,
		"{'UniqueId':'1.2','BridgeUniqueid':'b','Channel':'SIP/3880004-1',"
		"'CallerIDNum':'375290000001','ConnectedLineNum':'151','Exten':''}");
	feed(&story, EVENT_BRIDGE,
		"{'UniqueId':'1.1','BridgeUniqueid':'b','Channel':'SIP/151-1','CallerIDNum':'151',"
		"'Exten':'375290000001'}");
	assert_string_equal(found(&story, id)->caller, "151");
	assert_string_equal(found(&story, id)->talking, "151");
	finish(&story);
}

/* One person calls twice at once: bridges tell whose colleague is whose. */
static void calls_of_one_person_at_once_are_told_apart(void **state)
{
	struct story story = begin((struct call_fold_rules){0});
	int64_t first = feed(&story, EVENT_START, START("1.1"));
	int64_t second;

	(void)state;
	feed(&story, EVENT_DIAL, DIAL("1.1"));
	second = feed(&story, EVENT_START, START("2.1"));
	feed(&story, EVENT_DIAL, DIAL("2.1"));
	feed(&story, EVENT_BRIDGE, BRIDGE_US("1.2", "b1")); /* goes to the newer call at first */
	feed(&story, EVENT_BRIDGE, BRIDGE_THEM("1.1", "b1"));
	assert_int_equal(found(&story, first)->state, CALL_TALKING);
	assert_int_equal(found(&story, second)->state, CALL_RINGING);
	feed(&story, EVENT_HANGUP, HANGUP("1.1", "2"));
	feed(&story, EVENT_HANGUP, HANGUP("2.1", "0"));
	assert_true(found(&story, first)->answered);
	assert_false(found(&story, second)->answered);
	finish(&story);
}

static void broken_states_are_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"[]",
		"{}",
		"{\"id\":1}",
		"{\"id\":1,\"state\":9,\"started\":1,\"answered\":1,\"ended\":1,\"last\":1,"
		"\"closed\":1,"
		"\"talked\":1,\"idle\":1,\"left\":1,\"host_start\":1,\"host_end\":1}",
		"{\"id\":1,\"state\":3,\"started\":1,\"answered\":1,\"ended\":1,\"last\":1,"
		"\"closed\":1,"
		"\"talked\":1,\"idle\":1,\"left\":1,\"host_start\":1,\"host_end\":1,\"primary\":1}",
		"{\"id\":1,\"state\":3,\"started\":1,\"answered\":1,\"ended\":1,\"last\":1,"
		"\"closed\":1,"
		"\"talked\":1,\"idle\":1,\"left\":1,\"host_start\":1,\"host_end\":1,"
		"\"channels\":[{\"uid\":\"1\",\"bridge\":2}]}",
		"{\"id\":1,\"state\":3,\"started\":1,\"answered\":1,\"ended\":1,\"last\":1,"
		"\"closed\":1,"
		"\"talked\":1,\"idle\":1,\"left\":1,\"host_start\":1,\"host_end\":1,"
		"\"channels\":[{\"uid\":\"1\",\"twin\":1}]}",
		"{\"id\":1,\"state\":3,\"started\":1,\"answered\":1,\"ended\":1,"
		"\"last\":9000000000000000000,\"closed\":1,\"talked\":1,\"idle\":1,\"left\":1,"
		"\"host_start\":"
		"1,"
		"\"host_end\":1}",
	};
	struct story story = begin((struct call_fold_rules){0});
	struct buf saved;
	struct error error = {0};
	int64_t id = answered_call(&story);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(call_fold_load(story.fold, str_from(cases[i]), &error));
		assert_int_equal(error.kind, ERROR_INPUT);
	}
	buf_init(&saved, 65536);
	assert_true(call_fold_save(story.fold, id, &saved));
	assert_false(call_fold_load(story.fold, buf_str(&saved), &error));
	assert_int_equal(error.kind, ERROR_CONFLICT);
	assert_false(call_fold_save(story.fold, 12345, &saved));
	buf_free(&saved);
	finish(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_grow_when_something_shows),
		cmocka_unit_test(some_events_begin_no_call),
		cmocka_unit_test(seconds_are_counted_by_the_hosts_clock),
		cmocka_unit_test(a_clock_that_lies_gives_no_negative_seconds),
		cmocka_unit_test(a_talk_that_was_seen_is_never_missed),
		cmocka_unit_test(late_events_are_late),
		cmocka_unit_test(an_old_name_begins_a_new_call_later),
		cmocka_unit_test(ended_calls_are_forgotten_in_time),
		cmocka_unit_test(silence_makes_a_call_lost),
		cmocka_unit_test(all_gone_without_hangup_is_an_end),
		cmocka_unit_test(too_many_open_calls_give_up_the_oldest),
		cmocka_unit_test(one_call_keeps_a_bounded_graph),
		cmocka_unit_test(a_flood_in_one_call_leaves_others_alone),
		cmocka_unit_test(legs_have_their_moments),
		cmocka_unit_test(busy_lines_are_remembered),
		cmocka_unit_test(a_gateways_line_is_not_a_caller),
		cmocka_unit_test(a_trunk_is_not_an_extension),
		cmocka_unit_test(calls_of_one_person_at_once_are_told_apart),
		cmocka_unit_test(broken_states_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
