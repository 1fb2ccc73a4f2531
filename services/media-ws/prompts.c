/*
 * prompts: a table by digest of the text, and a list by age.
 */
#include "prompts.h"

#include "alloc.h"
#include "crypto.h"
#include "table.h"

#include <stdlib.h>

enum { OVERHEAD_BYTES = 256 /* of an entry: that many short ones are bounded, too */ };

struct prompt {
	struct prompt *newer, *older;
	unsigned char key[CRYPTO_SHA256_BYTES];
	size_t size;
	char audio[];
};

struct prompts {
	struct table *table;
	struct prompt *newest, *oldest;
	size_t bytes, max_bytes;
};

struct prompts *prompts_new(size_t max_bytes)
{
	struct prompts *prompts = alloc_zeroed(1, sizeof(*prompts));

	prompts->table = table_new();
	prompts->max_bytes = max_bytes;
	return prompts;
}

static void unlink_prompt(struct prompts *prompts, const struct prompt *prompt)
{
	if (prompt->newer != NULL)
		prompt->newer->older = prompt->older;
	else
		prompts->newest = prompt->older;
	if (prompt->older != NULL)
		prompt->older->newer = prompt->newer;
	else
		prompts->oldest = prompt->newer;
}

static void link_newest(struct prompts *prompts, struct prompt *prompt)
{
	prompt->newer = NULL;
	prompt->older = prompts->newest;
	if (prompts->newest != NULL)
		prompts->newest->newer = prompt;
	else
		prompts->oldest = prompt;
	prompts->newest = prompt;
}

static struct str key_of(const struct prompt *prompt)
{
	return str_of((const char *)prompt->key, sizeof(prompt->key));
}

static void drop_oldest(struct prompts *prompts)
{
	struct prompt *last = prompts->oldest;

	(void)table_remove(prompts->table, key_of(last));
	prompts->oldest = last->newer;
	if (last->newer != NULL)
		last->newer->older = NULL;
	else
		prompts->newest = NULL;
	prompts->bytes -= last->size + OVERHEAD_BYTES;
	free(last);
}

void prompts_free(struct prompts **prompts)
{
	if (*prompts == NULL)
		return;
	for (struct prompt *at = (*prompts)->newest, *older; at != NULL; at = older) {
		older = at->older;
		free(at);
	}
	table_free(&(*prompts)->table);
	free(*prompts);
	*prompts = NULL;
}

static void make_key(const char *language, struct str text, unsigned char key[CRYPTO_SHA256_BYTES])
{
	struct crypto_hash *hash = crypto_hash_new();

	crypto_hash_add(hash, str_of(language, strlen(language) + 1));
	crypto_hash_add(hash, text);
	crypto_hash_end(&hash, key);
}

static struct prompt *find(
	const struct prompts *prompts, const unsigned char key[CRYPTO_SHA256_BYTES])
{
	return table_get(prompts->table, str_of((const char *)key, CRYPTO_SHA256_BYTES));
}

struct str prompts_get(struct prompts *prompts, const char *language, struct str text)
{
	unsigned char key[CRYPTO_SHA256_BYTES];

	if (prompts == NULL)
		return STR("");
	make_key(language, text, key);
	struct prompt *prompt = find(prompts, key);
	if (prompt == NULL)
		return STR("");
	unlink_prompt(prompts, prompt);
	link_newest(prompts, prompt);
	return str_of(prompt->audio, prompt->size);
}

void prompts_put(struct prompts *prompts, const char *language, struct str text, struct str audio)
{
	unsigned char key[CRYPTO_SHA256_BYTES];

	if (prompts == NULL || audio.size == 0 || audio.size + OVERHEAD_BYTES > prompts->max_bytes)
		return;
	make_key(language, text, key);
	if (find(prompts, key) != NULL)
		return;
	while (prompts->oldest != NULL &&
		prompts->bytes + audio.size + OVERHEAD_BYTES > prompts->max_bytes)
		drop_oldest(prompts);
	struct prompt *prompt = alloc_zeroed(1, sizeof(*prompt) + audio.size);
	memcpy(prompt->key, key, sizeof(key));
	memcpy(prompt->audio, audio.data, audio.size);
	prompt->size = audio.size;
	(void)table_put(prompts->table, key_of(prompt), prompt);
	link_newest(prompts, prompt);
	prompts->bytes += audio.size + OVERHEAD_BYTES;
}
