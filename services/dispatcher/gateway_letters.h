/*
 * gateway_letters: a line a call, in which its letters wait. Private to the gateway.
 */
#ifndef DISPATCHER_GATEWAY_LETTERS_H
#define DISPATCHER_GATEWAY_LETTERS_H

#include "gateway.h"

/* The first letter of the line that has been ready for longest, now under way; NULL: none is. */
struct gateway_letter *gateway_take(struct dispatcher *d);
/* It has not left after all. */
void gateway_untake(struct dispatcher *d, struct gateway_letter *letter);
/* Those whose time has come are ready. */
void gateway_wake_rested(struct dispatcher *d);

bool gateway_has_room(const struct dispatcher *d);
/* False when it is known. */
bool gateway_put(struct dispatcher *d, const struct gateway_row *row);
/* The page is over: what was kept for its sake may go. */
void gateway_page_read(struct dispatcher *d);

/* To the writer. */
void gateway_report_add(struct dispatcher *d, struct gateway_letter *letter);
/* From the writer. */
void gateway_letter_recorded(struct dispatcher *d, struct gateway_letter *letter, bool ok);

/* At the end of the process, whatever their state. */
void gateway_letters_free(struct gateway *gateway);

#endif
