/*
 * crm_moysklad: MoySklad's two APIs, Phone 1.0 and Remap 1.2. What their files offer each other.
 */
#ifndef SANDBOX_CRM_MOYSKLAD_H
#define SANDBOX_CRM_MOYSKLAD_H

#include "crm.h"

/* crm_moysklad_calls.c */
void moysklad_call_create(struct crm_request *request);
void moysklad_call_show(struct crm_request *request);
void moysklad_call_show_by_extid(struct crm_request *request);
void moysklad_call_change(struct crm_request *request);
void moysklad_call_change_by_extid(struct crm_request *request);
void moysklad_call_event(struct crm_request *request);
void moysklad_call_event_by_extid(struct crm_request *request);
void moysklad_phone_employees(struct crm_request *request);

/* crm_moysklad_remap.c */
void moysklad_counterparties(struct crm_request *request);
void moysklad_counterparty(struct crm_request *request);
void moysklad_counterparty_create(struct crm_request *request);
void moysklad_counterparty_change(struct crm_request *request);
void moysklad_contacts(struct crm_request *request);
void moysklad_employees(struct crm_request *request);

/* crm_moysklad.c: {"meta":{"href","type","mediaType"}} of an entity of Remap, as a member. */
void moysklad_put_meta(
	struct crm_request *request, const char *member, const char *type, struct str id);
/* The id at the end of such a reference's href; empty when it is none. */
struct str moysklad_id_of(const struct json *reference);
/* Refuse by the first problem, in its words and codes. */
void moysklad_refuse_problem(struct crm_request *request, const struct check_problem *problem);
/* The body is a JSON object of this table, or the request is refused. */
bool moysklad_check(struct crm_request *request, const struct check_field *fields);
extern const struct check_field moysklad_reference_fields[];
/* A new id in the form of a UUID. */
struct str moysklad_new_id(struct crm_request *request);

#endif
