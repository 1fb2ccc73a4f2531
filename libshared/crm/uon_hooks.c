/*
 * uon_hooks: webhooks of U-ON: registered once each, with a secret in their address since U-ON signs
 * nothing; and what they tell us.
 */
#include "uon.h"

#define HOOK_PATH "/uon/webhook"
#define MAX_IDS	  50

/* 3 created, 4 changed, 5 deleted: a client; 47: a click on a number. */
static const char *const types[] = {"3", "4", "5", "47"};
#define TYPES (sizeof(types) / sizeof(types[0]))

/* -- registration -------------------------------------------------------------------------------- */

static const char *address(const struct crm_job *job)
{
	return arena_printf(job->arena, "%s" HOOK_PATH "/%s", job->account->hook_url,
		crm_config_key(job->account, "webhook_secret", job->arena));
}

int uon_plan_webhooks(struct crm_job *job)
{
	struct uon *own = job->own;

	if (job->account->hook_url[0] == '\0')
		return crm_stop(job, "CALLWEAVE_CRM_HOOK_URL is not set: U-ON could not reach us");
	if (crm_config_key(job->account, "webhook_secret", job->arena) == NULL)
		return crm_stop(job, "webhook_secret: missing");
	crm_steps_add(&own->steps, UON_WEBHOOKS, STR(""));
	return 0;
}

bool uon_build_webhooks(struct crm_job *job, struct crm_request *request)
{
	return uon_get(job, request, "webhook/1");
}

struct memory {
	struct json_strings webhooks; /* their ids */
};

static const struct json_field memory_fields[] = {
	JSON_FIELD(struct memory, webhooks, JSON_STRINGS, 0),
	{0},
};

static void remember(struct crm_job *job)
{
	const struct uon *own = job->own;
	struct memory memory = {.webhooks = own->webhooks};

	crm_memory_write(job, memory_fields, &memory);
}

/* Which of the types this one serves; TYPES: none, it is of another time, or twice there. */
static size_t served(const struct crm_job *job, const struct json *webhook, const bool found[TYPES])
{
	struct str type = crm_id(json_member(webhook, "type_id"), job->arena);
	bool is_post = str_equal(json_text(json_member(webhook, "method")), STR("POST"));

	if (job->task == CRM_UNREGISTER || !is_post ||
		!str_equal(json_text(json_member(webhook, "url")), str_from(address(job))))
		return TYPES;
	for (size_t i = 0; i < TYPES; i++) {
		if (str_equal(type, str_from(types[i])) && !found[i])
			return i;
	}
	return TYPES;
}

/* What is right stays, what else leads to us goes, what lacks is made. */
void uon_read_webhooks(struct crm_job *job, const struct json *reply)
{
	struct uon *own = job->own;
	struct str ours =
		str_from(arena_printf(job->arena, "%s" HOOK_PATH, job->account->hook_url));
	bool found[TYPES] = {false};

	for (const struct json *at = uon_list(reply); at != NULL; at = json_next(at)) {
		struct str id = crm_id(json_member(at, "id"), job->arena);
		size_t type = served(job, at, found);

		if (!str_starts(json_text(json_member(at, "url")), ours) || id.size == 0)
			continue;
		if (type < TYPES) {
			found[type] = true;
			crm_put_among(&own->webhooks, id, job->arena);
		} else {
			crm_steps_add(&own->steps, UON_WEBHOOK_DELETE, crm_keep(id, job->arena));
		}
	}
	for (size_t i = 0; i < TYPES && job->task == CRM_REGISTER; i++) {
		if (!found[i])
			crm_steps_add(&own->steps, UON_WEBHOOK, str_from(types[i]));
	}
	remember(job);
}

bool uon_build_webhook(struct crm_job *job, struct crm_request *request)
{
	struct json_writer writer;
	struct buf buf;

	crm_json_begin(&writer, &buf);
	uon_put_id(&writer, "type_id", uon_who(job));
	json_put_member_str(&writer, "method", STR("POST"));
	json_put_member_str(&writer, "url", str_from(address(job)));
	return uon_post(job, request, "webhook/create", &writer);
}

void uon_read_webhook(struct crm_job *job, const struct json *reply)
{
	struct uon *own = job->own;

	crm_put_among(&own->webhooks, crm_id(json_member(reply, "id"), job->arena), job->arena);
	remember(job);
}

bool uon_build_webhook_delete(struct crm_job *job, struct crm_request *request)
{
	struct json_writer writer;
	struct buf buf;

	crm_json_begin(&writer, &buf);
	return uon_post(job, request,
		arena_printf(job->arena, "webhook/delete/%s", crm_digits(uon_who(job), job->arena)),
		&writer);
}

/* -- what it tells us ---------------------------------------------------------------------------- */

const struct crm_hook_route uon_hooks[] = {
	{"POST", HOOK_PATH},
	{"POST", HOOK_PATH "/*"},
	{NULL, NULL},
};

