/*
 * mask: secrets out of what leaves this process: requests, replies and words for the journal.
 *
 * By member: what stands under a name that is one of the driver's secrets, or of those that everybody
 * uses. By value: any occurrence of a known secret, also percent-encoded or with escaped slashes.
 * Pure.
 */
#ifndef CRM_MASK_H
#define CRM_MASK_H

#include "arena.h"
#include "json.h"

#define MASK_MAX_VALUES 64
#define MASK_TEXT	"***"

struct mask {
	struct arena *arena;
	const char *const *names; /* the driver's; ended by NULL; may be NULL */
	struct str values[MASK_MAX_VALUES];
	unsigned count;
};

/* Texts live in the arena. */
void mask_init(struct mask *mask, const char *const *names, struct arena *arena);
/* A secret's text. Very short ones are masked by member only: they are found everywhere. */
void mask_add(struct mask *mask, struct str secret);
/* All texts in `json` that stand under a secret name, at any depth. NULL is allowed. */
void mask_add_members(struct mask *mask, const struct json *json);

/* Append, masked by value. */
void mask_text(const struct mask *mask, struct str text, struct buf *to);
/* Append, masked by value, and by name in its query. */
void mask_url(const struct mask *mask, struct str url, struct buf *to);
/* Append as JSON, masked by member and by value. */
void mask_json(const struct mask *mask, const struct json *json, struct buf *to);

#endif
