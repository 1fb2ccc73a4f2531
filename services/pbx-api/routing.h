/*
 * routing: what a PBX is told of a caller: a name made of several parts, and a route. Pure.
 *
 * By integrations_config.smart: mode, and for each line what its calls show and who should take them.
 */
#ifndef PBX_API_ROUTING_H
#define PBX_API_ROUTING_H

#include "accounts.h"
#include "customer.h"

enum routing_parts { ROUTING_LINE, ROUTING_SHOP, ROUTING_CUSTOMER, ROUTING_PARTS };

/* What holds for the calls of one line. */
struct routing_rule {
	bool names;	      /* a name is told */
	bool routes;	      /* a route is told */
	struct str algorithm; /* a CRM's code, "first_call", "last_call" */
	bool send[ROUTING_PARTS];
	int order[ROUTING_PARTS]; /* the lowest comes first */
};

/* Of the enterprise, for a line as the PBX sends it; `line` may be NULL: one that is not known. What
 * `lines` does not name has a customer's name and routing, as the mode says. */
struct routing_rule routing_rule_of(const struct account *account, const struct account_line *line,
	struct str trunk, struct arena *arena);
/* The line that the PBX means; NULL. */
const struct account_line *routing_line(const struct account *account, struct str trunk);

/* The caller in E.164, by the line's own spelling of numbers. False: hidden, or an extension. */
bool routing_phone(const struct account *account, const struct account_line *line, struct str phone,
	char to[PHONE_TEXT_BYTES]);

/* Is it to be asked who talked to the caller before? */
bool routing_by_history(const struct routing_rule *rule);

/* Texts in the arena; empty: none. */
struct str routing_name(const struct routing_rule *rule, const struct account_line *line,
	struct str customer, struct arena *arena);
struct str routing_plan(const struct account *account, const struct routing_rule *rule,
	const struct customer_facts *facts, struct str trunk, struct arena *arena);

#endif
