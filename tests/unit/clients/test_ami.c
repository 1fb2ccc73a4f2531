/* ami: a call through the manager interface, and every way in which a PBX can fail to make it. */
#include "ami.h"

#include "ami_peer.h"

struct world {
	struct loop *loop;
	struct ami_peer peer;
	struct ami_call call;
	struct ami_outcome outcome;
};

#define CHALLENGE "Response: Success\r\nActionID: @\r\nChallenge: 840415273\r\n\r\n"
#define WELCOME	  "Response: Success\r\nActionID: @\r\nMessage: Authentication accepted\r\n\r\n"
#define QUEUED	  "Response: Success\r\nActionID: @\r\nMessage: Originate successfully queued\r\n\r\n"
#define OUTCOME(response, reason)                                                                  \
	"Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: @\r\nResponse: " response    \
	"\r\nChannel: SIP/150\r\nReason: " reason "\r\nUniqueid: 1763740800.7\r\n\r\n"
#define NOISE                                                                                      \
	"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: SIP/150-0001\r\n\r\n"                \
	"Event: OriginateResponse\r\nActionID: of-another\r\nResponse: Failure\r\nReason: "        \
	"0\r\n\r\n"

static int set_up(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));

	world->loop = loop_new();
	ami_peer_open(&world->peer, world->loop);
	world->call = (struct ami_call){
		.address = "127.0.0.1",
		.port = world->peer.port,
		.user = STR("callweave"),
		.secret = STR("s3cret"),
		.channel = STR("SIP/150"),
		.context = STR("inoffice"),
		.extension = STR("375290000001"),
		.caller_name = STR("Ann"),
		.caller_number = STR("+375290000001"),
		.ring_ms = 20000,
		.wait_ms = 30000,
		.step_ms = 5000,
	};
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	flow_cancel_all(world->loop);
	ami_peer_close(&world->peer);
	loop_free(&world->loop);
	test_free(world);
	return 0;
}

/* -- one call as one flow -------------------------------------------------------------------------- */

static enum flow_status originate(struct flow *flow)
{
	struct world *world = flow_context(flow);

	return await_ami_originate(flow, &world->call, &world->outcome);
}

static void over(struct flow *flow)
{
	struct world *world = flow_context(flow);

	loop_stop(world->loop);
}

static const struct flow_step steps[] = {{"originate", originate}, {NULL, NULL}};
static const struct flow_spec caller = {
	.name = "caller", .steps = steps, .finally = over, .deadline_ms = 35000};

static void run(struct world *world)
{
	flow_start(world->loop, &caller, world, NULL);
	loop_test_run(world->loop);
}

