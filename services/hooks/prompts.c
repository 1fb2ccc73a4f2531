/*
 * prompts: see prompts.h. After each reading of the menus: what is missing is spoken, one text after
 * another, and each file is asked for over HTTP as Twilio will (P17) before any call hears of it.
 */
#include "prompts.h"

#include "alloc.h"
#include "crypto.h"
#include "hook_menu.h"
#include "json_put.h"
#include "prompt_file.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	MAX_PROMPTS = 4096,
	ROUND_BYTES = 16 << 20,
	MAKE_BYTES = PROMPT_MAX_BYTES + (1 << 20),
	SPEAK_MS = 60000,
	CHECK_MS = 5000,
	MAKE_MS = SPEAK_MS + CHECK_MS + 5000,
	AGAIN_MS = 10000, /* after a failure; speech may be starting, too */
};

struct hook_prompts {
	struct table *ready; /* names of files that were seen to be served */
	size_t wanted, failed;
	unsigned loads; /* of hook_numbers, when the last round began */
	char problem[200];
};

/* -- names --------------------------------------------------------------------------------------------- */

static void name_of(const char *language, struct str text, char to[PROMPT_NAME_BYTES])
{
	struct crypto_hash *hash = crypto_hash_new();
	unsigned char digest[CRYPTO_SHA256_BYTES];
	char hex[17];

	crypto_hash_add(hash, str_of(language, strlen(language) + 1));
	crypto_hash_add(hash, text);
	crypto_hash_end(&hash, digest);
	crypto_hex(digest, (sizeof(hex) - 1) / 2, hex);
	snprintf(to, PROMPT_NAME_BYTES, "%s-%s.wav", language, hex);
}

/* A file that somebody took away is made again, and read by Twilio's voice until then (P17: 11200). */
bool hook_prompt_name(const struct hooks *hooks, const char *language, struct str text,
	char to[PROMPT_NAME_BYTES])
{
	char path[PROMPT_PATH_BYTES];

	name_of(language, text, to);
	if (hooks->prompts == NULL || table_get(hooks->prompts->ready, str_from(to)) == NULL)
		return false;
	(void)snprintf(path, sizeof(path), "%s/%s", hooks->settings->prompts_folder, to);
	if (prompt_file_exists(path))
		return true;
	table_remove(hooks->prompts->ready, str_from(to));
	flow_queue_wake(hook_numbers_loaded(hooks->numbers), 1);
	return false;
}

struct hook_prompts_state hook_prompts_state(const struct hooks *hooks)
{
	const struct hook_prompts *prompts = hooks->prompts;

	return (struct hook_prompts_state){
		.wanted = prompts->wanted,
		.made = table_count(prompts->ready),
		.failed = prompts->failed,
		.problem = prompts->problem,
	};
}

/* -- one prompt: a child, so that its audio is freed with it -------------------------------------------- */

struct make {
	const char *language, *name, *path; /* of the round */
	struct str text;
	struct http_call call;
	struct http_answer answer;
};

enum { MAKE_SPEAK, MAKE_KEEP, MAKE_CHECK, MAKE_OVER };

static struct str speak_body(struct flow *flow, const struct make *make)
{
	struct json_writer json;
	struct buf body;
	struct str text;

	buf_init(&body, (size_t)64 << 10);
	json_begin(&json, &body);
	json_open_object(&json);
	json_put_member_str(&json, "text", make->text);
	json_put_member_str(&json, "language", str_from(make->language));
	json_close_object(&json);
	text = str_of(arena_strndup(flow_arena(flow), body.data, body.size), body.size);
	buf_free(&body);
	return text;
}

static enum flow_status make_speak(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct make *make = flow_state(flow);

	if (prompt_file_exists(make->path))
		return flow_goto(flow, MAKE_CHECK);
	make->call = (struct http_call){
		.method = "POST",
		.url = arena_printf(flow_arena(flow), "%s/speak", hooks->settings->speech_url),
		.content_type = "application/json",
		.headers = {{"Accept", "audio/wav"}},
		.body = speak_body(flow, make),
		.timeout_ms = SPEAK_MS,
		.max_answer_bytes = PROMPT_MAX_BYTES,
	};
	return await_http(flow, hooks->http, &make->call, &make->answer);
}

static enum flow_status make_keep(struct flow *flow)
{
	struct make *make = flow_state(flow);
	struct error error;

