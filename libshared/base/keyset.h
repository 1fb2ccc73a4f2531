/*
 * keyset: a hash set of things that carry their own key.
 *
 * Where there are very many small things, copies of their keys (table.h) would take more room than
 * the things: this takes 12 bytes a slot and no allocation of its own for each. A key must not
 * change while its thing is in the set. Hashed as in table.h, under a secret of its own.
 */
#ifndef CALLWEAVE_KEYSET_H
#define CALLWEAVE_KEYSET_H

#include "str.h"

struct keyset;

/* `key_of` tells where a thing keeps its key. */
struct keyset *keyset_new(struct str (*key_of)(const void *thing));
void keyset_free(struct keyset **set); /* not the things */

void *keyset_get(const struct keyset *set, struct str key); /* NULL when absent */
void *keyset_put(struct keyset *set, void *thing);	    /* returns whom it replaced, or NULL */
bool keyset_remove(
	struct keyset *set, const void *thing); /* false: another bears the key, or none */
size_t keyset_count(const struct keyset *set);

#endif
