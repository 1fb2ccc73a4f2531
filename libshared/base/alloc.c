/* alloc: malloc(3) that aborts instead of returning NULL, so that no caller forgets to look. */
#include "alloc.h"

#include <stdlib.h>

/* Aborting is the design: every input is bounded at the door, so memory only runs out when
 * something is broken, and a restart loses nothing that was acknowledged. */
static void *checked(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

void *alloc_zeroed(size_t count, size_t size_bytes)
{
	/* calloc() refuses products that overflow, and may return NULL for none. */
	return checked(calloc(count != 0 ? count : 1, size_bytes != 0 ? size_bytes : 1));
}

void *alloc_resize(void *old, size_t size_bytes)
{
	/* realloc(p, 0) may free p and return NULL, which would look like a failure after the
	 * fact. */
	return checked(realloc(old, size_bytes != 0 ? size_bytes : 1));
}

char *alloc_text(struct str text)
{
	char *copy = checked(malloc(text.size + 1));

	if (text.size > 0)
		memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	return copy;
}
