/*
 * crm_uon_leads: leads, the lists of statuses, and webhooks of U-ON.
 */
#include "crm_uon.h"

#include "json_put.h"

/* -- leads ------------------------------------------------------------------------------------------ */

static const struct check_field lead_fields[] = {
	MAY("r_u_id", CHECK_INT),
	MAY("r_cl_id", CHECK_INT),
	MAY("r_co_id", CHECK_INT),
	MAY("status_id", CHECK_INT),
	MAY("source", CHECK_STRING),
	MAY("note", CHECK_STRING),
	MAY("u_surname", CHECK_STRING),
	MAY("u_name", CHECK_STRING),
	MAY("u_sname", CHECK_STRING),
	MAY("u_phone", CHECK_PHONE),
	MAY("u_phone_mobile", CHECK_PHONE),
	MAY("u_phone_home", CHECK_PHONE),
	MAY("u_email", CHECK_TEXT),
	MAY("ignore_actions_and_reminders", CHECK_BOOL),
	MAY("ignore_tourist_notification", CHECK_BOOL),
	MAY("ignore_manager_notification", CHECK_BOOL),
	MAY("reminder_datetime", CHECK_TIME),
	MAY("reminder_text", CHECK_STRING),
	{NULL},
};

static struct str contact_of(const struct crm_request *request)
{
	static const char *const names[] = {"u_phone", "u_phone_mobile", "u_phone_home", "u_email"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (crm_arg(request, names[i]).size > 0)
			return crm_arg(request, names[i]);
	}
	return (struct str){0};
}

void uon_lead_create(struct crm_request *request)
{
	struct str contact = contact_of(request), client = crm_arg(request, "r_cl_id");
	const struct card *customer;
	struct card *lead;

	if (!uon_check(request, lead_fields))
		return;
	if (contact.size == 0) {
		crm_refuse(request, 400, "", "Parameter 'u_phone' or 'u_email' is missing");
		return;
	}
	lead = office_add(request->office, CARD_LEAD, request->now_ms);
	uon_give_id(lead);
	lead->entries = 1;
	uon_keep(request, lead, lead_fields);
	/* Without a client's id it finds him by his phone. */
	customer = client.size == 0 ? office_customer(request->office, contact, NULL) : NULL;
	if (customer != NULL)
		card_set(lead, "r_cl_id", card_get(customer, "id"));
	uon_say_id(request, lead);
}

static void put_lead(struct crm_request *request, const struct card *lead)
{
	json_open_object(&request->out);
	json_put_member_str(&request->out, "id", card_get(lead, "id"));
	json_put_member_str(&request->out, "status_id", card_get(lead, "status_id"));
	json_put_member_str(&request->out, "manager_id", card_get(lead, "r_u_id"));
	json_put_member_str(&request->out, "client_id", card_get(lead, "r_cl_id"));
	json_put_member_str(&request->out, "client_phone_mobile",
		card_has(lead, "u_phone_mobile") ? card_get(lead, "u_phone_mobile")
						 : card_get(lead, "u_phone"));
	json_close_object(&request->out);
}

void uon_leads_by_client(struct crm_request *request)
{
	const struct card *at = request->office->first[CARD_LEAD];

	while (at != NULL && !str_equal(card_get(at, "r_cl_id"), request->parts[0]))
		at = at->next;
	if (at == NULL) {
		uon_nothing(request);
		return;
	}
	uon_begin_list(request, "leads");
	for (; at != NULL; at = at->next) {
		if (str_equal(card_get(at, "r_cl_id"), request->parts[0]))
			put_lead(request, at);
	}
	uon_end_list(request);
}

