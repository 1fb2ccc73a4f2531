/*
 * arena: a bump allocator whose first block lies in the arena's own malloc.
 *
 * Blocks that follow hang in a list. The sanitizer build has blocks of size zero: each allocation
 * then is too large for a shared block and takes the path of a malloc of its own.
 */
#include "arena.h"

#include "alloc.h"
#include "str.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_TWIN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_TWIN 1
#endif
#endif

#ifdef ARENA_TWIN
enum { FIRST_BYTES = 0, BLOCK_BYTES = 0 };
#else
enum { FIRST_BYTES = 2048, BLOCK_BYTES = 16384 };
#endif

struct block {
	struct block *next;
	alignas(max_align_t) char bytes[];
};

struct arena {
	size_t max_bytes;
	size_t used_bytes;
	char *at; /* free part of the block that is filled now */
	char *end;
	struct block *blocks; /* all but the first */
	alignas(max_align_t) char first[];
};

/* malloc and not calloc: allocations are zeroed one by one, and clearing 2 KiB that a short flow
 * never touches would cost more than the flow's own allocations. */
struct arena *arena_new(size_t max_bytes)
{
	struct arena *arena = malloc(sizeof(*arena) + FIRST_BYTES);

	if (arena == NULL)
		abort();
	*arena = (struct arena){
		.max_bytes = max_bytes,
		.at = arena->first,
		.end = arena->first + FIRST_BYTES,
	};
	return arena;
}

/* All but the first block, which belongs to the arena's own malloc. */
static void free_blocks(struct arena *arena)
{
	while (arena->blocks != NULL) {
		struct block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
}

void arena_free(struct arena **arena)
{
	if (*arena == NULL)
		return;
	free_blocks(*arena);
	free(*arena);
	*arena = NULL;
}

void arena_reset(struct arena *arena)
{
	free_blocks(arena);
	arena->used_bytes = 0;
	arena->at = arena->first;
	arena->end = arena->first + FIRST_BYTES;
}

/* Newest first: nobody looks for a block again before all of them are freed. */
static struct block *add_block(struct arena *arena, size_t size_bytes)
{
	struct block *block = malloc(sizeof(*block) + size_bytes);

	if (block == NULL)
		abort();
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

/* Large ones get a block to themselves, so that the rest of the current block stays in use. */
static void *take_from_new_block(struct arena *arena, size_t size_bytes, size_t rounded_bytes)
{
	struct block *block;

	if (rounded_bytes > BLOCK_BYTES / 4)
		return add_block(arena, size_bytes)->bytes;
	block = add_block(arena, BLOCK_BYTES);
	arena->at = block->bytes + rounded_bytes;
	arena->end = block->bytes + BLOCK_BYTES;
	return block->bytes;
}

/* Not zeroed. */
static void *take(struct arena *arena, size_t size_bytes)
{
	size_t unit = alignof(max_align_t);
	size_t rounded_bytes = size_bytes < unit ? unit : (size_bytes + unit - 1) / unit * unit;
	void *taken = arena->at;

	/* The first test keeps the rounding above from having wrapped around. */
	if (size_bytes > SIZE_MAX - unit || rounded_bytes > arena->max_bytes - arena->used_bytes)
		abort();
	arena->used_bytes += rounded_bytes;
	/* What is left of the old block is given up: at most a quarter of it. */
	if (rounded_bytes > (size_t)(arena->end - arena->at))
		return take_from_new_block(arena, size_bytes, rounded_bytes);
	arena->at += rounded_bytes;
	return taken;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
	return memset(take(arena, size_bytes), 0, size_bytes);
}

void *arena_array(struct arena *arena, size_t count, size_t size_bytes)
{
	size_t total;

	if (__builtin_mul_overflow(count, size_bytes, &total))
		abort();
	return arena_alloc(arena, total);
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_strndup(struct arena *arena, const char *text, size_t length_bytes)
{
	char *copy = take(arena, length_bytes + 1);

	if (length_bytes > 0)
		memcpy(copy, text, length_bytes);
	copy[length_bytes] = '\0';
	return copy;
}

/* Formatted twice, measured first: the text then takes exactly its place. */
char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		abort();
	text = take(arena, (size_t)length + 1);
	va_start(arguments, format);
	vsnprintf(text, (size_t)length + 1, format, arguments);
	va_end(arguments);
	return text;
}

size_t arena_used_bytes(const struct arena *arena)
{
	return arena->used_bytes;
}
