/*
 * test_fold_numbers: whatever spelling of a caller's number the events of a call carry, it is one
 * person in one call; and numbers that are dialled, hidden, or a line's stay what they are.
 */
#include "fold_story.h"

struct office {
	struct story story;
	struct number_rules *rules;
};

static struct number_rules *rules_with(const char *transform)
{
	struct number_rules *rules = number_rules_new();
	struct error error;

	number_rules_add_extension(rules, STR("20015"));
	assert_true(number_rules_add_line(rules, STR("3880003"), str_from(transform), &error));
	assert_true(number_rules_add_line(rules, STR("0001363"), STR(""), &error));
	return rules;
}

static struct office open_office(const char *transform)
{
	struct number_rules *rules = rules_with(transform);

	return (struct office){
		.story = begin((struct call_fold_rules){.numbers = rules}), .rules = rules};
}

static void close_office(struct office *office)
{
	finish(&office->story);
	number_rules_free(&office->rules);
}

/* Another set of rules, as a reload of the directory does it. */
static void change_rules(struct office *office, const char *transform)
{
	struct number_rules *rules = rules_with(transform);

	call_fold_retire_numbers(office->story.fold);
	number_rules_free(&office->rules);
	office->rules = rules;
	call_fold_set_numbers(office->story.fold, "BY", rules);
}

#define IN(uid, phone)                                                                             \
	"{'UniqueId':'" uid "','Phone':'" phone "','CallType':0,'Trunk':'3880003',"                \
	"'Extensions':['151']}"
#define IN_THEM(uid, bridge, phone)                                                                \
	"{'UniqueId':'" uid "','BridgeUniqueid':'" bridge "','Channel':'SIP/3880003-0002',"        \
	"'CallerIDNum':'" phone "','ConnectedLineNum':'151','Exten':'3880003'}"
#define IN_US(uid, bridge, phone)                                                                  \
	"{'UniqueId':'" uid "','BridgeUniqueid':'" bridge "','Channel':'SIP/151-0001',"            \
	"'CallerIDNum':'151','ConnectedLineNum':'" phone "','Exten':''}"
#define IN_HANGUP(uid, phone)                                                                      \
	"{'UniqueId':'" uid "','Phone':'" phone "','CallType':0,'Trunk':'3880003',"                \
	"'Extensions':['151'],'CallStatus':'2'}"

/* The line sends 9290001122; start and dial name it, bridges do not, and all mean one person. */
static void all_events_of_a_call_mean_one_person(void **state)
{
	struct office office = open_office("+375{9}");
	struct story *story = &office.story;
	int64_t id = feed(story, EVENT_START, IN("1.1", "9290001122"));

	(void)state;
	assert_string_equal(found(story, id)->external, "+375290001122");
	feed(story, EVENT_DIAL, IN("1.1", "9290001122"));
	/* Our phone's channel has an id that only the caller's number ties to the call. */
	feed(story, EVENT_BRIDGE, IN_US("1.2", "b1", "9290001122"));
	assert_int_equal(call_fold_open(story->fold), 1);
	feed(story, EVENT_BRIDGE, IN_THEM("1.1", "b1", "9290001122"));
	assert_int_equal(call_fold_open(story->fold), 1);
	assert_string_equal(found(story, id)->talking, "151");
	feed(story, EVENT_HANGUP, IN_HANGUP("1.1", "9290001122"));
	assert_int_equal(call_fold_remembered(story->fold), 1);
	assert_int_equal(found(story, id)->state, CALL_ENDED);
	assert_true(found(story, id)->answered);
	assert_string_equal(found(story, id)->external, "+375290001122");
	close_office(&office);
}

/* The same events without a rule: two numbers that nobody can tell to be one. */
static void a_line_without_a_rule_is_left_alone(void **state)
{
	struct office office = open_office("");
	int64_t id = feed(&office.story, EVENT_START, IN("1.1", "9290001122"));

	(void)state;
	assert_string_equal(found(&office.story, id)->external, "+9290001122");
	close_office(&office);
}

