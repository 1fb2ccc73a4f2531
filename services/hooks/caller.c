/*
 * caller: whose webhook is this, is it really Twilio's, and under which URL are we known?
 *
 * Fails closed: without a token nothing is right. A token is that of the enterprise whose number it is
 * about (or whose account, when the number is nobody's), so one tenant's proves nothing about another's
 * calls.
 */
#include "hook_log.h"
#include "hooks.h"
#include "twilio_signature.h"
#include "uri.h"

/* -- the URL under which we are known ----------------------------------------------------------------- */

static struct str without_slash(struct str base)
{
	while (str_ends(base, STR("/")))
		base.size--;
	return base;
}

/* What a header may put into our URLs. */
static bool is_host(struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
			    strchr(".-:[]_", c) != NULL))
			return false;
	}
	return text.size > 0 && text.size < 256;
}

static bool from_trusted_proxy(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct address peer;

	return address_read(str_from(http_request(flow)->peer), &peer) &&
	       address_list_has(&hooks->trusted, &peer);
}

static struct str first_item(struct str list)
{
	return str_trim(str_cut(&list, ','));
}

static void base_of_headers(struct flow *flow, struct buf *to)
{
	struct str proto = STR("http"), host = http_request_header(flow, "Host");

	if (from_trusted_proxy(flow)) {
		struct str said = first_item(http_request_header(flow, "X-Forwarded-Proto"));
		struct str name = first_item(http_request_header(flow, "X-Forwarded-Host"));

		proto = str_equal_nocase(said, STR("https")) ? STR("https") : proto;
		host = is_host(name) ? name : host;
	}
	buf_add(to, proto);
	buf_add(to, STR("://"));
	buf_add(to, is_host(host) ? host : STR("localhost"));
}

static void put_base(struct flow *flow, struct buf *to)
{
	const struct hooks *hooks = flow_context(flow);

	if (hooks->settings->public_base_url[0] != '\0')
		buf_add(to, without_slash(str_from(hooks->settings->public_base_url)));
	else
		base_of_headers(flow, to);
}

void hook_url(struct flow *flow, const char *path, struct buf *to)
{
	put_base(flow, to);
	if (path[0] != '/')
		buf_add_char(to, '/');
	buf_add(to, str_from(path));
}

void hook_stream_url(struct flow *flow, struct buf *to)
{
	const struct hooks *hooks = flow_context(flow);
	struct str base = without_slash(str_from(hooks->settings->stream_url));
	struct buf own;

	buf_init(&own, 1024);
	if (base.size == 0) {
		put_base(flow, &own);
		base = buf_str(&own);
	}
	if (str_starts(base, STR("http"))) { /* http: ws, https: wss */
		buf_add(to, STR("ws"));
		base = str_of(base.data + 4, base.size - 4);
	}
	buf_add(to, base);
	buf_add(to, STR("/ws/twilio-media"));
	buf_free(&own);
}

/* As Twilio saw it: path and query exactly as they came. */
static struct str whole_url(struct flow *flow)
{
	const struct http_request *request = http_request(flow);
	struct buf url;
	struct str copy;

	buf_init(&url, (size_t)32 << 10);
	put_base(flow, &url);
	buf_add(&url, request->path);
	if (request->query.data != NULL)
		buf_add_char(&url, '?');
	buf_add(&url, request->query);
	copy = str_of(arena_strndup(flow_arena(flow), url.data, url.size), url.size);
	buf_free(&url);
	return copy;
}

/* -- whose it is ------------------------------------------------------------------------------------------ */

static bool is_json(struct flow *flow)
{
	return str_starts(http_request_header(flow, "Content-Type"), STR("application/json"));
}

static bool read_form(struct flow *flow, struct twilio_form *form, struct error *error)
{
	const struct http_request *request = http_request(flow);
	bool post = str_equal(request->method, STR("POST"));

	*form = (struct twilio_form){0};
	if (post && is_json(flow))
		return true;
	return twilio_form_read(
		post ? request->body : request->query, flow_arena(flow), form, error);
}

static struct str said_by_url(struct flow *flow)
{
	struct str our;

	return uri_query_value(http_request(flow)->query, "our", flow_arena(flow), &our) ? our
											 : STR("");
}

static void find_number(struct flow *flow, struct hook_caller *caller)
{
	static const char *const names[] = {"To", "From", "Called", "Caller"};
	const struct hooks *hooks = flow_context(flow);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && caller->number == NULL; i++)
		caller->number = hook_number_find(hooks, twilio_form_get(&caller->form, names[i]));
	/* Of a leg that we dialled neither side is ours: its URL, which is signed, says whose it is. */
	if (caller->number == NULL)
		caller->number = hook_number_find(hooks, said_by_url(flow));
	if (caller->number != NULL)
		caller->account =
			accounts_find(hooks->accounts, str_from(caller->number->enterprise));
	else
		caller->account = accounts_find_config(hooks->accounts, STR("twilio"),
			STR("account_sid"), twilio_form_get(&caller->form, "AccountSid"));
	caller->enterprise = "";
	if (caller->account != NULL)
		caller->enterprise = arena_strdup(flow_arena(flow), caller->account->number);
}

static struct str find_sid(const struct twilio_form *form)
{
	struct str sid = twilio_form_get(form, "MessageSid");

	if (sid.size == 0)
		sid = twilio_form_get(form, "SmsSid");
	return sid.size > 0 ? sid : twilio_form_get(form, "CallSid");
}

/* -- the signature ------------------------------------------------------------------------------------------ */

