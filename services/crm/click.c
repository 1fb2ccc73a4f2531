/*
 * click: GET pbx-api /api/makecallexternal for a call that somebody clicked in a CRM. Whose extension it
 * is, the driver has found out; who we are, the internal secret proves, so no client's secret is in a URL.
 */
#include "hook.h"

#include "alloc.h"
#include "uri.h"

#include <stdlib.h>

enum { ANSWER_BYTES = 16 << 10, ANSWER_DEPTH = 8, CALL_MS = 20000, URL_BYTES = 2048 };

/* Two hold it: the flow that makes the call, and who waits for it. The last one frees it. */
struct click {
	unsigned holders;
	bool over;
	struct error error; /* ERROR_NONE: it was made */
	struct flow_queue done;
	struct http_call call;
	struct http_answer answer;
};

struct clicking {
	struct click *click;
};

static void let_go(struct click *click)
{
	if (--click->holders == 0)
		free(click);
}

struct flow_queue *click_done(struct click *click)
{
	return &click->done;
}

bool click_failed(const struct click *click, struct error *error)
{
	*error = click->error;
	return click->over && click->error.kind != ERROR_NONE;
}

void click_leave(struct click **click)
{
	if (*click != NULL)
		let_go(*click);
	*click = NULL;
}

/* -- the flow ------------------------------------------------------------------------------------- */

static struct click *click_of(struct flow *flow)
{
	const struct clicking *clicking = flow_state(flow);

	return clicking->click;
}

static enum flow_status click_send(struct flow *flow)
{
	const struct adapter *adapter = flow_context(flow);
	struct click *click = click_of(flow);

	if (click->error.kind != ERROR_NONE)
		return FLOW_END;
	return await_http(flow, adapter->inside, &click->call, &click->answer);
}

/* {"success": false, "message": ...} may come with 200. */
static void read_answer(struct click *click)
{
	struct json *json = json_parse(
		click->answer.body, (struct json_limits){ANSWER_BYTES, ANSWER_DEPTH}, NULL);
	struct str words = json_text(json_member(json, "message"));

	if (words.size == 0)
		words = json_text(json_member(json, "detail"));
	if (click->answer.status != 200 || !json_is_true(json_member(json, "success")))
		error_set(&click->error, ERROR_UPSTREAM, "the call was not made: %.*s (HTTP %d)",
			STR_ARG(words), click->answer.status);
	json_free(&json);
}

static enum flow_status click_read(struct flow *flow)
{
	struct click *click = click_of(flow);

	if (click->answer.reach != HTTP_ANSWERED)
		error_set(&click->error, ERROR_UPSTREAM, "the call was not made: %s",
			click->answer.error.text);
	else
		read_answer(click);
	return FLOW_END;
}

static void click_finally(struct flow *flow)
{
	struct click *click = click_of(flow);

	if (flow_error(flow) != NULL && click->error.kind == ERROR_NONE)
		click->error = *flow_error(flow);
	if (click->error.kind != ERROR_NONE)
		log_warn(flow_log(flow), "click to call: %s", click->error.text);
	else
		log_info(flow_log(flow), "click to call: the PBX has it");
	click->over = true;
	(void)flow_queue_wake_all(&click->done);
	let_go(click);
}

static const struct flow_step click_steps[] = {
	{"send", click_send},
	{"read", click_read},
	{NULL, NULL},
};

static const struct flow_spec click_flow = {
	.name = "click",
	.steps = click_steps,
	.finally = click_finally,
	.state_bytes = sizeof(struct clicking),
	.deadline_ms = CALL_MS + 5000,
};

/* -- beginning ------------------------------------------------------------------------------------ */

static void add(struct buf *url, const char *name, struct str value)
{
	(void)buf_printf(url, "%s=", name);
	uri_encode(url, value);
}

static const char *make_url(struct flow *flow, const struct crm_account *account,
	const struct crm_heard *heard, struct str extension)
{
	const struct adapter *adapter = flow_context(flow);
	const char *made;
	struct buf url;

	buf_init(&url, URL_BYTES);
	(void)buf_printf(&url, "%s/api/makecallexternal?", adapter->config->call_url);
	add(&url, "code", extension);
	add(&url, "&phone", heard->phone);
	add(&url, "&enterprise", str_from(account->number));
	add(&url, "&origin", str_from(adapter->driver->code));
	(void)buf_add(&url, STR("&wait=0")); /* not for the person */
	if (heard->origin_call.size > 0)
		add(&url, "&origin_call", heard->origin_call);
	made = url.failed ? NULL : arena_strndup(flow_arena(flow), url.data, url.size);
	buf_free(&url);
	return made;
}

/* Whom the CRM names, as an extension. */
static struct str extension_of(
	const struct crm_account *account, const struct crm_heard *heard, struct arena *arena)
{
	if (heard->extension.size > 0)
		return heard->extension;
	return crm_extension_of(account, heard->user, arena);
}

struct click *click_start(
	struct adapter *adapter, const struct crm_account *account, const struct crm_heard *heard)
{
	struct flow *flow = flow_spawn(adapter->root, &click_flow);
	struct clicking *clicking = flow_state(flow);
	struct click *click = alloc_zeroed(1, sizeof(*click));
	struct str secret = service_internal_secret(adapter->service);
	struct str extension = extension_of(account, heard, flow_arena(flow));

	clicking->click = click;
	click->holders = 2;
	flow_queue_init(&click->done);
	flow_set_enterprise(flow, account->number);
	click->call = (struct http_call){.method = "GET",
		.url = make_url(flow, account, heard, extension),
		.timeout_ms = CALL_MS,
		.max_answer_bytes = ANSWER_BYTES};
	click->call.headers[0][0] = SERVICE_SECRET_HEADER;
	click->call.headers[0][1] = arena_strndup(flow_arena(flow), secret.data, secret.size);
	if (adapter->config->call_url[0] == '\0')
		error_set(&click->error, ERROR_MISSING, "calls cannot be made from here");
	else if (extension.size == 0)
		error_set(&click->error, ERROR_INPUT, "no extension is configured for user %.*s",
			STR_ARG(heard->user));
	else if (click->call.url == NULL)
		error_set(&click->error, ERROR_INPUT, "the number is too long");
	return click;
}
