/*
 * crm_uon: U-ON.Travel's API. What its files offer each other.
 */
#ifndef SANDBOX_CRM_UON_H
#define SANDBOX_CRM_UON_H

#include "crm.h"

/* crm_uon_calls.c */
void uon_call_create(struct crm_request *request);
void uon_calls(struct crm_request *request);
void uon_calls_by_user(struct crm_request *request);
void uon_reminder_create(struct crm_request *request);
void uon_action_create(struct crm_request *request);
void uon_notification_create(struct crm_request *request);

/* crm_uon_people.c */
void uon_user_by_phone(struct crm_request *request);
void uon_user(struct crm_request *request);
void uon_users(struct crm_request *request);
void uon_user_search(struct crm_request *request);
void uon_user_create(struct crm_request *request);
void uon_user_update(struct crm_request *request);
void uon_managers(struct crm_request *request);
void uon_manager(struct crm_request *request);

/* crm_uon_leads.c */
void uon_lead_create(struct crm_request *request);
void uon_leads_by_client(struct crm_request *request);
void uon_request_update(struct crm_request *request);
void uon_choices(struct crm_request *request);
void uon_webhook_create(struct crm_request *request);
void uon_webhooks(struct crm_request *request);
void uon_webhook_update(struct crm_request *request);
void uon_webhook_delete(struct crm_request *request);

/* crm_uon.c: its number becomes its id. */
void uon_give_id(struct card *card);
/* {"result":200,"id":"7"}; ids are texts in this API. */
void uon_say_id(struct crm_request *request, const struct card *card);
/* Parameters by a table, or the request is refused. */
bool uon_check(struct crm_request *request, const struct check_field *fields);
/* Take each parameter of the table that is there into the card. */
void uon_keep(struct crm_request *request, struct card *card, const struct check_field *fields);
/* An answer that is one list, `name`; a list is pages of 100. */
void uon_begin_list(struct crm_request *request, const char *name);
void uon_end_list(struct crm_request *request);
#define UON_PAGE 100
/* The page that the path's part asks for, from 1; "" is the first. 0: the request is refused. */
int64_t uon_page(struct crm_request *request, struct str part);
/* An empty list is a 404 here. */
void uon_nothing(struct crm_request *request);

#endif