static void must_end(struct world *world, enum ami_result result, const char *words)
{
	run(world);
	assert_string_equal(ami_result_name(world->outcome.result), ami_result_name(result));
	if (strstr(world->outcome.words, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", world->outcome.words, words);
}

static bool heard(const struct world *world, const char *text)
{
	const struct buf *heard = &world->peer.heard;

	return heard->size > 0 && memmem(heard->data, heard->size, text, strlen(text)) != NULL;
}

static void play(struct world *world, const char *a, const char *b, const char *c)
{
	world->peer.script[0] = a;
	world->peer.script[1] = b;
	world->peer.script[2] = c;
}

/* -- a call ---------------------------------------------------------------------------------------- */

static void a_call_that_is_answered(void **state)
{
	struct world *world = *state;

	play(world, CHALLENGE, WELCOME, QUEUED NOISE OUTCOME("Success", "4"));
	must_end(world, AMI_ANSWERED, "");
	assert_string_equal(world->outcome.unique_id, "1763740800.7");
	assert_int_equal(world->outcome.reason, 4);
	assert_true(heard(world, "Action: Originate\r\nChannel: SIP/150\r\nContext: inoffice\r\n"
				 "Exten: 375290000001\r\nPriority: 1\r\n"
				 "CallerID: \"Ann\" <+375290000001>\r\nTimeout: 20000\r\n"
				 "Async: true\r\nActionID: "));
	loop_test_run_for(world->loop, 50);
	assert_true(heard(world, "Action: Logoff\r\n"));
}

/* md5("840415273" "s3cret"): the secret itself never leaves. */
static void the_secret_does_not_cross_the_wire(void **state)
{
	struct world *world = *state;

	play(world, CHALLENGE, WELCOME, QUEUED OUTCOME("Success", "4"));
	must_end(world, AMI_ANSWERED, "");
	assert_true(heard(world, "AuthType: MD5\r\nUsername: callweave\r\n"
				 "Key: d7994fd8cd10e2224514d095d0fd3f7b\r\nEvents: call\r\n"));
	assert_false(heard(world, "s3cret"));
}

static void plain_login_only_when_asked_for(void **state)
{
	struct world *world = *state;

	world->call.plain = true;
	play(world, WELCOME, QUEUED OUTCOME("Success", "4"), NULL);
	must_end(world, AMI_ANSWERED, "");
	assert_true(heard(world, "Username: callweave\r\nSecret: s3cret\r\n"));
	assert_false(heard(world, "Challenge"));
}

static void in_pieces_it_is_the_same(void **state)
{
	struct world *world = *state;

	world->peer.piece = 1;
	play(world, CHALLENGE, WELCOME, QUEUED NOISE OUTCOME("Success", "4"));
	must_end(world, AMI_ANSWERED, "");
}

static void the_event_may_come_before_the_answer(void **state)
{
	struct world *world = *state;

	play(world, CHALLENGE, WELCOME, NOISE OUTCOME("Success", "4") QUEUED);
	must_end(world, AMI_ANSWERED, "");
}

static void reasons_of_failures(void **state)
{
	static const struct {
		const char *script;
		enum ami_result result;
	} cases[] = {
		{QUEUED OUTCOME("Failure", "0"), AMI_UNAVAILABLE},
		{QUEUED OUTCOME("Failure", "1"), AMI_NO_ANSWER},
		{QUEUED OUTCOME("Failure", "3"), AMI_NO_ANSWER},
		{QUEUED OUTCOME("Failure", "5"), AMI_BUSY},
		{QUEUED OUTCOME("Failure", "8"), AMI_UNAVAILABLE},
		{QUEUED OUTCOME("Failure", "99999999999999999999"), AMI_UNAVAILABLE},
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world->peer.line = 0;
		play(world, CHALLENGE, WELCOME, cases[i].script);
		must_end(world, cases[i].result, "");
	}
}

/* -- what is refused ------------------------------------------------------------------------------- */

static void a_wrong_secret(void **state)
{
	struct world *world = *state;

	play(world, CHALLENGE,
		"Response: Error\r\nActionID: @\r\nMessage: Authentication failed\r\n\r\n", NULL);
	must_end(world, AMI_DENIED, "Authentication failed");
	assert_false(heard(world, "Originate"));
}

static void no_challenge(void **state)
{
	struct world *world = *state;

	play(world, "Response: Error\r\nActionID: @\r\nMessage: Must specify AuthType\r\n\r\n",
		NULL, NULL);
	must_end(world, AMI_DENIED, "Must specify AuthType");
}

static void a_refused_originate(void **state)
{
	struct world *world = *state;

	play(world, CHALLENGE, WELCOME,
		"Response: Error\r\nActionID: @\r\nMessage: Permission denied\r\n\r\n");
	must_end(world, AMI_REFUSED, "Permission denied");
}

/* Whatever holds a line's end never leaves: nothing can be smuggled in as an action of its own. */
static void nothing_can_be_injected(void **state)
{
	static const struct str bad = {"1\r\nAction: Command\r\nCommand: x", 31};
	struct world *world = *state;
	struct str *const places[] = {&world->call.channel, &world->call.context,
		&world->call.extension, &world->call.caller_name, &world->call.caller_number};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct str good = *places[i];

		*places[i] = bad;
		world->peer.line = 0;
		play(world, CHALLENGE, WELCOME, QUEUED OUTCOME("Success", "4"));
		must_end(world, AMI_REFUSED, "holds a control character");
		assert_false(heard(world, "Originate"));
		assert_false(heard(world, "Command"));
		*places[i] = good;
	}
	world->call.user = STR("a\nb");
	world->peer.line = 0;
	must_end(world, AMI_REFUSED, "Username: holds a control character");
}

/* -- PBXs that are none, or do not behave --------------------------------------------------------------- */

static void nobody_listens(void **state)
{
	struct world *world = *state;

	world->call.port = 1; /* tcpmux: nobody has it */
	must_end(world, AMI_UNREACHABLE, "Connection refused");
	world->call.address = "pbx.example";
	must_end(world, AMI_UNREACHABLE, "not a numeric address");
}

static void silence_at_each_step(void **state)
{
	static const struct {
		const char *banner, *a, *b, *c;
		enum ami_result result;
		const char *words;
	} cases[] = {
		{NULL, NULL, NULL, NULL, AMI_UNREACHABLE, "does not answer as a manager"},
		{"Asterisk Call", NULL, NULL, NULL, AMI_UNREACHABLE, "does not answer as"},
		{"Asterisk Call Manager/5\r\n", "", NULL, NULL, AMI_UNREACHABLE, "does not answer"},
		{"Asterisk Call Manager/5\r\n", CHALLENGE, "", NULL, AMI_UNREACHABLE,
			"does not answer"},
		{"Asterisk Call Manager/5\r\n", CHALLENGE, WELCOME, "", AMI_UNKNOWN,
			"whether it takes the call"},
		{"Asterisk Call Manager/5\r\n", CHALLENGE, WELCOME, QUEUED, AMI_UNKNOWN,
			"what became of the call"},
	};
	struct world *world = *state;

	world->call.step_ms = 100;
	world->call.ring_ms = 50;
	world->call.wait_ms = 100;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world->peer.line = 0;
		world->peer.banner = cases[i].banner;
		play(world, cases[i].a, cases[i].b, cases[i].c);
		must_end(world, cases[i].result, cases[i].words);
	}
}

