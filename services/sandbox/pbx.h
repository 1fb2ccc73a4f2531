/*
 * pbx: a PBX's control API, as docs/protocol/pbx-control.md describes it: what its tests declare.
 */
#ifndef SANDBOX_PBX_H
#define SANDBOX_PBX_H

#include "outside.h"

extern const struct outside_service pbx_service;

/* The PBX of an enterprise knows this secret from now on and answers so; `reason` "": it does what it
 * is told. Texts are copied. */
void pbx_declare(void *state, struct str number, struct str secret, struct str reason);
/* The commands that were accepted as genuine, as a JSON array; of one enterprise, or of all. */
void pbx_write_commands(const void *state, struct str number, struct buf *to);

#endif