void uon_request_update(struct crm_request *request)
{
	static const struct check_field fields[] = {MAY("lead_status_id", CHECK_INT),
		MAY("request_status_id", CHECK_INT), MAY("manager_id", CHECK_INT),
		MAY("r_cl_id", CHECK_INT), {NULL}};
	struct card *lead = office_by_id(request->office, CARD_LEAD, request->parts[0]);

	if (lead == NULL) {
		uon_nothing(request);
		return;
	}
	if (!uon_check(request, fields))
		return;
	if (args_has(request->args, "lead_status_id"))
		card_set(lead, "status_id", crm_arg(request, "lead_status_id"));
	if (args_has(request->args, "manager_id"))
		card_set(lead, "r_u_id", crm_arg(request, "manager_id"));
	if (args_has(request->args, "r_cl_id"))
		card_set(lead, "r_cl_id", crm_arg(request, "r_cl_id"));
	lead->updates++;
	lead->changed_ms = request->now_ms;
	uon_say_id(request, lead);
}

/* status_lead, status and source: declared as choices of that type; else the usual few. */
void uon_choices(struct crm_request *request)
{
	bool any = false;

	uon_begin_list(request, "records");
	for (const struct card *at = request->office->first[CARD_CHOICE]; at != NULL;
		at = at->next) {
		struct str archived = card_get(at, "is_archive");
		json_open_object(&request->out);
		json_put_member_str(&request->out, "id", card_get(at, "id"));
		json_put_member_str(&request->out, "name", card_get(at, "name"));
		json_put_member_str(
			&request->out, "is_archive", archived.size > 0 ? archived : STR("0"));
		json_close_object(&request->out);
		any = true;
	}
	if (!any) {
		json_put_raw(
			&request->out, STR("{\"id\":\"1\",\"name\":\"New\",\"is_archive\":\"0\"}"));
		json_put_raw(&request->out,
			STR("{\"id\":\"2\",\"name\":\"Closed\",\"is_archive\":\"1\"}"));
	}
	uon_end_list(request);
}

/* -- webhooks --------------------------------------------------------------------------------------- */

static const char *const hook_methods[] = {"GET", "POST", NULL};

static const struct check_field webhook_fields[] = {
	MUST("type_id", CHECK_INT),
	MUST("url", CHECK_URL),
	MAY_BE("method", hook_methods),
	MAY("note", CHECK_STRING),
	MAY("section_id", CHECK_INT),
	{NULL},
};

void uon_webhook_create(struct crm_request *request)
{
	struct card *webhook;

	if (!uon_check(request, webhook_fields))
		return;
	/* It does not look whether there is one already. */
	webhook = office_add(request->office, CARD_WEBHOOK, request->now_ms);
	uon_give_id(webhook);
	webhook->entries = 1;
	card_set(webhook, "method", STR("GET"));
	uon_keep(request, webhook, webhook_fields);
	uon_say_id(request, webhook);
}

void uon_webhooks(struct crm_request *request)
{
	if (uon_page(request, request->parts[0]) == 0)
		return;
	if (request->office->count[CARD_WEBHOOK] == 0 || uon_page(request, request->parts[0]) > 1) {
		uon_nothing(request);
		return;
	}
	uon_begin_list(request, "webhooks");
	for (const struct card *at = request->office->first[CARD_WEBHOOK]; at != NULL;
		at = at->next) {
		json_open_object(&request->out);
		json_put_member_str(&request->out, "id", card_get(at, "id"));
		for (const struct check_field *field = webhook_fields; field->name != NULL; field++)
			json_put_member_str(&request->out, field->name, card_get(at, field->name));
		json_close_object(&request->out);
	}
	uon_end_list(request);
}

void uon_webhook_update(struct crm_request *request)
{
	struct card *webhook = office_by_id(request->office, CARD_WEBHOOK, request->parts[0]);

	if (webhook == NULL) {
		uon_nothing(request);
		return;
	}
	if (!uon_check(request, webhook_fields))
		return;
	uon_keep(request, webhook, webhook_fields);
	webhook->updates++;
	uon_say_id(request, webhook);
}

void uon_webhook_delete(struct crm_request *request)
{
	struct card *webhook = office_by_id(request->office, CARD_WEBHOOK, request->parts[0]);

	if (webhook == NULL) {
		uon_nothing(request);
		return;
	}
	uon_say_id(request, webhook);
	office_remove(request->office, webhook);
}
