/*
 * number_rules: what an enterprise's numbers mean: its own extensions, its lines and how
 * each line spells its callers.
 *
 * Plain data, made once from the directory and then only read: by the fold, by texts, by CRMs.
 */
#ifndef CALLWEAVE_NUMBER_RULES_H
#define CALLWEAVE_NUMBER_RULES_H

#include "error.h"
#include "phone.h"

/* "+375{9}": the prefix and the last nine digits of what the line sends. Sources: the panel's check
 * ^(\+?\d+)?\{\d+\}$ ; a number has at most fifteen digits (E.164). */
struct number_transform {
	char prefix[17]; /* digits, perhaps with a + before them; "" */
	unsigned char digits;
};

/* False with words when the text is no transform. */
bool number_transform_read(struct str text, struct number_transform *to, struct error *error);
/* False (and "") when the number has too few digits. */
bool number_transform_apply(
	const struct number_transform *transform, struct str number, char to[PHONE_TEXT_BYTES]);

struct number_rules;

struct number_rules *number_rules_new(void);
void number_rules_free(struct number_rules **rules);

/* A phone of the enterprise's own, of any length. */
void number_rules_add_extension(struct number_rules *rules, struct str extension);
/* A line, by its id or SIP login; `transform` "" when it has none. False: the transform is bad (error
 * has words) and passed over, the line is known all the same. */
bool number_rules_add_line(
	struct number_rules *rules, struct str line, struct str transform, struct error *error);

/* `rules` may be NULL in all of these: then the bare rules count. */

/* "agent" and "menu": what answers at Twilio in place of a person. */
bool number_is_machine(struct str number);
/* The one rule for "internal": three or four ASCII digits, one of the own extensions, or a machine;
 * never a line. */
bool number_is_internal(const struct number_rules *rules, struct str number);
/* "0001363", or the id or login of a known line: a line where a caller should be. */
bool number_is_line(const struct number_rules *rules, struct str number);
/* The rule of a line (an id or login as in struct call); NULL when it has none. */
const struct number_transform *number_rule_of(const struct number_rules *rules, struct str line);

/* All different rules, at most NUMBER_MAX_TRANSFORMS. */
#define NUMBER_MAX_TRANSFORMS 16
unsigned number_rules_transforms(
	const struct number_rules *rules, const struct number_transform **first);

#endif
