/*
 * event_log: logs/call_tester_events.log, for people with grep.
 *
 * "2025-10-01 14:23:45,123 [INFO] call_tester: 🚀 EMULATION REQUEST to ..."; JSON is indented by
 * two. The file is opened for each record (it may be truncated or moved at any time) and rotated at
 * a size, five old ones are kept. A disk that is full stops no call: the service's own log is told.
 */
#ifndef EMULATOR_EVENT_LOG_H
#define EMULATOR_EVENT_LOG_H

#include "buf.h"
#include "error.h"
#include "log.h"

struct event_log;

/* NULL with words when the folder cannot be made or written. */
struct event_log *event_log_new(
	const char *path, size_t max_bytes, const struct log_context *log, struct error *error);
void event_log_free(struct event_log **log);

void event_log_request(struct event_log *log, struct str url, struct str event, struct str json);
void event_log_response(struct event_log *log, struct str event, int status, struct str json);
void event_log_error(struct event_log *log, struct str event, struct str words);
void event_log_outcome(struct event_log *log, struct str event, bool sent, const char *why);

#endif
