/*
 * test_fold_stories: scenarios of the catalogue that were never recorded, put together from what
 * the recorded ones show of the same PBX.
 *
 * One event a line: its kind, its UniqueId, then fields. EXT calls or is called, MOB is a
 * manager's mobile. Two seconds pass between lines.
 */
#include "fold_corpus.h"

#define EXT "375290000001"
#define MOB "375290000900"

/* Pieces that many stories share. */
#define RINGS_IN                                                                                   \
	"start 1 ct=0 p=" EXT " t=0001363\n"                                                       \
	"dial 1 ct=0 p=" EXT " t=0001363 e=150,151,152\n"
#define TALKS_IN                                                                                   \
	"bridge 1 b=b1 ch=SIP/0001363-1 num=" EXT " conn=151 x=0001363\n"                          \
	"bridge 2 b=b1 ch=SIP/151-2 num=151 conn=" EXT "\n"
#define RINGS_OUT "dial 1 ct=1 p=" EXT " t=0001363 e=151\n"
#define TALKS_OUT                                                                                  \
	"bridge 2 b=b1 ch=SIP/0001363-2 num=" EXT " conn=151\n"                                    \
	"bridge 1 b=b1 ch=SIP/151-1 num=151 x=" EXT "\n"
/* 151 asks 152 while the other side waits in b1. */
#define ASKS_152                                                                                   \
	"new_callerid 3 ch=Local/152@d-0;2 num=151 x=152\n"                                        \
	"new_callerid 4 ch=Local/152@d-0;1 num=152 conn=151 x=152\n"
#define ANSWERS_152                                                                                \
	"bridge 3 b=b3 ch=Local/152@d-0;2 num=151 conn=152 x=152\n"                                \
	"bridge 5 b=b3 ch=SIP/152-5 num=152 conn=151\n"
/* The mobile of a group or of FollowMe is rung through a Local channel. */
#define RINGS_MOBILE                                                                               \
	"new_callerid 6 ch=Local/" MOB "@e-0;1 num=0001363 conn=" EXT "\n"                         \
	"new_callerid 7 ch=Local/" MOB "@e-0;2 num=" EXT " conn=0001363 x=" MOB "\n"               \
	"dial 7 ct=1 p=" MOB " t=0001366 e=" EXT "\n"
#define TALKS_ON_MOBILE                                                                            \
	"bridge 8 b=b5 ch=SIP/0001366-8 num=" MOB " conn=" EXT "\n"                                \
	"bridge 7 b=b5 ch=Local/" MOB "@e-0;2 num=" EXT " x=" MOB "\n"                             \
	"bridge 1 b=b6 ch=SIP/0001363-1 num=" EXT " x=0001363\n"                                   \
	"bridge 6 b=b6 ch=Local/" MOB "@e-0;1 num=0001363 conn=" EXT "\n"

