/*
 * meters: what can be counted.
 */
#ifndef BOT_METERS_H
#define BOT_METERS_H

#include "metrics.h"

enum meter_poll { POLL_UPDATES, POLL_QUIET, POLL_FAILED, POLL_CONFLICT, POLL_REFUSED, METER_POLLS };
enum meter_answer { ANSWER_TOLD, ANSWER_AGAIN, ANSWER_DROPPED, METER_ANSWERS };
enum meter_command { PBX_DONE, PBX_REFUSED, PBX_FAILED, PBX_UNKNOWN, METER_COMMANDS };
enum { METER_UPDATES = 5 }; /* enum update_kind */

struct meters {
	struct metric *owned, *troubled;
	struct metric *polls[METER_POLLS];
	struct metric *updates[METER_UPDATES];
	struct metric *forged;
	struct metric *answers[METER_ANSWERS];
	struct metric *commands[METER_COMMANDS];
	struct metric *swept;
	struct metric *webhook_refused;
};

void meters_init(struct meters *meters, struct metrics *metrics);

#endif
