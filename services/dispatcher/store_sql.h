/*
 * store_sql: the statements of a round's transaction.
 */
#ifndef DISPATCHER_STORE_SQL_H
#define DISPATCHER_STORE_SQL_H

extern const char store_sql_advance[], store_sql_calls[], store_sql_legs[], store_sql_transfers[],
	store_sql_over[], store_sql_memory[], store_sql_merged[], store_sql_outbox[],
	store_sql_recordings[], store_sql_gateway[];

#endif