static const struct {
	const char *name, *events, *calls; /* each call a line */
} stories[] = {
	{"1-4: attended transfer of an outgoing call, 151 leaves, they talk on",
		RINGS_OUT TALKS_OUT ASKS_152 ANSWERS_152
		"bridge_leave 1 b=b1\n"
		"bridge 4 b=b1 ch=Local/152@d-0;1 num=152 conn=151 x=152\n"
		"bridge 2 b=b3 ch=SIP/0001363-2 num=" EXT " conn=152\n"
		"hangup 1 ct=1 cs=2 p=" EXT " t=0001363 e=151\n"
		"hangup 3 ct=2 cs=2 p=" EXT " e=152\n"
		"bridge_leave 5 b=b3\nbridge_leave 2 b=b3\nbridge_destroy - b=b3\n",
		"outgoing ended answered +" EXT
		" 0001363 talkers=151,152 151>152 attended accepted\n"},
	{"1-4: the wire's hangup is no end: 152 asks 153, who does not answer",
		RINGS_OUT TALKS_OUT ASKS_152 ANSWERS_152
		"bridge_leave 1 b=b1\n"
		"bridge 4 b=b1 ch=Local/152@d-0;1 num=152 conn=151 x=152\n"
		"hangup 1 ct=1 cs=2 p=" EXT " t=0001363 e=151\n"
		"bridge 2 b=b3 ch=SIP/0001363-2 num=" EXT " conn=152\n"
		"hangup 3 ct=2 cs=2 p=" EXT " e=152\n"
		"bridge 5 b=b3 ch=SIP/152-5 num=152 conn=153\n"
		"hangup 8 ct=2 cs=0 p=152 e=153\n"
		"bridge_leave 5 b=b3\nbridge_leave 2 b=b3\n",
		"outgoing ended answered +" EXT
		" 0001363 talkers=151,152 151>152 attended accepted 152>153 attended unanswered\n"},
	{"1-4: no other hangup comes: the end is when all have left",
		RINGS_OUT TALKS_OUT ASKS_152 ANSWERS_152
		"bridge_leave 1 b=b1\n"
		"bridge 2 b=b3 ch=SIP/0001363-2 num=" EXT " conn=152\n"
		"hangup 1 ct=1 cs=2 p=" EXT " t=0001363 e=151\n"
		"bridge_leave 5 b=b3\nbridge_leave 2 b=b3\n",
		"outgoing ended answered +" EXT
		" 0001363 talkers=151,152 151>152 attended accepted\n"},
	{"1-7: blind transfer of an outgoing call, nobody answers",
		RINGS_OUT TALKS_OUT "bridge_leave 1 b=b1\nbridge_leave 2 b=b1\n"
				    "new_callerid 3 ch=SIP/152-3 num=152 conn=" EXT " x=152\n"
				    "hangup 1 ct=1 cs=2 p=" EXT " t=0001363 e=151\n"
				    "hangup 2 ct=2 cs=0 p=" EXT " e=152\n",
		"outgoing ended answered +" EXT " 0001363 talkers=151 151>152 blind unanswered\n"},
	{"1-7 without new_callerid",
		RINGS_OUT TALKS_OUT "hangup 1 ct=1 cs=2 p=" EXT " t=0001363 e=151\n"
				    "hangup 2 ct=2 cs=0 p=" EXT " e=152\n",
		"outgoing ended answered +" EXT " 0001363 talkers=151 151>152 blind unanswered\n"},
	{"1-11: a direction that is not allowed", "hangup 1 ct=1 cs=0 p=79260000001 e=151\n",
		"outgoing ended missed +79260000001  talkers=\n"},
	{"2-8: group and mobile, answered here, attended transfer accepted",
		RINGS_IN RINGS_MOBILE TALKS_IN
		"hangup 7 ct=1 cs=0 p=" MOB " t=0001366 e=" EXT "\n" ASKS_152 ANSWERS_152
		"bridge 4 b=b1 ch=Local/152@d-0;1 num=152 conn=151 x=152\n"
		"bridge 1 b=b3 ch=SIP/0001363-1 num=" EXT " conn=152 x=0001363\n"
		"hangup 3 ct=2 cs=2 p=" EXT " e=152\n"
		"hangup 1 ct=0 cs=2 p=" EXT " t=0001363 e=151\n",
		"incoming ended answered +" EXT
		" 0001363 talkers=151,152 151>152 attended accepted\n"},
	{"2-9: attended transfer, the colleague is absent",
		RINGS_IN TALKS_IN ASKS_152 "hangup 3 ct=2 cs=0 p=151 e=152\n"
					   "bridge 2 b=b1 ch=SIP/151-2 num=151 conn=152\n"
					   "hangup 1 ct=0 cs=2 p=" EXT " t=0001363 e=151\n",
		"incoming ended answered +" EXT
		" 0001363 talkers=151 151>152 attended unanswered\n"},
	{"2-11: blind transfer that nobody answers",
		RINGS_IN TALKS_IN "bridge_leave 2 b=b1\nbridge_leave 1 b=b1\n"
				  "hangup 1 ct=2 cs=0 p=" EXT " e=152\n",
		"incoming ended answered +" EXT " 0001363 talkers=151 151>152 blind unanswered\n"},
	{"2-14: a cascade that the mobile answers; the call's own hangup never comes",
		"start 1 ct=0 p=" EXT " t=0001363\n"
		"dial 1 ct=0 p=" EXT " t=0001363 e=150\n"
		"dial 1 ct=0 p=" EXT " t=0001363 e=152," MOB "\n" RINGS_MOBILE TALKS_ON_MOBILE
		"hangup 7 ct=1 cs=2 p=" MOB " t=0001366\n",
		"incoming ended answered +" EXT " 0001363 talkers=" MOB "\n"},
	{"2-14, and no bridge was seen",
		RINGS_IN RINGS_MOBILE "hangup 7 ct=1 cs=2 p=" MOB " t=0001366\n",
		"incoming ended answered +" EXT " 0001363 talkers=" MOB "\n"},
	{"2-19: blind to 152, who talks with a colleague and takes the second call",
		"bridge 20 b=z ch=SIP/152-20 num=152 conn=160 x=160\n"
		"bridge 21 b=z ch=SIP/160-21 num=160 conn=152\n" RINGS_IN TALKS_IN
		"bridge_leave 2 b=b1\nbridge_leave 1 b=b1\n"
		"bridge 9 b=b2 ch=SIP/152-9 num=152 conn=" EXT "\n"
		"bridge 1 b=b2 ch=SIP/0001363-1 num=" EXT " conn=152 x=152\n"
		"hangup 20 ct=2 cs=2 p=152 e=160\n"
		"hangup 1 ct=2 cs=2 p=" EXT " e=152\n",
		"internal ended answered   talkers=160\n"
		"incoming ended answered +" EXT
		" 0001363 talkers=151,152 151>152 blind accepted\n"},
	{"2-24: FollowMe, the mobile answers 151 and declines",
		RINGS_IN TALKS_IN "new_callerid 3 ch=Local/300@d-1;2 num=151 x=300\n"
				  "bridge_leave 2 b=b1\n"
				  "bridge 2 b=b2 ch=SIP/151-2 num=151 conn=" EXT "\n"
				  "dial 7 ct=1 p=" MOB " t=0001366 e=151\n"
				  "bridge 7 b=b3 ch=Local/" MOB "@e-0;2 num=151 conn=300 x=" MOB
				  "\n"
				  "bridge 8 b=b3 ch=SIP/0001366-8 num=" MOB " conn=151\n"
				  "bridge_leave 8 b=b3\nbridge_leave 7 b=b3\n"
				  "hangup 7 ct=1 cs=2 p=" MOB " t=0001366 e=151\n"
				  "bridge 2 b=b1 ch=SIP/151-2 num=151 conn=300\n"
				  "hangup 1 ct=0 cs=2 p=" EXT " t=0001363 e=151\n",
		"incoming ended answered +" EXT " 0001363 talkers=151 151>300 attended refused\n"},
	{"2-28: blind to FollowMe, the mobile answers; the call's own hangup never comes",
		RINGS_IN TALKS_IN "bridge_leave 1 b=b1\nbridge_leave 2 b=b1\n"
				  "dial 1 ct=0 p=" EXT " t=0001363 e=300\n"
				  "dial 1 ct=0 p=" EXT " t=0001363 e=300," MOB
				  "\n" RINGS_MOBILE TALKS_ON_MOBILE "hangup 7 ct=1 cs=2 p=" MOB
				  " t=0001366\n",
		"incoming ended answered +" EXT " 0001363 talkers=151," MOB
		" 151>300 blind accepted\n"},
	{"3-3: a department, 150 answers",
		"bridge 1 b=b1 ch=SIP/152-1 num=152 conn=901 x=901\n"
		"bridge 2 b=b1 ch=SIP/150-2 num=150 conn=152\n"
		"hangup 1 ct=0 cs=2 p=152 e=150 !=1\n",
		"internal ended answered   talkers=150\n"},
	{"3-4: a department, nobody answers", "hangup 1 ct=0 cs=0 p=152 !=1\n",
		"internal ended missed   talkers=\n"},
	{"a phone's own attended transfer: the consultation was a call of its own",
		RINGS_IN TALKS_IN "bridge 10 b=b9 ch=SIP/151-10 num=151 conn=152 x=152\n"
				  "bridge 11 b=b9 ch=SIP/152-11 num=152 conn=151\n"
				  "bridge 1 b=b9 ch=SIP/0001363-1 num=" EXT " conn=152 x=0001363\n"
				  "bridge_leave 10 b=b9\n"
				  "hangup 1 ct=0 cs=2 p=" EXT " t=0001363 e=151\n",
		"incoming ended answered +" EXT
		" 0001363 talkers=151,152 151>152 attended accepted\n"},
	{"a hidden number that hangs up in the greeting",
		"start 1 ct=0 t=0001363\nhangup 1 ct=0 cs=0 t=0001363\n",
		"incoming ended missed  0001363 talkers=\n"},
	{"the hangup overtakes the dial",
		"start 1 ct=0 p=" EXT " t=0001363\n"
		"hangup 1 ct=0 cs=0 p=" EXT " t=0001363\n"
		"dial 1 ct=0 p=" EXT " t=0001363 e=150,151\n",
		"incoming ended missed +" EXT " 0001363 talkers=\n"},
	{"a stranger's internal call is not a consultation",
		RINGS_IN TALKS_IN "hangup 30 ct=2 cs=0 p=160 e=161\n"
				  "hangup 1 ct=0 cs=2 p=" EXT " t=0001363 e=151\n",
		"incoming ended answered +" EXT " 0001363 talkers=151\n"
		"internal ended missed   talkers=\n"},
};

