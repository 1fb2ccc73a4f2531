/*
 * crm_retail: RetailCRM's API v5. What its files offer each other.
 */
#ifndef SANDBOX_CRM_RETAIL_H
#define SANDBOX_CRM_RETAIL_H

#include "crm.h"

/* crm_retail_calls.c */
void retail_call_event(struct crm_request *request);
void retail_calls_upload(struct crm_request *request);
void retail_manager(struct crm_request *request);

/* crm_retail_people.c */
void retail_customers(struct crm_request *request);
void retail_customer(struct crm_request *request);
void retail_customer_create(struct crm_request *request);
void retail_customer_edit(struct crm_request *request);
void retail_history(struct crm_request *request);
void retail_companies(struct crm_request *request);
void retail_company_contacts(struct crm_request *request);
void retail_put_customer(struct crm_request *request, const struct card *customer);

/* crm_retail_office.c */
void retail_users(struct crm_request *request);
void retail_user(struct crm_request *request);
void retail_groups(struct crm_request *request);
void retail_sites(struct crm_request *request);
void retail_credentials(struct crm_request *request);
void retail_module(struct crm_request *request);
void retail_module_edit(struct crm_request *request);

/* crm_retail.c: a form field that holds JSON, freed by the caller; NULL: the request is refused. */
struct json *retail_form_json(struct crm_request *request, const char *name, enum json_kind kind);
bool retail_knows_site(const struct office *office, struct str site);

/* An answer that is well: crm_begin() with "success": true. */
void retail_begin(struct crm_request *request, int status);

/* One page of a list: `limit` 20, 50 or 100, `page` from 1. */
struct retail_page {
	int64_t from, to; /* of the items that fit */
	int64_t limit, page;
	int64_t total; /* items that fit, so far */
};
/* An answer that is open in its list `name`. False: the request is refused. */
bool retail_begin_list(struct crm_request *request, struct retail_page *page, const char *name);
bool retail_shows_next(struct retail_page *page); /* one more fits: is it on the page? */
void retail_end_list(struct crm_request *request, const struct retail_page *page);

#endif
