/*
 * alloc: heap memory for long-lived things, where running out of it ends the process.
 *
 * Inputs are bounded at the door, so out of memory is not a case that callers handle.
 */
#ifndef CALLWEAVE_ALLOC_H
#define CALLWEAVE_ALLOC_H

#include "str.h"

/* Zeroed memory, or abort. The caller frees it with free(). */
void *alloc_zeroed(size_t count, size_t size_bytes);

/* realloc(3) or abort. What was added is not zeroed. */
void *alloc_resize(void *old, size_t size_bytes);

/* A copy ended by NUL, or abort. */
char *alloc_text(struct str text);

#endif
