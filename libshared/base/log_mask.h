/*
 * log_mask: phone numbers made unreadable in a message. Private to base.
 */
#ifndef CALLWEAVE_LOG_MASK_H
#define CALLWEAVE_LOG_MASK_H

#include "buf.h"

/* Append `text` with what looks like a phone number masked: "+37529***0001". */
void log_mask(struct buf *to, struct str text);

#endif