	if (make->answer.reach != HTTP_ANSWERED)
		return flow_fail(flow, ERROR_UPSTREAM, "speech: %s", make->answer.error.text);
	if (make->answer.status != 200 || !str_starts(make->answer.body, STR("RIFF")))
		return flow_fail(
			flow, ERROR_UPSTREAM, "speech: answered %d, no WAVE", make->answer.status);
	if (!prompt_file_write(make->path, make->answer.body, &error))
		return flow_fail_error(flow, &error);
	return FLOW_NEXT;
}

static enum flow_status make_check(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct make *make = flow_state(flow);

	make->call = (struct http_call){
		.method = "GET",
		.url = arena_printf(flow_arena(flow), "http://127.0.0.1:%d/static/tts/%s",
			service_port(hooks->service), make->name),
		.timeout_ms = CHECK_MS,
		.max_answer_bytes = PROMPT_MAX_BYTES,
		.want_headers = true,
	};
	return await_http(flow, hooks->http, &make->call, &make->answer);
}

static bool is_audio(const struct http_answer *answer)
{
	for (unsigned i = 0; i < answer->header_count; i++) {
		if (str_equal_nocase(answer->headers[i].name, STR("Content-Type")))
			return str_starts(answer->headers[i].value, STR("audio/"));
	}
	return false;
}

/* An address on which we do not listen cannot be asked: that proves nothing. */
static enum flow_status make_over(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);
	struct make *make = flow_state(flow);
	const struct http_answer *answer = &make->answer;

	if (answer->reach != HTTP_NOT_SENT && (answer->status != 200 || !is_audio(answer)))
		return flow_fail(flow, ERROR_INTERNAL, "/static/tts/%s: answered %d, no audio",
			make->name, answer->status);
	table_put(hooks->prompts->ready, str_from(make->name), hooks);
	return FLOW_END;
}

static void make_finally(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);
	const struct error *error = flow_error(flow);

	if (error == NULL)
		return;
	hooks->prompts->failed++;
	(void)str_copy(
		hooks->prompts->problem, sizeof(hooks->prompts->problem), str_from(error->text));
}

static const struct flow_step make_steps[] = {
	[MAKE_SPEAK] = {"speak", make_speak},
	[MAKE_KEEP] = {"keep", make_keep},
	[MAKE_CHECK] = {"check", make_check},
	[MAKE_OVER] = {"over", make_over},
	{NULL, NULL},
};

static const struct flow_spec make_flow = {
	.name = "prompt",
	.steps = make_steps,
	.finally = make_finally,
	.state_bytes = sizeof(struct make),
	.arena_max_bytes = MAKE_BYTES,
	.deadline_ms = MAKE_MS,
};

/* -- a round: all that is wanted now ---------------------------------------------------------------------- */

struct round {
	struct table *wanted; /* name -> prompt */
	size_t at;
};

struct prompt {
	const char *language;
	struct str text;
};

static bool has_language_keys(const struct menu *menu)
{
	const struct menu_node *root = menu_at(menu, STR(""));

	for (unsigned i = 0; i < root->key_count; i++) {
		if (root->keys[i].does == MENU_LANGUAGE)
			return true;
	}
	return false;
}

static void want(struct flow *flow, struct table *wanted, const char *language, struct str text)
{
	char name[PROMPT_NAME_BYTES];
	struct prompt *prompt;

	if (text.size == 0 || table_count(wanted) >= MAX_PROMPTS)
		return;
	name_of(language, text, name);
	if (table_get(wanted, str_from(name)) != NULL)
		return;
	prompt = arena_alloc(flow_arena(flow), sizeof(*prompt));
	prompt->language = language;
	prompt->text = str_of(arena_strndup(flow_arena(flow), text.data, text.size), text.size);
	table_put(wanted, str_from(name), prompt);
}

static void want_menu(struct flow *flow, struct table *wanted, const struct hook_number *number)
{
	const struct hooks *hooks = flow_context(flow);
	const struct menu *menu = hook_number_menu(hooks, number);
	bool all = has_language_keys(menu);
	const struct menu_text *text;
	size_t at = 0;

	while ((text = menu_next(menu, &at)) != NULL) {
		for (int i = 0; i < MENU_LANGUAGES; i++) {
			enum menu_language language = (enum menu_language)i;
			const char *name = menu_language_name(language);

			if (all || strcmp(name, number->language) == 0)
				want(flow, wanted, name, menu_text_in(text, language));
		}
	}
}

