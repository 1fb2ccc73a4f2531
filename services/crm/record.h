/*
 * record: what was said in a job, for the journal: masked, cut, as JSON. Pure.
 */
#ifndef CRM_RECORD_H
#define CRM_RECORD_H

#include "crm_driver.h"
#include "mask.h"

#define RECORD_BYTES	  (16 * 1024) /* of all together */
#define RECORD_PART_BYTES (6 * 1024)  /* of one body */

struct record {
	struct buf requests, replies; /* items of two arrays, with commas between */
	unsigned cut;		      /* that found no room any more */
};

void record_init(struct record *record);
void record_free(struct record *record);

void record_request(
	struct record *record, const struct mask *mask, const struct crm_request *request);
void record_reply(struct record *record, const struct mask *mask, const struct crm_reply *reply);
/* There was no reply: in words. */
void record_silence(struct record *record, const struct mask *mask, const char *words);

/* Append "requests": [...] and "replies": [...] to an open object. */
void record_write(const struct record *record, struct json_writer *writer);

#endif
