/*
 * crm_raw: a call as CRMs are told of it, made of one raw event of a PBX.
 *
 * For callers of POST /dispatch/call-event that have no call but the event: direction, number and
 * extension by the rules of the system that this replaces, with its faults mended: internal calls
 * are none, numbers are E.164 by the enterprise's country, who answered counts and not who rang.
 */
#ifndef CALLWEAVE_CRM_RAW_H
#define CALLWEAVE_CRM_RAW_H

#include "clock.h"
#include "crm_call.h"
#include "number_rules.h"

struct crm_raw_source {
	struct str unique_id;
	const struct json *raw;		    /* an object */
	bool over;			    /* "hangup", else "dial" */
	const char *country;		    /* "BY" */
	const struct clock_zone *zone;	    /* of StartTime, EndTime; NULL: UTC */
	const struct number_rules *numbers; /* own extensions and lines; may be NULL */
	struct str record_url;
};

enum crm_raw_is { CRM_RAW_CALL, CRM_RAW_INTERNAL, CRM_RAW_WRONG };

/* CRM_RAW_INTERNAL: nobody outside takes part, CRMs are not told. CRM_RAW_WRONG: error has words. */
enum crm_raw_is crm_raw_read(const struct crm_raw_source *source, struct arena *arena,
	struct crm_call *to, struct error *error);

#endif
