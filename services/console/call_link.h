/*
 * call_link: addresses of calls' pages: whose call, and may the bearer see it?
 */
#ifndef CONSOLE_CALL_LINK_H
#define CONSOLE_CALL_LINK_H

#include "arena.h"
#include "str.h"

#define LINK_ENTERPRISE_BYTES 51 /* of enterprises.number, and a NUL */

struct link {
	char enterprise[LINK_ENTERPRISE_BYTES];
	int64_t call_id;
	struct str until, sign;
};

enum link_verdict { LINK_GOOD, LINK_WRONG, LINK_OVER };

/* What an address says: `tail` is "0367/123". False when it is no address of a call. */
bool link_read(struct link *link, struct str tail, struct str query, struct arena *arena);

/* Asks no database: whether there is such a call is nobody's business who has no link to it. */
enum link_verdict link_check(const struct link *link, struct str key, int64_t now_ms);

/* console --link ENTERPRISE CALL_ID [DAYS]: print a link. The exit code of the process. */
int link_command(int argc, char **argv);

#endif