/* The address of old has no secret: it belongs to nobody. */
bool uon_owner(const struct crm_hook *hook, struct crm_hook_owner *owner)
{
	owner->member = "webhook_secret";
	owner->value = hook->tail;
	return hook->tail.size > 0;
}

/* Of which account it is, where the configuration names one. */
static bool is_account(
	const struct crm_account *account, const struct crm_hook *hook, struct arena *arena)
{
	static const char *const members[][2] = {
		{"account_id", "uon_id"}, {"subdomain", "uon_subdomain"}};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		struct str wanted = crm_config_text(account, members[i][0], NULL, arena);
		struct str said = args_get(&hook->args, members[i][1]);
		struct str name = said, first = wanted;

		/* "june" and "june.u-on.ru" are one. */
		if (wanted.size > 0 && said.size > 0 && !str_equal(wanted, said) &&
			!str_equal_nocase(str_cut(&first, '.'), str_cut(&name, '.')))
			return false;
	}
	return true;
}

/* A member of the client's block, in JSON or as client[u_name] in a form. */
static struct str client_text(const struct crm_hook *hook, const char *name, struct arena *arena)
{
	const struct json *client = json_member(hook->json, "client");

	if (client != NULL)
		return uon_text(client, name, arena);
	return str_trim(args_get(&hook->args, arena_printf(arena, "client[%s]", name)));
}

static void read_block(
	const struct crm_hook *hook, struct crm_customer *customer, struct arena *arena)
{
	customer->id = client_text(hook, "u_id", arena);
	customer->last_name = client_text(hook, "u_surname", arena);
	customer->first_name = client_text(hook, "u_name", arena);
	customer->middle_name = client_text(hook, "u_sname", arena);
	customer->enterprise_name = client_text(hook, "u_company", arena);
	customer->manager_id = client_text(hook, "u_manager_id", arena);
	customer->phones.items = arena_array(arena, 3, sizeof(struct str));
	uon_add_phone(customer, client_text(hook, "u_phone", arena));
	uon_add_phone(customer, client_text(hook, "u_phone_mobile", arena));
	uon_add_phone(customer, client_text(hook, "u_phone_home", arena));
}

/* Without the block (which the vendor does not document) there is only an id: read the changes. */
static void hear_client(const struct crm_hook *hook, bool deleted, struct crm_heard *heard)
{
	struct str id = args_get(&hook->args, "client_id");
	struct crm_customer customer = {.deleted = deleted};

	read_block(hook, &customer, heard->arena);
	if (customer.id.size == 0)
		customer.id = id;
	crm_answer(heard, 200, "{\"ok\":true,\"handled\":\"client\"}");
	if (customer.id.size == 0 || (!deleted && customer.phones.count == 0)) {
		heard->kind = CRM_HEARD_CHANGES;
		return;
	}
	heard->kind = CRM_HEARD_CUSTOMERS;
	heard->customers[heard->customer_count++] = customer;
}

static void hear_click(
	const struct crm_account *account, const struct crm_hook *hook, struct crm_heard *heard)
{
	struct str user = args_get(&hook->args, "user_id");
	struct str phone = args_get(&hook->args, "phone");
	struct str extension;

	if (user.size == 0)
		user = args_get(&hook->args, "manager_id");
	extension = crm_extension_of(account, user, heard->arena);
	if (extension.size == 0) {
		crm_refuse(heard, 200, "{\"ok\":false,\"error\":\"extension_not_configured\"}",
			"a click by somebody who has no extension");
		return;
	}
	if (crm_digits(phone, heard->arena)[0] == '\0') {
		crm_refuse(heard, 400, "{\"ok\":false,\"error\":\"phone_missing\"}",
			"a click without a number");
		return;
	}
	heard->kind = CRM_HEARD_CALL;
	heard->user = user;
	heard->extension = extension;
	heard->phone = phone;
	crm_answer(heard, 200, "{\"ok\":true}");
}

static void hear_type(
	const struct crm_account *account, const struct crm_hook *hook, struct crm_heard *heard)
{
	int64_t type = 0;

	(void)args_int(&hook->args, "type_id", &type);
	if (type == 47 || str_equal(args_get(&hook->args, "method"), STR("call")))
		hear_click(account, hook, heard);
	else if (type == 3 || type == 4 || type == 5)
		hear_client(hook, type == 5, heard);
	else
		crm_answer(heard, 200, "{\"ok\":true,\"ignored\":true}");
}

void uon_hear(
	const struct crm_account *account, const struct crm_hook *hook, struct crm_heard *heard)
{
	if (hook->tail.size == 0)
		crm_refuse(heard, 401, "{\"ok\":false,\"error\":\"the address holds no secret\"}",
			"a webhook of old: register the webhooks anew");
	else if (account == NULL)
		crm_refuse(heard, 401, "{\"ok\":false,\"error\":\"enterprise_not_found\"}",
			"nobody has this secret");
	else if (!is_account(account, hook, heard->arena))
		crm_refuse(heard, 403, "{\"ok\":false,\"error\":\"another account\"}",
			"the webhook of another account of U-ON");
	else
		hear_type(account, hook, heard);
}
