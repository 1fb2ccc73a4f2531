/*
 * selfcheck: see selfcheck.h; the questions. How it is shown is selfcheck_show.c's.
 */
#include "selfcheck.h"

#include "page.h"
#include "prompts.h"

enum { PROBE_MS = 2000, URL_BYTES = 1024, PAGE_BYTES = 1 << 20 };

const struct selfcheck_url selfcheck_urls[] = {
	{"/webhook/incoming_call", "A call comes in (POST), and its fallback",
		"Входящий звонок (POST) и запасной адрес"},
	{"/webhook/call_status", "Call status changes", "Изменения состояния звонка"},
	{"/webhook", "A message comes in (POST)", "Входящее сообщение (POST)"},
	{"/webhook/whatsapp/twilio", "WhatsApp: a message comes in",
		"WhatsApp: входящее сообщение"},
	{NULL, NULL, NULL},
};

struct probe {
	const char *url; /* NULL: nobody to ask */
	struct http_call call;
	struct http_answer answer;
	bool away;
};

struct state {
	struct selfcheck check;
	struct pg_batch *batch;
	struct probe speech, media;
};

static void add_problem(
	struct state *state, const char *code, const char *en, const char *ru, const char *about)
{
	struct selfcheck *check = &state->check;

	if (check->problem_count < SELFCHECK_MAX_PROBLEMS)
		check->problems[check->problem_count++] =
			(struct selfcheck_problem){code, en, ru, about};
}

/* -- what the database knows ------------------------------------------------------------------------------- */

static const char sql_numbers[] =
	"SELECT n.number, l.received_at::text, l.path, l.signature, l.status FROM hook_numbers n "
	"JOIN LATERAL (SELECT received_at, path, signature, status FROM hook_requests r WHERE "
	"r.our_number = n.number ORDER BY received_at DESC LIMIT 1) l ON true ORDER BY 1 LIMIT 200";
static const char sql_unknown[] =
	"SELECT our_number, count(*), max(received_at)::text FROM hook_requests r WHERE "
	"received_at "
	"> now() - interval '1 day' AND our_number <> '' AND NOT EXISTS (SELECT FROM hook_numbers "
	"n WHERE n.number = replace(r.our_number, 'whatsapp:', '')) GROUP BY 1 "
	"ORDER BY max(received_at) DESC LIMIT 50";
static const char sql_not_found[] =
	"SELECT path, count(*), max(received_at)::text FROM hook_requests WHERE received_at > "
	"now() "
	"- interval '1 day' AND status IN (404, 405) GROUP BY 1 ORDER BY 2 DESC LIMIT 50";
static const char sql_refused[] =
	"SELECT count(*) FROM hook_requests WHERE received_at > now() - interval '1 day' AND "
	"signature IN ('wrong', 'missing')";

static enum flow_status check_ask(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct state *state = flow_state(flow);
	struct pg_params none = {0};

	if (!hook_is_operator(flow))
		return http_reply_detail(flow, 403,
			"for operators: by the internal secret, or from "
			"this machine itself");
	state->check.database = pg_ready(hooks->pg) && schema_why_not(hooks->schema) == NULL;
	if (!state->check.database)
		return FLOW_NEXT;
	state->batch = pg_batch_new(flow_arena(flow));
	pg_batch_add(state->batch, sql_numbers, &none);
	pg_batch_add(state->batch, sql_unknown, &none);
	pg_batch_add(state->batch, sql_not_found, &none);
	pg_batch_add(state->batch, sql_refused, &none);
	return await_pg(flow, hooks->pg, state->batch);
}

static unsigned take_rows(
	const struct pg_batch *batch, int statement, struct selfcheck_row rows[SELFCHECK_MAX_ROWS])
{
	int count = pg_rows(batch, statement);

	for (int row = 0; row < count && row < SELFCHECK_MAX_ROWS; row++)
		rows[row] = (struct selfcheck_row){
			.what = pg_text(batch, statement, row, 0),
			.count = pg_int(batch, statement, row, 1),
			.last_at = pg_text(batch, statement, row, 2),
		};
	return (unsigned)(count < SELFCHECK_MAX_ROWS ? count : SELFCHECK_MAX_ROWS);
}