static void it_need_not_be_waited_for(void **state)
{
	struct world *world = *state;

	world->call.wait_ms = 0;
	play(world, CHALLENGE, WELCOME, QUEUED);
	must_end(world, AMI_RINGING, "");
}

static void a_connection_that_ends_at_each_step(void **state)
{
	static const struct {
		const char *a, *b, *c;
		enum ami_result result;
	} cases[] = {
		{NULL, NULL, NULL, AMI_UNREACHABLE},
		{"Response: Succ", NULL, NULL, AMI_UNREACHABLE},
		{CHALLENGE, NULL, NULL, AMI_UNREACHABLE},
		{CHALLENGE, WELCOME, NULL, AMI_UNREACHABLE},
		{CHALLENGE, WELCOME, "Event: OriginateResponse\r\nActionID: @\r\n", AMI_UNKNOWN},
		{CHALLENGE, WELCOME, QUEUED, AMI_UNKNOWN},
	};
	struct world *world = *state;

	world->peer.close_after_script = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world->peer.line = 0;
		play(world, cases[i].a, cases[i].b, cases[i].c);
		must_end(world, cases[i].result, "");
		assert_true(world->outcome.words[0] != '\0');
	}
}

static void somebody_else_listens_there(void **state)
{
	struct world *world = *state;

	world->peer.banner = "SSH-2.0-OpenSSH_9.2p1\r\n";
	must_end(world, AMI_UNREACHABLE, "is not Asterisk's manager interface");
	assert_null(world->peer.heard.data); /* nothing was said to it */
}

static void endless_text_is_cut_off(void **state)
{
	struct world *world = *state;
	size_t size = ((size_t)64 << 10) + 1000;
	char *endless = test_malloc(size + 1);

	memset(endless, 'x', size);
	endless[size] = '\0';
	world->peer.banner = endless;
	must_end(world, AMI_UNREACHABLE, "sends without end");
	world->peer.banner = "Asterisk Call Manager/5\r\n";
	play(world, endless, NULL, NULL);
	must_end(world, AMI_UNREACHABLE, "sends without end");
	test_free(endless);
}

/* The peer sees the connection close at once: no flow, no descriptor stays. */
static void a_cancelled_call_hangs_up(void **state)
{
	struct world *world = *state;
	struct flow *flow = flow_start(world->loop, &caller, world, NULL);

	play(world, CHALLENGE, WELCOME, QUEUED);
	loop_test_run_for(world->loop, 100);
	assert_true(heard(world, "Originate"));
	assert_true(world->peer.fd >= 0);
	flow_cancel(flow);
	loop_test_run_for(world->loop, 50);
	assert_int_equal(world->peer.fd, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_that_is_answered),
		TEST(the_secret_does_not_cross_the_wire),
		TEST(plain_login_only_when_asked_for),
		TEST(in_pieces_it_is_the_same),
		TEST(the_event_may_come_before_the_answer),
		TEST(reasons_of_failures),
		TEST(a_wrong_secret),
		TEST(no_challenge),
		TEST(a_refused_originate),
		TEST(nothing_can_be_injected),
		TEST(nobody_listens),
		TEST(silence_at_each_step),
		TEST(it_need_not_be_waited_for),
		TEST(a_connection_that_ends_at_each_step),
		TEST(somebody_else_listens_there),
		TEST(endless_text_is_cut_off),
		TEST(a_cancelled_call_hangs_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
