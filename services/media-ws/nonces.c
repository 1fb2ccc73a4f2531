/*
 * nonces: see nonces.h. A ring in the order of their use, and a table to find them by.
 */
#include "nonces.h"

#include "alloc.h"
#include "table.h"

#include <stdlib.h>

enum { MOST = 8192, NONCE_BYTES = 40 };

struct used {
	char nonce[NONCE_BYTES];
	int64_t at_ms;
};

struct nonces {
	struct table *table;
	struct used ring[MOST];
	unsigned first, count;
};

struct nonces *nonces_new(void)
{
	struct nonces *nonces = alloc_zeroed(1, sizeof(*nonces));

	nonces->table = table_new();
	return nonces;
}

void nonces_free(struct nonces **nonces)
{
	if (*nonces == NULL)
		return;
	table_free(&(*nonces)->table);
	free(*nonces);
	*nonces = NULL;
}

static void forget_first(struct nonces *nonces)
{
	(void)table_remove(nonces->table, str_from(nonces->ring[nonces->first].nonce));
	nonces->first = (nonces->first + 1) % MOST;
	nonces->count--;
}

bool nonces_use(struct nonces *nonces, struct str nonce, int64_t now_ms)
{
	struct used *used;

	while (nonces->count > 0 &&
		(nonces->count == MOST ||
			now_ms - nonces->ring[nonces->first].at_ms > NONCE_KEPT_MS))
		forget_first(nonces);
	if (nonce.size >= NONCE_BYTES || table_get(nonces->table, nonce) != NULL)
		return false;
	used = &nonces->ring[(nonces->first + nonces->count++) % MOST];
	(void)str_copy(used->nonce, sizeof(used->nonce), nonce);
	used->at_ms = now_ms;
	(void)table_put(nonces->table, nonce, used);
	return true;
}
