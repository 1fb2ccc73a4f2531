/*
 * test_golden: what a chat shows as each recorded scenario goes on, to the byte.
 *
 * tests/golden/messages/<scenario>.<locale>.txt holds the message after each change that shows,
 * under a line with its state. UPDATE_GOLDEN=1 writes them anew; read the diff before believing it.
 */
#include "fold_corpus.h"
#include "message.h"

enum { PAGE_BYTES = 1 << 20 };

struct play {
	struct call_fold *fold;
	struct tenant tenant;
	struct buf page, last;
};

static void show(struct play *play, const struct call_changes *changes)
{
	struct buf text;

	for (unsigned i = 0; i < changes->count; i++) {
		const struct call *call = changes->items[i].call;

		const struct message_view view = {.call = call,
			.tenant = &play->tenant,
			.recording_url = "",
			.details_url = ""};

		buf_init(&text, MESSAGE_MAX_BYTES);
		if (changes->items[i].merged_into == 0 && message_render(&view, &text) &&
			!str_equal(buf_str(&text), buf_str(&play->last))) {
			buf_printf(&play->page, "=== call %lld %s\n", (long long)call->id,
				call_state_name(call->state));
			buf_add(&play->page, buf_str(&text));
			buf_add(&play->page, STR("\n"));
			buf_clear(&play->last);
			buf_add(&play->last, buf_str(&text));
		}
		buf_free(&text);
	}
}

static void play_scenario(const struct corpus *corpus, size_t first, struct play *play)
{
	int64_t at_ms = CORPUS_START_MS;
	struct call_changes changes;

	for (size_t i = first; i < corpus_end(corpus, first); i++) {
		struct call_event event = corpus_read(corpus, i, play->tenant.zone);

		at_ms += corpus->events[i].delay_ms;
		event.at_ms = at_ms;
		event.id = (int64_t)(i - first) + 1;
		call_fold_event(play->fold, &event, &changes);
		show(play, &changes);
	}
	call_fold_tick(play->fold, at_ms + 200000, &changes);
	show(play, &changes);
}

static char *golden_path(struct str scenario, const char *locale, char *to, size_t capacity)
{
	snprintf(to, capacity, "%s/golden/messages/%.*s.%s.txt", TESTS_DIR, STR_ARG(scenario),
		locale);
	for (char *at = to + strlen(TESTS_DIR "/golden/messages/"); *at != '\0'; at++) {
		if (*at == '/')
			*at = '_';
	}
	return to;
}

static bool same_as_file(const char *path, struct str page)
{
	char *text = alloc_zeroed(1, PAGE_BYTES);
	FILE *file = fopen(path, "r");
	size_t size = file != NULL ? fread(text, 1, PAGE_BYTES, file) : 0;
	bool same = file != NULL && str_equal(str_of(text, size), page);

	if (file != NULL)
		fclose(file);
	if (!same)
		printf("%s differs:\n%.*s", path, STR_ARG(page));
	free(text);
	return same;
}

static bool check(const char *path, struct str page)
{
	FILE *file;

	if (getenv("UPDATE_GOLDEN") == NULL)
		return same_as_file(path, page);
	file = fopen(path, "w");
	assert_non_null(file);
	fwrite(page.data, 1, page.size, file);
	fclose(file);
	return true;
}

static void every_message_is_as_recorded(void **state)
{
	static const char *const locales[] = {"ru", "en"};
	struct corpus corpus = corpus_load(TESTS_DIR "/corpus/calls.jsonl");
	struct clock_zone *zone = clock_zone_new("Europe/Minsk");
	const struct call_fold_rules rules = {.country = "BY"};
	bool same = true;
	char path[512];

	(void)state;
	for (size_t first = 0; first < corpus.count * 2; first++) {
		size_t at = first / 2;
		const char *locale = locales[first % 2];
		struct play play = {.tenant = {.number = "0367",
					    .name = "june",
					    .locale = locale,
					    .country = "BY",
					    .zone = zone,
					    .recording_base = ""}};

		if (at > 0 && str_equal(corpus.events[at].scenario, corpus.events[at - 1].scenario))
			continue;
		play.fold = call_fold_new(&rules);
		buf_init(&play.page, PAGE_BYTES);
		buf_init(&play.last, MESSAGE_MAX_BYTES);
		play_scenario(&corpus, at, &play);
		golden_path(corpus.events[at].scenario, locale, path, sizeof(path));
		same = check(path, buf_str(&play.page)) && same;
		buf_free(&play.page);
		buf_free(&play.last);
		call_fold_free(&play.fold);
	}
	assert_true(same);
	clock_zone_free(&zone);
	corpus_free(&corpus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_is_as_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
