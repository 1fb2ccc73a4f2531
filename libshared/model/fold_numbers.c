/*
 * fold_numbers: numbers in the one form in which the fold compares them, by the enterprise's rules.
 *
 * Lines spell their callers in ways of their own ("0291112233", "9291112233"), and only some events
 * of a call name the line. So the call's number is spelled by its line once, and whatever is such a
 * caller's number by one of the rules is taken for it. Numbers that somebody dials are left alone.
 */
#include "fold_private.h"

enum { OUTSIDE_MIN = 5, MAX_REFS = 8 };

bool fold_is_line(const struct call_fold *fold, struct str number)
{
	return number_is_line(fold->rules, number);
}

bool fold_is_internal(const struct call_fold *fold, struct str number)
{
	return number_is_internal(fold->rules, number);
}

bool fold_is_outside(const struct call_fold *fold, const char *number)
{
	struct str text = str_from(number);

	return text.size >= OUTSIDE_MIN && !fold_is_line(fold, text) &&
	       !fold_is_internal(fold, text);
}

/* -- rules that are replaced ---------------------------------------------------------------------- */

static bool same(const struct number_transform *one, const struct number_transform *other)
{
	return one->digits == other->digits && strcmp(one->prefix, other->prefix) == 0;
}

/* Calls that came under it may be open for hours: the last few rules are still understood. */
static void retire(struct call_fold *fold, const struct number_transform *rule)
{
	unsigned at = 0;

	while (at < FOLD_MAX_RETIRED - 1 && !same(&fold->retired[at], rule))
		at++;
	memmove(fold->retired + 1, fold->retired, at * sizeof(*rule));
	fold->retired[0] = *rule;
}

void call_fold_set_numbers(
	struct call_fold *fold, const char *country, const struct number_rules *rules)
{
	str_copy(fold->country, sizeof(fold->country), str_from(country));
	fold->rules = rules;
}

void call_fold_retire_numbers(struct call_fold *fold)
{
	const struct number_transform *before;
	unsigned count = number_rules_transforms(fold->rules, &before);

	for (unsigned i = 0; i < count; i++)
		retire(fold, &before[i]);
	fold->rules = NULL;
}

/* -- one form for comparing ----------------------------------------------------------------------- */

/* Texts ("anonymous") and withheld numbers are nobody: "". */
void fold_dialled(const struct call_fold *fold, struct str number, char to[CALL_NUMBER_BYTES])
{
	char spelled[PHONE_TEXT_BYTES];

	to[0] = '\0';
	if (fold_is_internal(fold, number) || fold_is_line(fold, number))
		str_copy(to, CALL_NUMBER_BYTES, number);
	else if (phone_is_hidden(number))
		return;
	else if (phone_e164(number, fold->country, spelled))
		str_copy(to, CALL_NUMBER_BYTES, str_from(spelled + 1));
	else if (phone_digits(number, spelled))
		str_copy(to, CALL_NUMBER_BYTES, str_from(spelled));
}

/* A person who is calling in, or was just now. */
static bool calls_in(const struct call_fold *fold, const char *number)
{
	const struct fold_number *known = keyset_get(fold->numbers, str_from(number));
	const struct fold_ref *ref = known != NULL ? known->refs : NULL;
	int left = MAX_REFS;

	for (; ref != NULL && left-- > 0; ref = ref->next) {
		if (!ref->ours && ref->call->direction == CALL_INCOMING)
			return true;
	}
	return false;
}

/* Is it, by one of these rules, somebody who calls in? */
static bool match(const struct call_fold *fold, const struct number_transform *rules,
	unsigned count, char number[CALL_NUMBER_BYTES])
{
	char by_rule[PHONE_TEXT_BYTES];
	char spelled[CALL_NUMBER_BYTES];

	for (unsigned i = 0; i < count; i++) {
		if (rules[i].digits == 0 ||
			!number_transform_apply(&rules[i], str_from(number), by_rule))
			continue;
		fold_dialled(fold, str_from(by_rule), spelled);
		if (!calls_in(fold, spelled))
			continue;
		memcpy(number, spelled, sizeof(spelled));
		return true;
	}
	return false;
}

/* A number that is known as it is needs no rule. */
void fold_canonical(const struct call_fold *fold, struct str number, char to[CALL_NUMBER_BYTES])
{
	const struct number_transform *rules;
	unsigned count = number_rules_transforms(fold->rules, &rules);

	fold_dialled(fold, number, to);
	if ((count == 0 && fold->retired[0].digits == 0) || !fold_is_outside(fold, to) ||
		fold_knows(fold, to))
		return;
	if (!match(fold, rules, count, to))
		(void)match(fold, fold->retired, FOLD_MAX_RETIRED, to);
}

/* -- the other side's number ---------------------------------------------------------------------- */

/* Only callers are spelled by lines. */
static const struct number_transform *rule_for(const struct fold_call *call)
{
	if (call->direction != CALL_INCOMING)
		return NULL;
	return number_rule_of(call->fold->rules, str_from(call->line));
}

static void rename_channel(struct fold_channel *channel, const char *from, const char *to)
{
	if (strcmp(channel->number, from) == 0)
		fold_set(channel->call->fold, &channel->number, to);
	if (strcmp(channel->peer, from) == 0)
		fold_set(channel->call->fold, &channel->peer, to);
}

static void set_external(struct fold_call *call, struct str text, const char *canonical)
{
	char spelled[PHONE_TEXT_BYTES];

	if (call->external[0] != '\0') {
		for (struct fold_channel *at = call->channels; at != NULL; at = at->next)
			rename_channel(at, call->external, canonical);
	}
	fold_set(call->fold, &call->external, canonical);
	call->e164 = phone_e164(text, call->fold->country, spelled);
	fold_index(call->fold, call, call->external, false);
}

/* The first number counts: what comes later are other spellings, or other people. But the line may
 * be learned after the number, and then spells it. */
void fold_call_set_external(struct call_fold *fold, struct fold_call *call, struct str number)
{
	const struct number_transform *rule = rule_for(call);
	char given[CALL_NUMBER_BYTES];
	char by_rule[PHONE_TEXT_BYTES];
	bool known = call->external[0] != '\0';

	if (fold_is_line(fold, number) || fold_is_internal(fold, number) || (known && rule == NULL))
		return;
	fold_dialled(fold, number, given);
	if (given[0] == '\0' || (known && strcmp(given, call->external) != 0))
		return;
	if (rule != NULL && number_transform_apply(rule, number, by_rule)) {
		number = str_from(by_rule);
		fold_dialled(fold, number, given);
	}
	if (strcmp(given, call->external) != 0)
		set_external(call, number, given);
}
