/*
 * redis_private: what the files of redis share.
 */
#ifndef CALLWEAVE_REDIS_PRIVATE_H
#define CALLWEAVE_REDIS_PRIVATE_H

#include "redis_link.h"

#define REDIS_MAX_UNANSWERED 1000

struct redis {
	struct loop *loop;
	struct redis_link *commands;
	struct redis_link *subscription; /* NULL: only publishes */
	char *channel;
	struct flow_queue listeners;
	bool heard; /* a message came while nobody waited */
	unsigned unanswered;
};

#endif
