/*
 * tenant_settings: what an enterprise chose: the column enterprises.settings, checked when it is saved.
 *
 * {"telegram": {"mode": "live", "quiet": ["internal"], "silent": true, "templates": {...}},
 *  "fallback_extension": "150", "extensions": ["2001"], "control_url": "https://..."}
 * Members that other parts of the suite read (ingest's sources) are passed over. What each member
 * does: docs/operations.md.
 */
#ifndef CALLWEAVE_TENANT_SETTINGS_H
#define CALLWEAVE_TENANT_SETTINGS_H

#include "arena.h"
#include "error.h"
#include "json.h"

enum live_mode {
	LIVE_EDIT, /* "live": one message is edited in place */
	LIVE_REPLACE, /* "replace": the newest state is a new message at the bottom, the old one goes */
};

/* "quiet": calls of these kinds are not told; bits of a mask. */
enum quiet_kind {
	QUIET_INCOMING = 1 << 0,
	QUIET_OUTGOING = 1 << 1,
	QUIET_INTERNAL = 1 << 2,
	QUIET_ANSWERED = 1 << 3, /* only missed calls are told, when they end */
	QUIET_PROGRESS = 1 << 4, /* only the final state is told */
};

struct tenant_settings {
	enum live_mode mode;
	unsigned quiet;			/* mask of enum quiet_kind */
	bool silent;			/* states before the final one make no sound */
	const char *fallback_extension; /* of calls whose own extension nobody knows; "" */
	struct json_strings extensions; /* own ones besides those of the staff, of any length */
	const char *control_url; /* where buttons' commands go; "": buttons do not ring phones */
	const char *const *templates; /* by enum message_template; each may be NULL; NULL: none */
};

#define TENANT_SETTINGS_MAX_BYTES ((size_t)128 << 10)

/* `json` is the column; "{}" and "" give the defaults. False with "telegram.templates.x: ..." in
 * words for the person who saves it; `to` then holds the defaults. Texts live in the arena. */
bool tenant_settings_read(
	struct str json, struct arena *arena, struct tenant_settings *to, struct error *error);

#endif