/* "p=375290000001" as a member of the body. */
static void add_field(struct buf *to, struct str field)
{
	static const char *const names[][2] = {{"p", "Phone"}, {"t", "Trunk"}, {"ct", "CallType"},
		{"cs", "CallStatus"}, {"b", "BridgeUniqueid"}, {"ch", "Channel"},
		{"num", "CallerIDNum"}, {"conn", "ConnectedLineNum"}, {"x", "Exten"},
		{"e", "Extensions"}, {"!", "ExternalInitiated"}};
	struct str value = field;
	struct str name = str_cut(&value, '=');

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_equal(name, str_from(names[i][0])))
			buf_printf(to, ",\"%s\":\"%.*s\"", names[i][1], STR_ARG(value));
	}
}

static struct call_event event_of(struct str line, struct arena *arena)
{
	enum call_event_type type;
	struct call_event event;
	struct error error = {0};
	struct json *json;
	struct buf body;
	struct str uid;

	assert_true(call_event_type_from(str_cut(&line, ' '), &type));
	uid = str_cut(&line, ' ');
	buf_init(&body, 4096);
	buf_printf(&body, "{\"UniqueId\":\"%.*s\"", STR_ARG(uid));
	while (line.size > 0)
		add_field(&body, str_cut(&line, ' '));
	buf_printf(&body, "}");
	/* Lists are written with commas here and with & on the wire. */
	for (char *at = strstr(body.data, "Extensions\":\""); at != NULL && *at != '\0'; at++) {
		if (*at == ',' && at[1] != '"')
			*at = '&';
	}
	json = json_parse(buf_str(&body), (struct json_limits){4096, 4}, &error);
	assert_non_null(json);
	assert_true(call_event_read(type, json, NULL, arena, &event, &error));
	json_free(&json);
	buf_free(&body);
	return event;
}

