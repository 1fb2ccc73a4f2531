/*
 * phone_plans: numbering plans as tables. Private to model.
 */
#ifndef CALLWEAVE_PHONE_PLANS_H
#define CALLWEAVE_PHONE_PLANS_H

#include "str.h"

/* How numbers that begin so are grouped: "2 3-2-2" is (29) 000-00-01. */
struct phone_plan {
	const char *code;		      /* of the country */
	const char *starts;		      /* first digits behind the code, "5 77 78"; "": any */
	unsigned char min_digits, max_digits; /* behind the code */
	const char *groups;
};

/* How a number is dialled inside a country. */
struct phone_country {
	const char *name;	    /* "BY" */
	const char *code;	    /* "375" */
	const char *trunk_prefixes; /* "80 0" */
	unsigned char min_digits, max_digits;
};

/* The plan for a number with its country code; NULL when no plan fits. */
const struct phone_plan *phone_plan_find(struct str digits);

const struct phone_country *phone_country_find(const char *name); /* NULL when unknown */

#endif