static void take_last(const struct pg_batch *batch, struct selfcheck_number *number)
{
	for (int row = 0; row < pg_rows(batch, 0); row++) {
		if (!str_equal(pg_text(batch, 0, row, 0), str_from(number->number)))
			continue;
		number->last_at = pg_text(batch, 0, row, 1);
		number->last_path = pg_text(batch, 0, row, 2);
		number->last_signature = pg_text(batch, 0, row, 3);
		number->last_status = pg_int(batch, 0, row, 4);
	}
}

/* -- what memory knows ---------------------------------------------------------------------------------------- */

static bool has_token(const struct hooks *hooks, const char *enterprise)
{
	const struct account *account = accounts_find(hooks->accounts, str_from(enterprise));
	const struct account_integration *twilio =
		account != NULL ? account_integration(account, STR("twilio")) : NULL;

	return hooks->settings->auth_tokens.value[0] != '\0' ||
	       (twilio != NULL &&
		       (json_count(json_member(twilio->config, "auth_tokens")) > 0 ||
			       json_text(json_member(twilio->config, "auth_token")).size > 0));
}

static void check_numbers(struct flow *flow, struct state *state)
{
	const struct hooks *hooks = flow_context(flow);
	struct selfcheck *check = &state->check;
	const struct hook_number *at;
	size_t place = 0;

	while ((at = hook_numbers_next(hooks, &place)) != NULL &&
		check->number_count < SELFCHECK_MAX_NUMBERS) {
		struct selfcheck_number *number = &check->numbers[check->number_count++];

		number->number = arena_strdup(flow_arena(flow), at->number);
		number->enterprise = arena_strdup(flow_arena(flow), at->enterprise);
		number->voice = arena_strdup(flow_arena(flow), at->voice);
		number->has_token = has_token(hooks, at->enterprise);
		if (!number->has_token)
			add_problem(state, "no_token",
				"No auth token is known: every webhook is refused",
				"Нет токена Twilio: все запросы отклоняются", number->number);
		if (check->database)
			take_last(state->batch, number);
		if (check->database && number->last_at.size == 0)
			add_problem(state, "never_asked", "No webhook has ever come",
				"Ещё ни одного запроса не было", number->number);
	}
	if (check->number_count == 0)
		add_problem(state, "no_numbers", "hook_numbers is empty",
			"В hook_numbers нет ни одного номера", "");
}

static void check_settings(struct flow *flow, struct state *state)
{
	const struct hooks *hooks = flow_context(flow);
	const struct hooks_settings *settings = hooks->settings;
	struct hook_prompts_state prompts = hook_prompts_state(hooks);

	if (settings->insecure_no_signature)
		add_problem(state, "insecure", "Signatures are not checked",
			"Подписи не проверяются", "CALLWEAVE_HOOKS_INSECURE_NO_SIGNATURE");
	if (settings->public_base_url[0] == '\0')
		add_problem(state, "no_base", "CALLWEAVE_PUBLIC_BASE_URL is empty",
			"CALLWEAVE_PUBLIC_BASE_URL не задан", "");
	else if (!str_starts(str_from(settings->public_base_url), STR("https://")))
		add_problem(state, "base_not_https", "The public base URL is not https",
			"Публичный адрес не https", settings->public_base_url);
	if (service_internal_secret(hooks->service).size == 0)
		add_problem(state, "no_secret",
			"CALLWEAVE_INTERNAL_SECRET is empty: streams carry no token",
			"CALLWEAVE_INTERNAL_SECRET не задан: у потоков нет ключа", "");
	if (prompts.problem[0] != '\0')
		add_problem(state, "prompts", "Prompts are not made: Twilio's voices read them",
			"Подсказки не записаны: их читают голоса Twilio",
			arena_strdup(flow_arena(flow), prompts.problem));
}

/* -- neighbours ------------------------------------------------------------------------------------------------ */

static enum flow_status probe_ask(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct probe *probe = *(struct probe **)flow_state(flow);

	probe->call =
		(struct http_call){.method = "GET", .url = probe->url, .timeout_ms = PROBE_MS};
	return await_http(flow, hooks->http, &probe->call, &probe->answer);
}

static enum flow_status probe_see(struct flow *flow)
{
	struct probe *probe = *(struct probe **)flow_state(flow);

	probe->away = probe->answer.reach != HTTP_ANSWERED || probe->answer.status >= 500 ||
		      probe->answer.status == 404;
	return FLOW_END;
}

static const struct flow_step probe_steps[] = {
	{"ask", probe_ask},
	{"see", probe_see},
	{NULL, NULL},
};

