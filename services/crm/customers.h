/*
 * customers: what a CRM knows of customers, as SQL takes it. Pure.
 */
#ifndef CRM_CUSTOMERS_H
#define CRM_CUSTOMERS_H

#include "crm_driver.h"

#define CUSTOMERS_MAX_BYTES (4 << 20)

/* The argument of customer_learn(): numbers in E.164 by the country, those that are none left out. */
struct str customers_json(const struct crm_customer *customers, unsigned count, const char *country,
	struct arena *arena);

/* "Company", else "Last First Middle"; empty when there is neither. */
struct str customer_display_name(const struct crm_customer *customer, struct arena *arena);

/* The one of those found that is shown: a company before a person; NULL: none. */
const struct crm_customer *customers_best(const struct crm_customer *customers, unsigned count);

#endif