/* facts/pbx-events.md 5.1, acceptance: +029... and 8029... on that line. */
static void national_spellings_on_a_line_with_a_rule(void **state)
{
	static const char *const spelled[] = {
		IN("1.1", "+0290001122"), IN("1.1", "80290001122"), IN("1.1", "290001122")};

	(void)state;
	for (size_t i = 0; i < sizeof(spelled) / sizeof(spelled[0]); i++) {
		struct office office = open_office("+375{9}");
		int64_t id = feed(&office.story, EVENT_START, spelled[i]);

		assert_string_equal(found(&office.story, id)->external, "+375290001122");
		close_office(&office);
	}
}

/* Bridges may come before the start that names the line. */
static void the_line_may_be_learned_after_the_number(void **state)
{
	struct office office = open_office("+375{9}");
	struct story *story = &office.story;
	int64_t id = feed(story, EVENT_BRIDGE, IN_US("1.2", "b1", "9290001122"));

	(void)state;
	feed(story, EVENT_BRIDGE, IN_THEM("1.1", "b1", "9290001122"));
	feed(story, EVENT_START, IN("1.1", "9290001122"));
	feed(story, EVENT_DIAL, IN("1.1", "9290001122"));
	assert_int_equal(call_fold_open(story->fold), 1);
	assert_string_equal(found(story, id)->external, "+375290001122");
	assert_string_equal(found(story, id)->talking, "151");
	feed(story, EVENT_HANGUP, IN_HANGUP("1.1", "9290001122"));
	assert_int_equal(call_fold_remembered(story->fold), 1);
	assert_true(found(story, id)->answered);
	close_office(&office);
}

/* An international number over the same line, with the same last digits as nobody's. */
static void outgoing_numbers_are_not_touched(void **state)
{
	struct office office = open_office("+375{9}");
	struct story *story = &office.story;
	int64_t in = feed(story, EVENT_START, IN("1.1", "9290001122"));
	int64_t out = feed(story, EVENT_DIAL,
		"{'UniqueId':'2.1','Phone':'+48290001122','CallType':1,'Trunk':'3880003',"
		"'Extensions':['152']}");

	(void)state;
	assert_string_equal(found(story, out)->external, "+48290001122");
	feed(story, EVENT_BRIDGE,
		"{'UniqueId':'2.1','BridgeUniqueid':'b2','Channel':'SIP/152-0001',"
		"'CallerIDNum':'152','ConnectedLineNum':'48290001122','Exten':'48290001122'}");
	feed(story, EVENT_BRIDGE,
		"{'UniqueId':'2.2','BridgeUniqueid':'b2','Channel':'SIP/3880003-0001',"
		"'CallerIDNum':'48290001122','ConnectedLineNum':'152','Exten':''}");
	assert_string_equal(found(story, out)->talking, "152");
	assert_string_equal(found(story, out)->external, "+48290001122");
	assert_int_equal(found(story, in)->state, CALL_GREETING);
	assert_int_equal(call_fold_open(story->fold), 2);
	close_office(&office);
}

/* A call that came in and rings. */
static int64_t rung(struct story *story)
{
	int64_t id = feed(story, EVENT_START, IN("1.1", "9290001122"));

	feed(story, EVENT_DIAL, IN("1.1", "9290001122"));
	return id;
}

/* The mobile that is rung for the call names the caller as the line sent him. */
static void a_mobile_leg_names_the_caller_raw(void **state)
{
	struct office office = open_office("+375{9}");
	struct story *story = &office.story;
	int64_t id = rung(story);

	(void)state;
	feed(story, EVENT_DIAL,
		"{'UniqueId':'1.5','Phone':'375296667788','CallType':1,'Trunk':'0001363',"
		"'Extensions':['9290001122']}");
	assert_int_equal(call_fold_open(story->fold), 1);
	assert_int_equal(found(story, id)->direction, CALL_INCOMING);
	close_office(&office);
}

