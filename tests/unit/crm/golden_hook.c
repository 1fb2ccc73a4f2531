/*
 * golden_hook: a request to one of our paths, whose it is, what was heard, what we answer.
 */
#include "golden.h"

#include "json_put.h"

static const char *const found_members[] = {"owner", "heard", "answer", "why", NULL};

static const char *const heard_names[] = {
	[CRM_HEARD_NOTHING] = "nothing",
	[CRM_HEARD_CALL] = "call",
	[CRM_HEARD_CUSTOMERS] = "customers",
	[CRM_HEARD_CHANGES] = "changes",
	[CRM_HEARD_INSTALL] = "install",
	[CRM_HEARD_REMOVED] = "removed",
};

/* As the HTTP server does: the route's last * stands for the tail. */
static bool find_route(const struct crm_driver *driver, struct crm_hook *hook)
{
	const struct crm_hook_route *route = driver->hooks;

	for (; route != NULL && route->method != NULL; route++) {
		struct str path = str_from(route->path);
		bool is_open = str_ends(path, STR("*"));

		if (!str_equal(str_from(route->method), hook->method))
			continue;
		if (is_open)
			path.size--;
		if (!str_starts(hook->path, path) || (!is_open && path.size != hook->path.size))
			continue;
		hook->tail = str_of(hook->path.data + path.size, hook->path.size - path.size);
		return true;
	}
	return false;
}

static struct crm_hook hook_of(struct golden *golden)
{
	const struct json *json = json_member(golden->json, "hook");
	struct crm_hook hook = {
		.method = json_text(json_member(json, "method")),
		.path = json_text(json_member(json, "path")),
		.body = golden_text(json_member(json, "body"), golden->arena),
		.signature = json_text(json_member(json, "signature")),
	};
	struct args_source source = {
		.query = json_text(json_member(json, "query")),
		.content_type = json_text(json_member(json, "content_type")),
		.body = hook.body,
	};
	struct error error = {0};

	if (!find_route(golden->driver, &hook))
		fail_msg("no route for %.*s %.*s", STR_ARG(hook.method), STR_ARG(hook.path));
	assert_true(clock_parse(json_text(json_member(golden->json, "now")), NULL, &hook.now_ms));
	hook.json = golden_parse(golden, hook.body);
	args_read(&hook.args, &source, golden->arena, &error);
	return hook;
}

static void put_text(struct json_writer *writer, const char *name, struct str text)
{
	if (text.size > 0)
		json_put_member_str(writer, name, text);
}

static void put_heard(struct json_writer *writer, const struct crm_heard *heard)
{
	json_put_name(writer, "heard");
	json_open_object(writer);
	json_put_member_str(writer, "kind", str_from(heard_names[heard->kind]));
	put_text(writer, "user", heard->user);
	put_text(writer, "extension", heard->extension);
	put_text(writer, "phone", heard->phone);
	put_text(writer, "origin_call", heard->origin_call);
	if (heard->customer_count > 0)
		golden_put_customers(writer, heard->customers, heard->customer_count);
	if (heard->oauth_after.size > 0)
		json_put_member_raw(writer, "oauth_after", heard->oauth_after);
	json_close_object(writer);
}

static void put_answer(
	struct json_writer *writer, struct golden *golden, const struct crm_heard *heard)
{
	bool is_json = str_starts(str_from(heard->content_type), STR("application/json"));

	if (golden_leak(golden, heard->answer) != NULL)
		fail_msg("a secret in the answer");
	json_put_name(writer, "answer");
	json_open_object(writer);
	json_put_member_int(writer, "status", heard->status);
	put_text(writer, "content_type", str_from(heard->content_type));
	if (is_json && golden_parse(golden, heard->answer) == NULL)
		fail_msg("the answer is no JSON");
	if (is_json)
		json_put_member_raw(writer, "body", heard->answer);
	else
		put_text(writer, "body", heard->answer);
	json_close_object(writer);
}

static void put_owner(struct json_writer *writer, struct golden *golden, struct crm_hook *hook)
{
	struct crm_hook_owner owner = {0};

	if (!golden->driver->owner(hook, &owner))
		return;
	json_put_name(writer, "owner");
	json_open_object(writer);
	json_put_member_str(writer, "member", str_from(owner.member));
	json_put_member_str(writer, "value", owner.value);
	json_close_object(writer);
}

void golden_run_hook(struct golden *golden, struct buf *to)
{
	bool known = json_is_true(json_member(golden->json, "known"));
	struct crm_account account = golden_account(golden);
	struct crm_hook *hook = arena_alloc(golden->arena, sizeof(*hook));
	struct crm_heard heard = {.arena = golden->arena};
	struct json_writer writer;

	heard.customers = arena_array(golden->arena, CRM_MAX_FOUND, sizeof(struct crm_customer));
	*hook = hook_of(golden);
	json_begin(&writer, to);
	json_open_object(&writer);
	golden_put_given(&writer, golden, found_members);
	put_owner(&writer, golden, hook);
	golden->driver->hear(known ? &account : NULL, hook, &heard);
	assert_true(heard.status >= 200 && heard.status < 600);
	put_heard(&writer, &heard);
	put_answer(&writer, golden, &heard);
	put_text(&writer, "why", str_from(heard.why.text));
	json_close_object(&writer);
}
