/*
 * outbox_rows: rows of the table outbox, with what stands in their chats, read back into memory.
 */
#ifndef DISPATCHER_OUTBOX_ROWS_H
#define DISPATCHER_OUTBOX_ROWS_H

#include "outbox.h"
#include "pg.h"

/* "SELECT " OUTBOX_ROWS " WHERE ..." with `o` for the row. */
#define OUTBOX_ROWS                                                                                \
	"o.id, o.call_id, o.shard, o.enterprise_number, o.state,"                                  \
	" split_part(o.destination, ':', 2)::bigint, o.version, o.final,"                          \
	" o.payload->>'html', o.payload->>'markup', o.payload ? 'delete',"                         \
	" o.payload->'recording'->>'at', o.payload->'recording'->>'size',"                         \
	" o.payload->'recording'->>'with', o.attempts,"                                            \
	" greatest(0, (extract(epoch FROM o.next_at - now()) * 1000)::bigint),"                    \
	" (extract(epoch FROM o.failing_since) * 1000)::bigint,"                                   \
	" (extract(epoch FROM o.created_at) * 1000)::bigint, o.trace_id,"                          \
	" m.message_id, m.sent_version, m.unknown_sends, m.sent_final,"                            \
	" (extract(epoch FROM coalesce(m.sent_at, m.created_at)) * 1000)::bigint,"                 \
	" array_to_string(m.old_message_ids, ','),"                                                \
	" coalesce(c.call_url, ''), c.recorded_at IS NOT NULL, c.uuid_token::text"                 \
	" FROM outbox o LEFT JOIN telegram_messages m ON m.call_id = o.call_id"                    \
	" AND o.destination = 'telegram:' || m.chat_id LEFT JOIN calls c ON c.id = o.call_id"

struct outbox_row {
	int64_t id, call_id;
	unsigned shard;
	struct str enterprise;
};

/* What decides whether the row is wanted. */
void outbox_row_look(const struct pg_batch *batch, int row, struct outbox_row *to);

/* Put it into memory: the call's state, when it is the newest, and the delivery, which is idle. NULL:
 * its enterprise has no bot any more. */
struct delivery *outbox_row_load(struct dispatcher *d, const struct pg_batch *batch, int row);

/* Where a call's recording is: its call_url, else its token under the base of all recordings; "" when
 * there is none, or when it is no link. */
const char *recording_url(const struct dispatcher *d, struct str call_url, bool recorded,
	struct str token, struct arena *arena);

#endif