static enum flow_status round_begin(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct round *round = flow_state(flow);
	const struct hook_number *number;
	size_t at = 0;

	round->wanted = table_new();
	hooks->prompts->loads = hook_numbers_loads(hooks->numbers);
	hooks->prompts->failed = 0;
	hooks->prompts->problem[0] = '\0';
	while ((number = hook_numbers_next(hooks, &at)) != NULL)
		want_menu(flow, round->wanted, number);
	hooks->prompts->wanted = table_count(round->wanted);
	return FLOW_NEXT;
}

static enum flow_status round_next(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct round *round = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	struct str name;
	void *value;

	/* One that failed is not asked for again in this round: so is its neighbour, likely. */
	if (hooks->prompts->problem[0] != '\0')
		return FLOW_END;
	while (table_next(round->wanted, &round->at, &name, &value)) {
		const struct prompt *prompt = value;
		struct make *make;

		if (table_get(hooks->prompts->ready, name) != NULL)
			continue;
		make = flow_state(flow_spawn(flow, &make_flow));
		make->language = prompt->language;
		make->text = prompt->text;
		make->name = arena_strndup(arena, name.data, name.size);
		make->path =
			arena_printf(arena, "%s/%s", hooks->settings->prompts_folder, make->name);
		flow_goto(flow, 1);
		return await_children(flow);
	}
	return FLOW_END;
}

static void round_finally(struct flow *flow)
{
	struct round *round = flow_state(flow);

	table_free(&round->wanted);
}

static const struct flow_step round_steps[] = {
	{"begin", round_begin},
	{"next", round_next},
	{NULL, NULL},
};

static const struct flow_spec round_flow = {
	.name = "prompts-round",
	.steps = round_steps,
	.finally = round_finally,
	.state_bytes = sizeof(struct round),
	.arena_max_bytes = ROUND_BYTES,
	.deadline_ms = FLOW_FOREVER,
};

/* -- for ever ------------------------------------------------------------------------------------------------ */

enum { PROMPTS_READY, PROMPTS_ROUND, PROMPTS_REST };

static enum flow_status prompts_ready(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);

	if (hook_numbers_why_not(hooks->numbers) == NULL)
		return FLOW_NEXT;
	return await_queue(flow, hook_numbers_loaded(hooks->numbers));
}

static enum flow_status prompts_round(struct flow *flow)
{
	flow_spawn(flow, &round_flow);
	return await_children(flow);
}

static enum flow_status prompts_rest(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);

	flow_goto(flow, PROMPTS_ROUND);
	if (hooks->prompts->problem[0] == '\0' &&
		hooks->prompts->loads != hook_numbers_loads(hooks->numbers))
		return FLOW_NEXT; /* the menus changed meanwhile */
	if (hooks->prompts->problem[0] == '\0')
		return await_queue(flow, hook_numbers_loaded(hooks->numbers));
	log_warn(flow_log(flow), "prompts: %s; Twilio's voices read them", hooks->prompts->problem);
	return await_sleep(flow, AGAIN_MS);
}

static const struct flow_step prompts_steps[] = {
	[PROMPTS_READY] = {"ready", prompts_ready},
	[PROMPTS_ROUND] = {"round", prompts_round},
	[PROMPTS_REST] = {"rest", prompts_rest},
	{NULL, NULL},
};

static const struct flow_spec prompts_flow = {
	.name = "prompts", .steps = prompts_steps, .deadline_ms = FLOW_FOREVER};

struct hook_prompts *hook_prompts_new(struct hooks *hooks)
{
	struct hook_prompts *prompts = alloc_zeroed(1, sizeof(*prompts));
	struct error error;

	prompts->ready = table_new();
	hooks->prompts = prompts;
	if (hooks->settings->speech_url[0] == '\0')
		return prompts;
	if (prompt_folder_make(hooks->settings->prompts_folder, &error))
		flow_start(hooks->loop, &prompts_flow, hooks, service_log(hooks->service));
	else
		(void)str_copy(prompts->problem, sizeof(prompts->problem), str_from(error.text));
	return prompts;
}

void hook_prompts_free(struct hook_prompts **prompts)
{
	if (*prompts == NULL)
		return;
	table_free(&(*prompts)->ready);
	free(*prompts);
	*prompts = NULL;
}
