/*
 * table: a hash table from text keys to pointers.
 *
 * Keys are copied; values are the caller's and never NULL. Keys are hashed with SipHash-1-3 under
 * a random secret of the table's own, so that nobody outside can choose collisions.
 */
#ifndef CALLWEAVE_TABLE_H
#define CALLWEAVE_TABLE_H

#include "str.h"

struct table;

struct table *table_new(void);
void table_free(struct table **table); /* frees the keys, not the values */

void *table_get(const struct table *table, struct str key);	   /* NULL when absent */
void *table_put(struct table *table, struct str key, void *value); /* returns the old value */
void *table_remove(struct table *table, struct str key);	   /* returns the old value */
size_t table_count(const struct table *table);

/* Walk: `size_t at = 0; while (table_next(t, &at, &key, &value)) ...`. Removing the current key
 * while walking is allowed; putting is not. Either out pointer may be NULL. */
bool table_next(const struct table *table, size_t *at, struct str *key, void **value);

#endif
