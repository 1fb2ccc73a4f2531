/*
 * twilio_hook: signs, asks, follows redirections and judges answers, as twilio.com/docs/api/errors says.
 */
#include "twilio_hook.h"

#include "twilio_signature.h"
#include "uri.h"

/* -- forms -------------------------------------------------------------------------------------------- */

void twilio_form_put(
	struct twilio_form *form, struct arena *arena, const char *name, struct str value)
{
	struct str kept = str_of(
		arena_strndup(arena, value.data != NULL ? value.data : "", value.size), value.size);

	if (form->fields == NULL)
		form->fields = arena_array(arena, TWILIO_MAX_FIELDS, sizeof(form->fields[0]));
	if (form->count == TWILIO_MAX_FIELDS)
		return;
	form->fields[form->count++] =
		(struct twilio_field){str_from(arena_strdup(arena, name)), kept};
}

void twilio_form_put_text(
	struct twilio_form *form, struct arena *arena, const char *name, const char *value)
{
	twilio_form_put(form, arena, name, str_from(value));
}

void twilio_form_put_int(
	struct twilio_form *form, struct arena *arena, const char *name, int64_t value)
{
	twilio_form_put_text(form, arena, name, arena_printf(arena, "%lld", (long long)value));
}

struct str twilio_form_text(const struct twilio_form *form, struct arena *arena)
{
	struct buf text;
	char *kept;

	buf_init(&text, 1u << 20);
	for (size_t i = 0; i < form->count; i++) {
		if (i > 0)
			buf_add_char(&text, '&');
		uri_encode(&text, form->fields[i].name);
		buf_add_char(&text, '=');
		uri_encode(&text, form->fields[i].value);
	}
	kept = arena_strndup(arena, text.size > 0 ? text.data : "", text.size);
	buf_free(&text);
	return str_from(kept);
}

/* -- URLs ----------------------------------------------------------------------------------------------- */

static bool has_scheme(struct str url)
{
	return str_starts(url, STR("http://")) || str_starts(url, STR("https://")) ||
	       str_starts(url, STR("ws://")) || str_starts(url, STR("wss://"));
}

/* Up to the path or the query: "https://host:port". */
static struct str origin_of(struct str url)
{
	const char *host = memmem(url.data, url.size, "://", 3);
	size_t size;

	if (host == NULL)
		return (struct str){0};
	size = (size_t)(host - url.data) + 3;
	while (size < url.size && url.data[size] != '/' && url.data[size] != '?')
		size++;
	return str_of(url.data, size);
}

/* Without its query. */
static struct str before_query(struct str url)
{
	const char *query = memchr(url.data, '?', url.size);

	return query != NULL ? str_of(url.data, (size_t)(query - url.data)) : url;
}

/* RFC 3986 without dot segments, which nobody writes into TwiML. */
const char *twilio_resolve(struct arena *arena, const char *base, struct str url)
{
	struct str from = str_from(base), origin, folder;

	url = str_trim(url);
	if (has_scheme(url))
		return origin_of(url).size > strlen("https://") - 1
			       ? arena_strndup(arena, url.data, url.size)
			       : NULL;
	if (base == NULL || memmem(url.data, url.size, "://", 3) != NULL)
		return NULL;
	origin = origin_of(from);
	if (url.size == 0)
		return base;
	if (url.data[0] == '/')
		return arena_printf(arena, "%.*s%.*s", STR_ARG(origin), STR_ARG(url));
	folder = before_query(from);
	if (url.data[0] == '?')
		return arena_printf(arena, "%.*s%.*s", STR_ARG(folder), STR_ARG(url));
	while (folder.size > origin.size && folder.data[folder.size - 1] != '/')
		folder.size--;
	return arena_printf(arena, "%.*s%s%.*s", STR_ARG(folder),
		folder.size == origin.size ? "/" : "", STR_ARG(url));
}

/* -- asking ----------------------------------------------------------------------------------------------- */

static bool is_get(const struct twilio_hook *hook)
{
	return strcmp(hook->method, "GET") == 0;
}

/* In a GET all fields are part of the URL, which alone is signed. */
static const char *url_of(struct flow *flow, const struct twilio_hook *hook)
{
	struct str text;

	if (!is_get(hook) || hook->form.count == 0)
		return hook->url;
	text = twilio_form_text(&hook->form, flow_arena(flow));
	return arena_printf(flow_arena(flow), "%s%c%.*s", hook->url,
		strchr(hook->url, '?') != NULL ? '&' : '?', STR_ARG(text));
}

static const char *sign(
	struct flow *flow, struct twilio *twilio, const struct twilio_hook *hook, const char *url)
{
	char *signature = arena_alloc(flow_arena(flow), TWILIO_SIGNATURE_BYTES);
	struct twilio_request request = {
		.url = str_from(url), .form = is_get(hook) ? NULL : &hook->form};

	twilio_signature_make(&request, str_from(twilio_token_of(twilio, hook->account_sid)),
		flow_arena(flow), signature);
	return signature;
}

enum flow_status await_twilio_hook(
	struct flow *flow, struct twilio *twilio, struct twilio_hook *hook)
{
	const char *url = url_of(flow, hook);

