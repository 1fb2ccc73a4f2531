/*
 * fold_numbers: numbers in the one form in which the fold compares them, and what kind they are.
 */
#include "fold_private.h"

#include "phone.h"

enum { OUTSIDE_MIN = 5 };

/* Texts ("anonymous") are nobody: "". */
void fold_canonical(const struct call_fold *fold, struct str number, char to[CALL_NUMBER_BYTES])
{
	char spelled[PHONE_TEXT_BYTES];

	if (phone_is_internal(number))
		str_copy(to, CALL_NUMBER_BYTES, number);
	else if (phone_e164(number, fold->country, spelled))
		str_copy(to, CALL_NUMBER_BYTES, str_from(spelled + 1));
	else if (phone_digits(number, spelled))
		str_copy(to, CALL_NUMBER_BYTES, str_from(spelled));
	else
		to[0] = '\0';
}

bool fold_is_outside(const char *number)
{
	size_t size = strlen(number);

	return size >= OUTSIDE_MIN && !phone_is_gsm_line(str_of(number, size));
}
