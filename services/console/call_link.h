/*
 * call_link: addresses of calls' and customers' pages: whose, and may the bearer see it?
 */
#ifndef CONSOLE_CALL_LINK_H
#define CONSOLE_CALL_LINK_H

#include "arena.h"
#include "str.h"

#define LINK_ENTERPRISE_BYTES 51 /* of enterprises.number, and a NUL */
#define LINK_PHONE_BYTES      16 /* E.164 without its plus, and a NUL */

struct link {
	char enterprise[LINK_ENTERPRISE_BYTES];
	int64_t call_id;	      /* of a call's page; else 0 */
	char phone[LINK_PHONE_BYTES]; /* of a customer's page, digits; else "" */
	struct str until, sign;
};

enum link_verdict { LINK_GOOD, LINK_WRONG, LINK_OVER };

/* What an address says: `tail` is "0367/123". False when it is no address of a call. */
bool link_read(struct link *link, struct str tail, struct str query, struct arena *arena);
/* The same of a customer: "0367/375290000001". */
bool link_read_customer(struct link *link, struct str tail, struct str query, struct arena *arena);

/* Asks no database: whether there is such a call is nobody's business who has no link to it. */
enum link_verdict link_check(const struct link *link, struct str key, int64_t now_ms);

/* From the page of a link to another that may be seen as long as it: the path from below "/<kind>/<number>/".
 * "" when there is none (a number that is withheld). */
const char *link_to_customer(
	const struct link *from, struct str key, const char *phone, struct arena *arena);
const char *link_to_call(
	const struct link *from, struct str key, int64_t call_id, struct arena *arena);

/* console --link ENTERPRISE CALL_ID [DAYS]: print a link. The exit code of the process. */
int link_command(int argc, char **argv);

#endif
