/*
 * json_scan: the strict check that every text passes before cJSON sees it. Private to base.
 */
#ifndef CALLWEAVE_JSON_SCAN_H
#define CALLWEAVE_JSON_SCAN_H

#include "error.h"
#include "str.h"

/* False when `text` is not exactly one document of RFC 8259 that jsonb and a double can hold. */
bool json_scan(struct str text, unsigned max_depth, struct error *error);

#endif
