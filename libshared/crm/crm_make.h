/*
 * crm_make: what drivers make their requests of: settings, times, forms, JSON in an arena.
 */
#ifndef CALLWEAVE_CRM_MAKE_H
#define CALLWEAVE_CRM_MAKE_H

#include "crm_driver.h"

#define CRM_BODY_MAX_BYTES (256 * 1024)

/* -- settings ------------------------------------------------------------------------------------ */

/* A text or number, as text; `fallback` (may be NULL) when absent, null or empty. `path` may go into
 * objects: "notifications.call_notify_mode". */
struct str crm_config_text(const struct crm_account *account, const char *path,
	const char *fallback, struct arena *arena);
/* A boolean; also 1, "1", "true", "on", "yes" and their contraries. */
bool crm_config_bool(const struct crm_account *account, const char *path, bool fallback);

/* A base address: "crm.example", "https://crm.example/" -> "https://crm.example". NULL when it is
 * absent and there is no fallback, or is no address of a host (user, query, space in it). */
const char *crm_config_url(const struct crm_account *account, const char *path,
	const char *fallback, struct arena *arena);

/* A value of any JSON as text: text as it is, numbers in decimal; else empty. Ids are both. */
struct str crm_id(const struct json *value, struct arena *arena);

/* A text that goes into a header or a path as it is: NULL when it is absent or holds anything but
 * printable ASCII without spaces. Keys. */
const char *crm_config_key(
	const struct crm_account *account, const char *path, struct arena *arena);

/* -- texts --------------------------------------------------------------------------------------- */

/* The text of a buffer into the arena, ended by NUL; the buffer is freed. Empty when it failed. */
struct str crm_take(struct buf *buf, struct arena *arena);

/* A copy, of what is in a reply. */
struct str crm_keep(struct str text, struct arena *arena);
/* A member, as by crm_id(); a copy. */
struct str crm_member_text(const struct json *json, const char *name, struct arena *arena);

/* "2026-11-21 15:00:00" in the account's zone. */
const char *crm_local_time(const struct crm_account *account, int64_t ms, struct arena *arena);

/* Digits only; "" when there are none (or more than a number has). */
const char *crm_digits(struct str number, struct arena *arena);

/* "name=value", percent-encoded: forms and queries. */
struct str crm_form(const char *name, struct str value, struct arena *arena);

/* Two spellings of one number, also a national one of the account's country ("8 029 111-22-33"). */
bool crm_same_number(const struct crm_account *account, struct str a, struct str b);

/* At most `limit` texts: items of an array, or their member `name` where it is not NULL. Empty ones are
 * left out; copies. */
struct json_strings crm_texts(
	const struct json *array, const char *name, size_t limit, struct arena *arena);

/* The next free place among what was found, zeroed; NULL when there is none, and job->more is set. */
struct crm_customer *crm_add_customer(struct crm_job *job);
struct crm_employee *crm_add_employee(struct crm_job *job);

/* -- requests ------------------------------------------------------------------------------------ */

/* base + path, the path made as by printf. */
const char *crm_url(struct arena *arena, const char *base, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Open an object for a JSON body. */
void crm_json_begin(struct json_writer *writer, struct buf *buf);
/* Close it and put it into the request, with its content type. */
bool crm_json_end(struct json_writer *writer, struct crm_job *job, struct crm_request *request);

#endif
