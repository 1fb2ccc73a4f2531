/*
 * arena: memory that is freed all at once.
 *
 * One arena a flow or a document. Nothing is freed singly; arena_free() gives everything back.
 * Under AddressSanitizer each allocation is a malloc of its own, so that an overrun is seen.
 */
#ifndef CALLWEAVE_ARENA_H
#define CALLWEAVE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* An arena that may grow to `max_bytes`. Going over it, or out of memory, aborts: inputs are
 * bounded at the door. The caller owns it. */
struct arena *arena_new(size_t max_bytes);

/* Free the arena and all that came from it; sets *arena to NULL. NULL is allowed. */
void arena_free(struct arena **arena);

/* Forget all allocations but keep the first block: for loops that work batch by batch. */
void arena_reset(struct arena *arena);

/* `size_bytes` of zeroed memory, aligned for any type. Lives as long as the arena. */
void *arena_alloc(struct arena *arena, size_t size_bytes);

/* Zeroed array; aborts when count * size overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size_bytes);

/* Copies, always ended by NUL. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length_bytes);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* How many bytes were handed out. */
size_t arena_used_bytes(const struct arena *arena);

#endif