static void rules_change_under_an_open_call(void **state)
{
	struct office office = open_office("+375{9}");
	struct story *story = &office.story;
	int64_t id = rung(story);

	(void)state;
	change_rules(&office, "+7{10}");
	feed(story, EVENT_BRIDGE, IN_US("1.2", "b1", "9290001122"));
	assert_int_equal(call_fold_open(story->fold), 1);
	feed(story, EVENT_BRIDGE, IN_THEM("1.1", "b1", "9290001122"));
	assert_int_equal(call_fold_open(story->fold), 1);
	assert_string_equal(found(story, id)->talking, "151");
	feed(story, EVENT_HANGUP, IN_HANGUP("1.1", "9290001122"));
	assert_int_equal(call_fold_remembered(story->fold), 1);
	assert_string_equal(found(story, id)->external, "+375290001122");
	/* The next call is spelled anew. */
	id = feed(story, EVENT_START, IN("9.1", "9261234567"));
	assert_string_equal(found(story, id)->external, "+79261234567");
	close_office(&office);
}

static void a_hidden_number_is_nobody(void **state)
{
	static const char *const hidden[] = {IN("1.1", "anonymous"), IN("1.1", "<unknown>"),
		IN("1.1", "+000123456789"), IN("1.1", "000000000"), IN("1.1", "")};

	(void)state;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		struct office office = open_office("+375{9}");
		int64_t id = feed(&office.story, EVENT_START, hidden[i]);

		feed(&office.story, EVENT_DIAL, hidden[i]);
		assert_string_equal(found(&office.story, id)->external, "");
		assert_int_equal(found(&office.story, id)->direction, CALL_INCOMING);
		close_office(&office);
	}
}

/* Some gateways put the line where the caller should be. */
static void a_line_is_not_the_caller(void **state)
{
	struct office office = open_office("+375{9}");
	struct story *story = &office.story;
	int64_t id = feed(story, EVENT_START,
		"{'UniqueId':'1.1','Phone':'3880003','CallType':0,'Trunk':'3880003'}");

	(void)state;
	assert_string_equal(found(story, id)->external, "");
	feed(story, EVENT_DIAL, IN("1.1", "0290001122"));
	assert_string_equal(found(story, id)->external, "+375290001122");
	close_office(&office);
}

/* Five digits, and yet one of us: because the enterprise says so. */
static void own_extensions_of_any_length_are_internal(void **state)
{
	struct office office = open_office("");
	struct story *story = &office.story;
	int64_t id = feed(story, EVENT_DIAL,
		"{'UniqueId':'1.1','Phone':'20015','CallType':2,'Extensions':['152']}");
	int64_t other;

	(void)state;
	assert_int_equal(found(story, id)->direction, CALL_INTERNAL);
	assert_string_equal(found(story, id)->caller, "20015");
	assert_string_equal(found(story, id)->external, "");
	other = feed(story, EVENT_DIAL,
		"{'UniqueId':'2.1','Phone':'20016','CallType':0,'Trunk':'0001363',"
		"'Extensions':['20015']}");
	assert_int_equal(found(story, other)->direction, CALL_INCOMING);
	assert_string_equal(found(story, other)->external, "20016");
	assert_int_equal(found(story, other)->rang.count, 1);
	assert_string_equal(found(story, other)->rang.items[0], "20015");
	close_office(&office);
}

/* facts/pbx-events.md L30: lines with "fromusername" send their own id where the extension should be. */
static void the_trunk_among_the_extensions_is_passed_over(void **state)
{
	struct office office = open_office("");
	struct story *story = &office.story;
	int64_t id = feed(story, EVENT_DIAL,
		"{'UniqueId':'1.1','Phone':'375290001122','CallType':1,'Trunk':'3880003',"
		"'Extensions':['3880003','152']}");

	(void)state;
	assert_string_equal(found(story, id)->caller, "152");
	feed(story, EVENT_HANGUP,
		"{'UniqueId':'1.1','Phone':'375290001122','CallType':1,'Trunk':'3880003',"
		"'Extensions':['3880003'],'CallStatus':'2'}");
	assert_string_equal(found(story, id)->caller, "152");
	assert_int_equal(found(story, id)->talkers.count, 1);
	assert_string_equal(found(story, id)->talkers.items[0], "152");
	close_office(&office);
}