	twilio->webhooks++;
	hook->code = 0;
	hook->call = (struct http_call){
		.method = hook->method,
		.url = url,
		.content_type =
			is_get(hook) ? NULL : "application/x-www-form-urlencoded; charset=UTF-8",
		.body = is_get(hook) ? (struct str){0}
				     : twilio_form_text(&hook->form, flow_arena(flow)),
		.timeout_ms = twilio->switches.webhook_timeout_ms,
		.max_answer_bytes =
			hook->kind == HOOK_MEDIA ? TWILIO_MAX_MEDIA : 2 * TWILIO_MAX_TWIML,
		.want_headers = true,
		.headers = {{"X-Twilio-Signature", sign(flow, twilio, hook, url)},
			{"Accept", "*/*"}, {"I-Twilio-Idempotency-Token", hook->resource}},
	};
	return await_http(flow, twilio->sandbox->http, &hook->call, &hook->answer);
}

static struct str header(const struct twilio_hook *hook, const char *name)
{
	for (unsigned i = 0; i < hook->answer.header_count; i++) {
		if (str_equal_nocase(hook->answer.headers[i].name, str_from(name)))
			return hook->answer.headers[i].value;
	}
	return (struct str){0};
}

/* 301, 302 and 303 go on as GET, 307 and 308 as they were: like a browser. */
bool twilio_hook_follow(struct flow *flow, struct twilio *twilio, struct twilio_hook *hook)
{
	int status = hook->answer.status;
	struct str place;

	(void)twilio;
	if (hook->answer.reach != HTTP_ANSWERED || status < 301 || status > 308 ||
		(status > 303 && status < 307) || hook->hops >= TWILIO_MAX_HOPS)
		return false;
	place = header(hook, "Location");
	hook->url = place.size > 0 ? twilio_resolve(flow_arena(flow), hook->url, place) : NULL;
	if (hook->url == NULL) {
		hook->url = hook->call.url;
		return false;
	}
	hook->hops++;
	if (status <= 303)
		hook->method = "GET";
	return true;
}

/* -- judging ------------------------------------------------------------------------------------------------ */

struct verdict {
	int code;
	const char *words;
};

static bool type_is_one_of(struct str type, const char *const *types)
{
	for (; *types != NULL; types++) {
		if (str_equal_nocase(type, str_from(*types)))
			return true;
	}
	return false;
}

static const char *const xml_types[] = {"text/xml", "application/xml", "text/html", NULL};

static struct verdict judge_type(const struct twilio_hook *hook)
{
	if (hook->kind == HOOK_MEDIA)
		return str_starts(hook->type, STR("audio/"))
			       ? (struct verdict){0}
			       : (struct verdict){12300, "Invalid Content-Type: audio is expected"};
	if (hook->empty && hook->kind == HOOK_TWIML)
		return (struct verdict){12100, "Document parse failure: the answer is empty"};
	if (hook->empty || str_equal_nocase(hook->type, STR("text/plain")) ||
		type_is_one_of(hook->type, xml_types))
		return (struct verdict){0};
	return (struct verdict){12300, "Invalid Content-Type"};
}

static struct verdict judge_reach(const struct twilio_hook *hook)
{
	const struct http_answer *answer = &hook->answer;

	if (answer->reach == HTTP_ANSWERED)
		return (struct verdict){0};
	if (answer->status != 0 && answer->error.kind == ERROR_UPSTREAM && hook->kind != HOOK_MEDIA)
		return (struct verdict){11750, "TwiML response body too large, or cut off"};
	return (struct verdict){11205, "HTTP connection failure"};
}

static struct verdict judge(const struct twilio_hook *hook)
{
	struct verdict verdict = judge_reach(hook);
	int status = hook->answer.status;

	if (verdict.code != 0)
		return verdict;
	if (hook->hops >= TWILIO_MAX_HOPS && status >= 300 && status < 400)
		return (struct verdict){11215, "Too many redirects"};
	if (status < 200 || status >= 300)
		return (struct verdict){11200, "HTTP retrieval failure"};
	if (hook->kind != HOOK_MEDIA && hook->answer.body.size > TWILIO_MAX_TWIML)
		return (struct verdict){11750, "TwiML response body too large"};
	return judge_type(hook);
}

/* Of status callbacks all faults are one warning. */
void twilio_hook_read(struct flow *flow, struct twilio *twilio, struct twilio_hook *hook)
{
	struct str type = header(hook, "Content-Type");
	struct verdict verdict;

	(void)flow;
	hook->type = str_trim(str_cut(&type, ';'));
	hook->body = hook->answer.body;
	hook->empty = hook->answer.status == 204 || hook->body.size == 0;
	verdict = judge(hook);
	if (verdict.code != 0 && hook->kind == HOOK_CALLBACK)
		verdict.code = 15003;
	hook->code = verdict.code;
	if (verdict.code != 0)
		twilio_alert(twilio, verdict.code, (struct twilio_place){hook->resource, hook->url},
			"%s: %s %s answered %d %.*s%s%s", verdict.words, hook->method, hook->url,
			hook->answer.status, STR_ARG(hook->type),
			hook->answer.error.text[0] != '\0' ? ": " : "", hook->answer.error.text);
}
