/*
 * nonces: which one-time tokens were used. Redis knows it for all instances; this memory is for when
 * Redis is away, and holds what this process has seen in the last two minutes, twice a token's life.
 */
#ifndef MEDIA_WS_NONCES_H
#define MEDIA_WS_NONCES_H

#include "str.h"

enum { NONCE_KEPT_MS = 120000 };

struct nonces;

struct nonces *nonces_new(void);
void nonces_free(struct nonces **nonces);

/* False: it was used before. */
bool nonces_use(struct nonces *nonces, struct str nonce, int64_t now_ms);

#endif