static void describe(const struct call *call, struct buf *to)
{
	buf_printf(to, "%s %s %s %s %s talkers=", call_direction_name(call->direction),
		call_state_name(call->state), call->answered ? "answered" : "missed",
		call->external, call->line);
	for (unsigned i = 0; i < call->talkers.count; i++)
		buf_printf(to, "%s%s", i > 0 ? "," : "", call->talkers.items[i]);
	for (unsigned i = 0; i < call->transfer_count; i++)
		buf_printf(to, " %s>%s %s %s", call->transfers[i].from, call->transfers[i].to,
			call_transfer_kind_name(call->transfers[i].kind),
			call_transfer_result_name(call->transfers[i].result));
	buf_printf(to, "\n");
}

static void tell(const char *events, struct buf *to)
{
	const struct call_fold_rules rules = {.country = "BY"};
	struct call_fold *fold = call_fold_new(&rules);
	struct arena *arena = arena_new(CORPUS_ARENA_BYTES);
	struct call_changes changes;
	struct str rest = str_from(events);
	int64_t at_ms = CORPUS_START_MS;
	int64_t id = 0;

	while (rest.size > 0) {
		struct call_event event = event_of(str_cut(&rest, '\n'), arena);

		event.id = ++id;
		event.at_ms = at_ms += 2000;
		call_fold_event(fold, &event, &changes);
	}
	call_fold_tick(fold, at_ms + 10000, &changes);
	for (int64_t i = 1; i <= id; i++) {
		if (call_fold_find(fold, i) != NULL)
			describe(call_fold_find(fold, i), to);
	}
	call_fold_free(&fold);
	arena_free(&arena);
}

static void every_story_ends_as_it_was(void **state)
{
	size_t count = sizeof(stories) / sizeof(stories[0]);
	size_t right = 0;
	struct buf calls;

	(void)state;
	buf_init(&calls, 65536);
	for (size_t i = 0; i < count; i++) {
		buf_clear(&calls);
		tell(stories[i].events, &calls);
		if (str_equal(buf_str(&calls), str_from(stories[i].calls)))
			right++;
		else
			printf("    %s\n      want %s      got  %s", stories[i].name,
				stories[i].calls, calls.data);
	}
	buf_free(&calls);
	assert_int_equal(right, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_story_ends_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
