/*
 * call_sql: the statements behind the page of a call. Each is bounded and goes by an index.
 */
#ifndef CONSOLE_CALL_SQL_H
#define CONSOLE_CALL_SQL_H

/* All take ($1 enterprise, $2 call id) and run as one batch. */
enum {
	ASK_ROW,
	ASK_NUMBERS,	/* kind, number */
	ASK_TRANSFERS,	/* from, to, kind, result, at */
	ASK_NAMES,	/* number or "line:" and a line, name */
	ASK_REASONS,	/* at, event id, why */
	ASK_CHATS,	/* see take_chats() */
	ASK_DELIVERIES, /* see take_deliveries() */
	ASK_CRM,	/* see take_crm() */
	ASK_STATEMENTS
};

enum { /* columns of ASK_ROW */
	COL_ID,
	COL_VERSION,
	COL_DIRECTION,
	COL_STATE,
	COL_ANSWERED,
	COL_PHONE,
	COL_CALLER,
	COL_CALLEE,
	COL_TRUNK,
	COL_STARTED,
	COL_ANSWER,
	COL_ENDED,
	COL_UNIQUE_ID,
	COL_SOURCE,
	COL_TRACE_ID,
	COL_CREATED,
	COL_UPDATED,
	COL_CUSTOMER,
	COL_ENTERPRISE,
	COL_ENTERPRISE_NAME,
	COL_LOCALE,
	COL_COUNTRY,
	COL_ZONE,
};

extern const char *const call_sql[ASK_STATEMENTS];

/* ($1 enterprise, $2 from, $3 to, $4 call id, or a JSON array of bridges): id, ms, type, source, trace,
 * bytes, JSON without the token. */
extern const char call_sql_events[];
extern const char call_sql_bridges[];

#endif