static void add_token(struct twilio_tokens *tokens, struct str token)
{
	token = str_trim(token);
	if (token.size > 0 && tokens->count < TWILIO_MAX_TOKENS)
		tokens->items[tokens->count++] = token;
}

static void find_tokens(
	const struct hooks *hooks, const struct account *account, struct twilio_tokens *tokens)
{
	const struct account_integration *twilio =
		account != NULL ? account_integration(account, STR("twilio")) : NULL;
	struct str rest = str_from(hooks->settings->auth_tokens.value);
	const struct json *own;

	if (twilio != NULL) {
		own = json_member(twilio->config, "auth_tokens");
		for (const struct json *at = json_first(own); at != NULL; at = json_next(at))
			add_token(tokens, json_text(at));
		add_token(tokens, json_text(json_member(twilio->config, "auth_token")));
	}
	if (tokens->count > 0)
		return;
	while (rest.size > 0)
		add_token(tokens, str_cut(&rest, ','));
}

/* For who looks why: nearly always the base URL or the token. */
static void log_refused(
	struct flow *flow, const struct twilio_request *asked, const struct error *error)
{
	struct buf urls;

	buf_init(&urls, (size_t)4 << 10);
	twilio_signature_urls(asked, flow_arena(flow), &urls);
	log_warn(flow_log(flow), "webhook refused: %s; tried:%.*s", error->text,
		STR_ARG(buf_str(&urls)));
	buf_free(&urls);
}

static bool check_signature(struct flow *flow, const struct hook_caller *caller,
	struct hook_note *note, struct error *error)
{
	const struct hooks *hooks = flow_context(flow);
	const struct http_request *request = http_request(flow);
	struct twilio_request asked = {
		.url = whole_url(flow),
		.form = str_equal(request->method, STR("POST")) ? &caller->form : NULL,
		.body = request->body,
		.json = is_json(flow),
		.signature = http_request_header(flow, "X-Twilio-Signature"),
	};
	struct twilio_tokens tokens = {0};

	if (hooks->settings->insecure_no_signature) {
		note->signature = "not asked for";
		return true;
	}
	note->signature = asked.signature.size > 0 ? "wrong" : "missing";
	find_tokens(hooks, caller->account, &tokens);
	if (!twilio_signature_check(&asked, &tokens, flow_arena(flow), error)) {
		log_refused(flow, &asked, error);
		return error_set(error, ERROR_AUTH, "signature: wrong or missing");
	}
	note->signature = "ok";
	return true;
}

/* -- both ---------------------------------------------------------------------------------------------------- */

bool hook_caller_read(struct flow *flow, struct hook_caller *caller, struct error *error)
{
	const struct hooks *hooks = flow_context(flow);
	struct hook_note *note = arena_alloc(flow_arena(flow), sizeof(*note));
	const char *why_not = accounts_why_not(hooks->accounts);

	*caller = (struct hook_caller){.enterprise = ""};
	note->signature = "";
	http_note(flow, note);
	if (why_not != NULL)
		return error_set(error, ERROR_BUSY, "%s", why_not);
	if (!read_form(flow, &caller->form, error))
		return false;
	caller->sid = find_sid(&caller->form);
	note->sid = caller->sid;
	find_number(flow, caller);
	if (caller->number != NULL)
		note->number = str_from(arena_strdup(flow_arena(flow), caller->number->number));
	else
		note->number = twilio_form_get(&caller->form, "To");
	if (!check_signature(flow, caller, note, error))
		return false;
	if (caller->enterprise[0] != '\0')
		flow_set_enterprise(flow, caller->enterprise);
	if (caller->sid.size > 0)
		flow_set_call(
			flow, arena_strndup(flow_arena(flow), caller->sid.data, caller->sid.size));
	return true;
}

enum flow_status hook_refuse(struct flow *flow, const struct error *error)
{
	if (error->kind == ERROR_AUTH)
		return http_reply_detail(flow, 403, "Forbidden");
	return flow_fail_error(flow, error);
}

/* A proxy on this machine has its address, but says for whom it asks. */
static bool came_by_proxy(struct flow *flow)
{
	static const char *const names[] = {"X-Forwarded-For", "X-Forwarded-Host",
		"X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via", NULL};

	for (int i = 0; names[i] != NULL; i++) {
		if (http_request_header(flow, names[i]).size > 0)
			return true;
	}
	return false;
}

bool hook_is_operator(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct str secret = service_internal_secret(hooks->service);
	const char *peer = http_request(flow)->peer;

	if (secret.size > 0 &&
		str_equal_secret(http_request_header(flow, SERVICE_SECRET_HEADER), secret))
		return true;
	return (strcmp(peer, "127.0.0.1") == 0 || strcmp(peer, "::1") == 0) && !came_by_proxy(flow);
}

/* -- answers --------------------------------------------------------------------------------------------------- */

static void forbid_caching(struct flow *flow)
{
	http_reply_header(flow, "Cache-Control", "no-store, no-cache, must-revalidate, max-age=0");
	http_reply_header(flow, "Pragma", "no-cache");
}

enum flow_status hook_reply_twiml(struct flow *flow, const struct buf *xml)
{
	if (xml->failed)
		return flow_fail(flow, ERROR_INTERNAL, "TwiML longer than its buffer");
	forbid_caching(flow);
	return http_reply(flow, 200, "text/xml; charset=utf-8", buf_str(xml));
}

enum flow_status hook_reply_nothing(struct flow *flow)
{
	forbid_caching(flow);
	return http_reply(flow, 204, NULL, str_of(NULL, 0));
}
