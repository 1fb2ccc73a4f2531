/*
 * phone: telephone numbers: what is internal, what is the same, how people read them.
 */
#ifndef CALLWEAVE_PHONE_H
#define CALLWEAVE_PHONE_H

#include "buf.h"

#define PHONE_TEXT_BYTES 40

/* Exactly three or four ASCII digits. The one rule for "internal" also knows the enterprise's own
 * extensions: number_is_internal() in number_rules.h. */
bool phone_is_internal(struct str number);

/* A line's id: the first seven digits in a row of "0001363", "GSM/0001363", "SIP/0001363-00000004";
 * a purely numeric SIP login of 8 or more digits is kept whole, and so is a number of our own at
 * Twilio ("+33184800000"). Empty when there is none. */
struct str phone_line_id(struct str trunk);

/* A line that a GSM gateway puts where the caller should be: "0001363". */
bool phone_is_gsm_line(struct str number);

/* Withheld by the caller: no digits at all ("anonymous", ""), or the +000... that lines send for
 * nobody. Never a customer. */
bool phone_is_hidden(struct str number);

/* Digits only, leading + and formatting dropped: two spellings of one number give the same.
 * False when there are no digits, or more than 18. */
bool phone_digits(struct str number, char to[PHONE_TEXT_BYTES]);

/* "+375290000001" from any spelling that holds the country code; by the enterprise's country
 * ("BY") also from a national one (8029..., 029...). Internal numbers and texts: false. */
bool phone_e164(struct str number, const char *country, char to[PHONE_TEXT_BYTES]);

/* For people: "+375 (29) 000-00-01". Internal, empty: unchanged. Not a number: as it is. Numbers
 * that begin with +000 are hidden ones: "". */
void phone_format(struct str number, char to[PHONE_TEXT_BYTES]);

#endif