/* A host-wide flag that leaks to its neighbours: the call is what it would be without it. */
static void the_web_flag_is_a_hint_only(void **state)
{
	static const char *const flags[] = {"", ",'ExternalInitiated':true"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct office office = open_office("");
		struct story *story = &office.story;
		char text[512];
		int64_t id;

		snprintf(text, sizeof(text),
			"{'UniqueId':'1.1','Phone':'375290001122','CallType':0,'Trunk':'0001363',"
			"'Extensions':['151']%s}",
			flags[i]);
		id = feed(story, EVENT_DIAL, text);
		snprintf(text, sizeof(text),
			"{'UniqueId':'1.1','Phone':'375290001122','CallType':0,'Trunk':'0001363',"
			"'Extensions':['151'],'CallStatus':'0'%s}",
			flags[i]);
		feed(story, EVENT_HANGUP, text);
		assert_int_equal(found(story, id)->direction, CALL_INCOMING);
		assert_int_equal(found(story, id)->state, CALL_ENDED);
		assert_false(found(story, id)->answered);
		assert_string_equal(found(story, id)->external, "+375290001122");
		/* An internal call that was begun by a program is one all the same (L16). */
		id = feed(story, EVENT_HANGUP,
			i == 0 ? "{'UniqueId':'5.1','Phone':'151','CallType':2,'CallStatus':'2',"
				 "'Extensions':['152']}"
			       : "{'UniqueId':'5.1','Phone':'151','CallType':2,'CallStatus':'2',"
				 "'Extensions':['152'],'ExternalInitiated':true}");
		assert_int_equal(found(story, id)->direction, CALL_INTERNAL);
		assert_true(found(story, id)->answered);
		close_office(&office);
	}
}

static void a_renamed_customer_is_a_new_version(void **state)
{
	struct office office = open_office("");
	struct story *story = &office.story;
	int64_t id = feed(story, EVENT_START, IN("1.1", "375290001122"));
	unsigned version = found(story, id)->version;

	(void)state;
	assert_true(call_fold_renew(story->fold, id, "another name", &story->changes));
	assert_int_equal(story->changes.count, 1);
	assert_string_equal(story->changes.items[0].reason, "another name");
	assert_int_equal(found(story, id)->version, version + 1);
	feed(story, EVENT_HANGUP, IN_HANGUP("1.1", "375290001122"));
	assert_false(call_fold_renew(story->fold, id, "another name", &story->changes));
	assert_false(call_fold_renew(story->fold, 999, "another name", &story->changes));
	assert_int_equal(story->changes.count, 0);
	assert_true(call_fold_has(story->fold, id));
	assert_false(call_fold_has(story->fold, 999));
	close_office(&office);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_events_of_a_call_mean_one_person),
		cmocka_unit_test(a_line_without_a_rule_is_left_alone),
		cmocka_unit_test(national_spellings_on_a_line_with_a_rule),
		cmocka_unit_test(the_line_may_be_learned_after_the_number),
		cmocka_unit_test(outgoing_numbers_are_not_touched),
		cmocka_unit_test(a_mobile_leg_names_the_caller_raw),
		cmocka_unit_test(rules_change_under_an_open_call),
		cmocka_unit_test(a_hidden_number_is_nobody),
		cmocka_unit_test(a_line_is_not_the_caller),
		cmocka_unit_test(own_extensions_of_any_length_are_internal),
		cmocka_unit_test(the_trunk_among_the_extensions_is_passed_over),
		cmocka_unit_test(the_web_flag_is_a_hint_only),
		cmocka_unit_test(a_renamed_customer_is_a_new_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
