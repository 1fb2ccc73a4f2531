/*
 * told: what somebody says of a call in the words of a former service, read as a call. Pure.
 */
#ifndef CRM_TOLD_H
#define CRM_TOLD_H

#include "inner.h"

enum told_style {
	TOLD_PLAIN,	  /* {"success": true} */
	TOLD_WITH_STATUS, /* {"success": true, "status": 200} */
	TOLD_IN_WORDS,	  /* {"status": "success"} */
};

struct told_way;

struct told {
	const struct told_way *way;
	enum told_style style;
	const struct args *args;
	const struct json *json;
	struct str enterprise; /* number, or token where the address takes one */
	enum crm_kind kind;
	struct crm_call call;
	bool is_internal; /* nobody outside takes part: nothing is told */
};

/* The verbs of a driver, by the last part of their paths. NULL ends. */
const char *told_verb(struct str code, size_t index);

/* Whose call it is. */
bool told_find(struct told *told, struct str verb, const struct args *args, const struct json *json,
	struct error *error);
/* The call. */
bool told_read(
	struct told *told, const struct account *account, struct arena *arena, struct error *error);

#endif
