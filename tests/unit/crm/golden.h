/*
 * golden: drivers of CRMs against files: tests/golden/crm/<program>/<name>.json.
 *
 * A file holds a job (or a request to one of our paths) with the CRM's replies, and what came of
 * them: requests, verdicts, memory, customers. CONTRIBUTING.md describes its members.
 */
#ifndef CALLWEAVE_TESTS_CRM_GOLDEN_H
#define CALLWEAVE_TESTS_CRM_GOLDEN_H

#include "crm_driver.h"

#include "../base/check.h"

enum {
	GOLDEN_MAX_BYTES = 1 << 20,
	GOLDEN_MAX_OPERATIONS = 64,
	GOLDEN_MAX_REQUESTS = 64,
	GOLDEN_MAX_DOCUMENTS = 256
};

/* How often each operation was shown to go well, and to fail. */
struct golden_seen {
	unsigned well[GOLDEN_MAX_OPERATIONS], failed[GOLDEN_MAX_OPERATIONS];
};

struct golden {
	const struct crm_driver *driver;
	const struct json *json;
	struct arena *arena;
	struct clock_zone *zone;
	struct json *documents[GOLDEN_MAX_DOCUMENTS]; /* parsed meanwhile */
	unsigned document_count;
	struct arena *reply_arena;
	struct json *reply_json;
};

/* -- golden_world.c: what is given ---------------------------------------------------------------- */

/* NULL when it is no JSON. The document lives until golden_free(). */
const struct json *golden_parse(struct golden *golden, struct str text);
void golden_free(struct golden *golden);
struct str golden_text(const struct json *json, struct arena *arena); /* text as it is, else JSON */
struct crm_account golden_account(struct golden *golden);
struct crm_job golden_job(struct golden *golden, const struct crm_account *account);
/* Lives until golden_reply_free(), as with the adapter until read() returns. */
struct crm_reply golden_reply(struct golden *golden, const struct json *json);
void golden_reply_free(struct golden *golden);
/* The name of the enterprise's secret that a text holds; NULL when it holds none. */
const char *golden_leak(struct golden *golden, struct str text);

/* -- golden_job.c, golden_hook.c: the file as it would be if all that comes out were right -------- */

void golden_run_job(struct golden *golden, struct golden_seen *seen, struct buf *to);
void golden_run_hook(struct golden *golden, struct buf *to);
/* Each reply in turn is one that nobody expects. */
void golden_run_hostile(struct golden *golden);
void golden_put_customers(
	struct json_writer *writer, const struct crm_customer *customers, unsigned count);
/* The members of the file that are given, not found. */
void golden_put_given(struct json_writer *writer, struct golden *golden, const char *const *found);

/* -- golden_compare.c ------------------------------------------------------------------------------ */

/* False, and words, when they differ. At the top, in an exchange and in a request an absent member is
 * an empty one. */
bool golden_same(const struct json *expected, const struct json *actual, struct buf *words);

#endif
