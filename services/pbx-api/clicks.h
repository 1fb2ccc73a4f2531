/*
 * clicks: which clicks are under way or were just answered, and how many more an enterprise may make.
 *
 * A second click on the same number within three seconds, or while the first is under way, is the
 * same click: it gets the first one's outcome. Bounded by each enterprise's rate, and in all.
 */
#ifndef PBX_API_CLICKS_H
#define PBX_API_CLICKS_H

#include "ami.h"

struct clicks;

struct clicks_options {
	int64_t per_minute; /* of one enterprise */
	int64_t at_once;    /* to one enterprise's PBX */
};

struct clicks *clicks_new(const struct clicks_options *options);
void clicks_free(struct clicks **clicks);

struct click {
	bool over;
	struct ami_outcome outcome;
	bool not_set_up;	   /* there was nobody to ask */
	char shown[168];	   /* the customer's name; "" */
	struct flow_queue waiting; /* those who clicked again */

	/* the table's */
	char *key;
	struct click_desk *desk;
	int64_t begun_ms;
	unsigned readers;
	struct click *next;
};

enum clicks_say {
	CLICKS_FIRST,	 /* make the call, then clicks_end() */
	CLICKS_SAME,	 /* wait until it is over */
	CLICKS_TOO_FAST, /* over the rate */
	CLICKS_TOO_MANY, /* at once */
};

/* Clicks with the same are the same. */
struct click_key {
	struct str enterprise, extension, phone;
};

/* With CLICKS_FIRST and CLICKS_SAME: `*click` is the caller's until clicks_leave(). */
enum clicks_say clicks_begin(
	struct clicks *clicks, const struct click_key *key, int64_t now_ms, struct click **click);
/* The outcome is in it: wakes all who wait. Once, by whom it was first. */
void clicks_end(struct click *click);
void clicks_leave(struct click *click);

#endif
