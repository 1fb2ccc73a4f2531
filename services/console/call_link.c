/*
 * call_link: see call_link.h.
 */
#include "call_link.h"

#include "clock.h"
#include "console.h"
#include "service_config.h"
#include "signed.h"
#include "uri.h"

#include <stdio.h>

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2 };
enum { LINK_DAYS = 7, MAX_DAYS = 3660, DAY_MS = 24 * 3600 * 1000 };

static bool is_number(struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
			    c == '_' || c == '-'))
			return false;
	}
	return text.size > 0;
}

/* str_to_int64() would take a sign, and then one call had several addresses. */
static bool names_a_call(struct link *link, struct str enterprise, struct str call_id)
{
	return is_number(enterprise) && str_is_digits(call_id) &&
	       str_copy(link->enterprise, sizeof(link->enterprise), enterprise) &&
	       str_to_int64(call_id, &link->call_id) && link->call_id > 0;
}

bool link_read(struct link *link, struct str tail, struct str query, struct arena *arena)
{
	struct str enterprise = str_cut(&tail, '/');

	*link = (struct link){0};
	if (!names_a_call(link, enterprise, tail))
		return false;
	(void)uri_query_value(query, "until", arena, &link->until);
	(void)uri_query_value(query, "sign", arena, &link->sign);
	return true;
}

bool link_read_customer(struct link *link, struct str tail, struct str query, struct arena *arena)
{
	struct str enterprise = str_cut(&tail, '/');

	*link = (struct link){0};
	if (!is_number(enterprise) || !str_is_digits(tail) || tail.data[0] == '0' ||
		!str_copy(link->phone, sizeof(link->phone), tail) ||
		!str_copy(link->enterprise, sizeof(link->enterprise), enterprise))
		return false;
	(void)uri_query_value(query, "until", arena, &link->until);
	(void)uri_query_value(query, "sign", arena, &link->sign);
	return true;
}

static bool is_good(
	const struct link *link, struct str key, const struct signed_query *query, int64_t now_ms)
{
	if (link->phone[0] != '\0')
		return signed_customer_check(key, query, str_from(link->phone), now_ms, NULL);
	return signed_link_check(key, query, now_ms, NULL);
}

/* A link that is over is told apart only when its signature holds: otherwise its date is a claim. */
enum link_verdict link_check(const struct link *link, struct str key, int64_t now_ms)
{
	const struct signed_query query = {.enterprise = str_from(link->enterprise),
		.call_id = link->call_id,
		.until = link->until,
		.sign = link->sign};

	if (!is_good(link, key, &query, 0))
		return LINK_WRONG;
	return is_good(link, key, &query, now_ms) ? LINK_GOOD : LINK_OVER;
}

static int64_t until_ms(const struct link *link)
{
	int64_t until_s = 0;

	(void)str_to_int64(link->until, &until_s);
	return until_s * 1000;
}

static const char *relative(struct buf *path, struct arena *arena)
{
	const char *copy = arena_printf(arena, "../..%s", path->data);

	buf_free(path);
	return copy;
}

const char *link_to_customer(
	const struct link *from, struct str key, const char *phone, struct arena *arena)
{
	struct str digits = str_from(phone);
	struct buf path;

	if (!str_starts(digits, STR("+")) || digits.size > LINK_PHONE_BYTES)
		return "";
	digits = str_of(digits.data + 1, digits.size - 1);
	buf_init(&path, 512);
	signed_customer_link(key, str_from(from->enterprise), digits, until_ms(from), &path);
	return relative(&path, arena);
}

const char *link_to_call(
	const struct link *from, struct str key, int64_t call_id, struct arena *arena)
{
	struct buf path;

	buf_init(&path, 512);
	signed_link(key, str_from(from->enterprise), call_id, until_ms(from), &path);
	return relative(&path, arena);
}

/* -- for operators ---------------------------------------------------------------------------------- */

static int complain(const char *words, int exit_code)
{
	(void)fprintf(stderr, "console --link: %s\n", words);
	return exit_code;
}

static int print_link(
	const struct service_settings *settings, const struct link *link, int64_t days)
{
	struct str key = str_from(settings->link_key.value);
	struct buf text;
	int written;

	if (key.size < SIGNED_KEY_MIN_BYTES)
		return complain("CALLWEAVE_LINK_KEY: not set, so there are no links", FAILED);
	buf_init(&text, 1024);
	signed_link(key, str_from(link->enterprise), link->call_id, clock_wall_ms() + days * DAY_MS,
		&text);
	written = printf("%s%s\n", settings->public_url, text.data);
	buf_free(&text);
	return written < 0 ? FAILED : DONE;
}

int link_command(int argc, char **argv)
{
	struct error error = {.kind = ERROR_NONE};
	struct service_config *config;
	struct link link;
	int64_t days = LINK_DAYS;
	int exit_code;

	if (argc < 4 || argc > 5 || !names_a_call(&link, str_from(argv[2]), str_from(argv[3])) ||
		(argc == 5 &&
			(!str_to_int64(str_from(argv[4]), &days) || days < 1 || days > MAX_DAYS)))
		return complain(
			"takes ENTERPRISE CALL_ID [DAYS], such as 0367 12345 7", WRONG_USAGE);
	config = service_config_load(&console_spec, NULL, &error);
	if (config == NULL)
		return complain(error.text, WRONG_USAGE);
	exit_code = print_link(service_config_common(config), &link, days);
	service_config_free(&config);
	return exit_code;
}
