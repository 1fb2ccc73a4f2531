/*
 * customer_record: what is shown of a customer, as text (Redis, PostgreSQL's customer_shown()) and as a
 * struct. Pure.
 */
#ifndef INTEGRATION_CACHE_CUSTOMER_RECORD_H
#define INTEGRATION_CACHE_CUSTOMER_RECORD_H

#include "json.h"

#define CUSTOMER_MAX_CRMS	  8
#define CUSTOMER_MAX_RECORD_BYTES ((size_t)64 << 10)

struct customer_crm {
	struct str code;
	struct str id;	    /* the customer's there; of several the newest */
	struct str manager; /* that CRM's user who is responsible */
};

/* Texts are empty when not known. */
struct customer {
	bool known; /* false: nobody has heard of that number */
	bool black_list;
	struct str name; /* as people read it: the company, else "Last First Middle" */
	struct str last_name, first_name, middle_name, enterprise_name;
	struct str source; /* who gave the name: "hand", or a CRM's code */
	struct str person_uid;
	struct customer_crm crms[CUSTOMER_MAX_CRMS];
	unsigned crm_count;
};

/* Of "null", or an object as customer_shown() gives it. All texts lie in *texts, one block that the
 * caller frees. False with words: it is no such record, and *texts is NULL. */
bool customer_read(struct str json, struct customer *to, char **texts, struct error *error);

/* NULL: that CRM does not know the customer. */
const struct customer_crm *customer_crm(const struct customer *customer, struct str code);

/* The answer of /customer-profile: the names, and where they are from. */
void customer_write_profile(struct json_writer *writer, const struct customer *customer);
void customer_put_text(struct json_writer *writer, const char *name, struct str text); /* or null */

#endif