static const struct flow_spec probe_flow = {
	.name = "probe",
	.steps = probe_steps,
	.state_bytes = sizeof(struct probe *),
	.deadline_ms = PROBE_MS + 1000,
};

static void probe_begin(struct flow *flow, struct probe *probe, const char *url)
{
	probe->url = url;
	*(struct probe **)flow_state(flow_spawn(flow, &probe_flow)) = probe;
}

/* The stream's own path as plain http: media-ws refuses that, a proxy without it or hooks itself does not
 * know the path. */
static const char *media_url(struct flow *flow)
{
	struct buf url;
	const char *text;

	buf_init(&url, URL_BYTES);
	hook_stream_url(flow, &url);
	text = arena_printf(flow_arena(flow), "http%s", url.data + strlen("ws"));
	buf_free(&url);
	return text;
}

static enum flow_status check_probe(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct state *state = flow_state(flow);

	if (hooks->settings->speech_url[0] != '\0')
		probe_begin(flow, &state->speech,
			arena_printf(flow_arena(flow), "%s/livez", hooks->settings->speech_url));
	probe_begin(flow, &state->media, media_url(flow));
	return await_children(flow);
}

/* -- the answer -------------------------------------------------------------------------------------------------- */

static void gather(struct flow *flow, struct state *state)
{
	struct selfcheck *check = &state->check;
	struct error error;
	struct buf base;

	buf_init(&base, URL_BYTES);
	hook_url(flow, "/", &base);
	check->base = arena_strndup(flow_arena(flow), base.data, base.size - 1);
	buf_free(&base);
	if (check->database && !pg_batch_ok(state->batch, &error))
		check->database = false;
	if (!check->database) {
		add_problem(state, "database", "PostgreSQL is away", "PostgreSQL недоступен", "");
	} else {
		check->unknown_count = take_rows(state->batch, 1, check->unknown);
		check->not_found_count = take_rows(state->batch, 2, check->not_found);
		check->refused = pg_int(state->batch, 3, 0, 0);
	}
	check_settings(flow, state);
	check_numbers(flow, state);
	if (check->unknown_count > 0)
		add_problem(state, "unknown_numbers", "Numbers ask that are not in hook_numbers",
			"Спрашивают номера, которых нет в hook_numbers",
			arena_strndup(flow_arena(flow), check->unknown[0].what.data,
				check->unknown[0].what.size));
	if (check->refused > 0)
		add_problem(state, "refused", "Webhooks were refused within the last day",
			"За сутки были отклонённые запросы",
			arena_printf(flow_arena(flow), "%lld", (long long)check->refused));
	if (state->speech.away)
		add_problem(state, "speech_away", "speech does not answer", "speech не отвечает",
			state->speech.url);
	if (state->media.away)
		add_problem(state, "media_ws_away", "media-ws does not answer",
			"media-ws не отвечает", state->media.url);
}

static enum flow_status check_show(struct flow *flow)
{
	struct state *state = flow_state(flow);
	const struct http_request *request = http_request(flow);
	struct str accept = http_request_header(flow, "Accept");
	bool html = accept.size > 0 && memmem(accept.data, accept.size, "text/html", 9) != NULL;
	enum flow_status status;
	struct buf answer;

	gather(flow, state);
	buf_init(&answer, PAGE_BYTES);
	http_reply_header(flow, "Cache-Control", "no-store");
	if (html) {
		const char *language = page_language(request->query,
			http_request_header(flow, "Accept-Language"), flow_arena(flow));

		selfcheck_html(&state->check, strcmp(language, "ru") == 0, &answer);
		http_reply_header(flow, "Content-Security-Policy",
			"default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors "
			"'none'");
		status = http_reply(flow, 200, "text/html; charset=utf-8", buf_str(&answer));
	} else {
		selfcheck_json(&state->check, &answer);
		status = http_reply_json(flow, 200, &answer);
	}
	buf_free(&answer);
	return status;
}

static const struct flow_step check_steps[] = {
	{"ask", check_ask},
	{"probe", check_probe},
	{"show", check_show},
	{NULL, NULL},
};

const struct flow_spec selfcheck_flow = {
	.name = "selfcheck",
	.steps = check_steps,
	.state_bytes = sizeof(struct state),
	.arena_max_bytes = 4 << 20,
	.deadline_ms = 10000,
};
