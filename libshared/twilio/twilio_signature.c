/*
 * twilio_signature: see twilio_signature.h.
 *
 * Variants of the URL: Twilio drops the port of voice requests over TLS and keeps that of messages; a
 * WebSocket is signed with or without its last slash. All of them are tried with all tokens, also behind
 * a match: how long it takes says nothing about what was wrong.
 */
#include "twilio_signature.h"

#include "crypto.h"
#include "uri.h"

#include <stdlib.h>

enum { MAX_VARIANTS = 9, MAX_SIGNED_BYTES = 512 << 10 };

/* -- the URL, taken apart ------------------------------------------------------------------------------ */

struct url {
	struct str scheme, host, port, path, query; /* query with its '?'; port without the ':' */
};

/* User and password are not part of what is signed. */
static void split_authority(struct str authority, struct url *url)
{
	const char *at = memrchr(authority.data, '@', authority.size);
	const char *colon;

	if (at != NULL)
		authority = str_of(at + 1, (size_t)(authority.data + authority.size - (at + 1)));
	colon = memrchr(authority.data, ':', authority.size);
	if (colon != NULL && memchr(colon, ']', (size_t)(authority.data + authority.size - colon)))
		colon = NULL; /* inside [::1] */
	url->host = authority;
	if (colon == NULL)
		return;
	url->host.size = (size_t)(colon - authority.data);
	url->port = str_of(colon + 1, authority.size - url->host.size - 1);
}

static bool split_url(struct str text, struct url *url)
{
	const char *slashes = text.size > 0 ? memmem(text.data, text.size, "://", 3) : NULL;
	struct str rest;
	size_t host;

	*url = (struct url){0};
	if (slashes == NULL)
		return false;
	url->scheme = str_of(text.data, (size_t)(slashes - text.data));
	rest = str_of(slashes + 3, text.size - url->scheme.size - 3);
	for (host = 0; host < rest.size && rest.data[host] != '/' && rest.data[host] != '?';)
		host++;
	if (host == 0)
		return false;
	split_authority(str_of(rest.data, host), url);
	rest = str_of(rest.data + host, rest.size - host);
	url->path = rest;
	for (size_t i = 0; i < rest.size; i++) {
		if (rest.data[i] != '?')
			continue;
		url->path.size = i;
		url->query = str_of(rest.data + i, rest.size - i);
		break;
	}
	return true;
}

static struct str put_url(
	const struct url *url, struct str port, struct str path, struct arena *arena)
{
	const char *text = arena_printf(arena, "%.*s://%.*s%s%.*s%.*s%.*s", STR_ARG(url->scheme),
		STR_ARG(url->host), port.size > 0 ? ":" : "", STR_ARG(port), STR_ARG(path),
		STR_ARG(url->query));

	return str_from(text);
}

/* -- variants ------------------------------------------------------------------------------------------- */

struct variants {
	struct str items[MAX_VARIANTS];
	unsigned count;
};

static void add_variant(struct variants *variants, struct str url)
{
	for (unsigned i = 0; i < variants->count; i++) {
		if (str_equal(variants->items[i], url))
			return;
	}
	if (variants->count < MAX_VARIANTS)
		variants->items[variants->count++] = url;
}

static void add_ports(
	struct variants *variants, const struct url *url, struct str path, struct arena *arena)
{
	bool tls = str_equal(url->scheme, STR("https")) || str_equal(url->scheme, STR("wss"));

	add_variant(variants, put_url(url, str_of(NULL, 0), path, arena));
	if (url->port.size > 0)
		add_variant(variants, put_url(url, url->port, path, arena));
	else
		add_variant(variants, put_url(url, tls ? STR("443") : STR("80"), path, arena));
}

static void find_variants(
	const struct twilio_request *request, struct arena *arena, struct variants *variants)
{
	struct url url;

	*variants = (struct variants){0};
	if (!split_url(request->url, &url)) {
		add_variant(variants, request->url);
		return;
	}
	add_ports(variants, &url, url.path, arena);
	if (!request->websocket)
		return;
	if (str_ends(url.path, STR("/"))) {
		url.path.size--;
		add_ports(variants, &url, url.path, arena);
	} else {
		const char *longer = arena_printf(arena, "%.*s/", STR_ARG(url.path));

		add_ports(variants, &url, str_from(longer), arena);
	}
}

/* -- the fields ------------------------------------------------------------------------------------------ */

static int compare_text(struct str a, struct str b)
{
	size_t common = a.size < b.size ? a.size : b.size;
	int order = common > 0 ? memcmp(a.data, b.data, common) : 0;

	if (order != 0)
		return order;
	return a.size < b.size ? -1 : a.size > b.size;
}

static int compare_fields(const void *left, const void *right)
{
	const struct twilio_field *a = left, *b = right;
	int order = compare_text(a->name, b->name);

	return order != 0 ? order : compare_text(a->value, b->value);
}

/* Sorted; the same pair counts once (as the vendor's own libraries do). */
static void put_fields(const struct twilio_form *form, struct arena *arena, struct buf *to)
{
	struct twilio_field *sorted = arena_array(arena, form->count + 1, sizeof(*sorted));

	for (size_t i = 0; i < form->count; i++)
		sorted[i] = form->fields[i];
	qsort(sorted, form->count, sizeof(*sorted), compare_fields);
	for (size_t i = 0; i < form->count; i++) {
		if (i > 0 && compare_fields(&sorted[i - 1], &sorted[i]) == 0)
			continue;
		buf_add(to, sorted[i].name);
		buf_add(to, sorted[i].value);
	}
}

/* -- signing ---------------------------------------------------------------------------------------------- */

static void sign(struct str token, struct str message, char to[TWILIO_SIGNATURE_BYTES])
{
	unsigned char digest[CRYPTO_SHA1_BYTES];
	char text[CRYPTO_BASE64_TEXT(CRYPTO_SHA1_BYTES)];

	crypto_hmac_sha1(token, message, digest);
	crypto_base64(digest, sizeof(digest), text);
	(void)str_copy(to, TWILIO_SIGNATURE_BYTES, str_from(text));
}

/* The URL changes from variant to variant, what follows it does not. */
static bool matches(struct str url, struct str fields, struct str token, struct str signature)
{
	struct buf message;
	char ours[TWILIO_SIGNATURE_BYTES];
	bool equal;

	buf_init(&message, MAX_SIGNED_BYTES);
	buf_add(&message, url);
	buf_add(&message, fields);
	sign(token, buf_str(&message), ours);
	equal = !message.failed && str_equal_secret(str_from(ours), signature);
	buf_free(&message);
	return equal;
}

static bool body_is_right(const struct twilio_request *request, struct arena *arena)
{
	struct str query = request->url;
	struct str wanted;
	unsigned char digest[CRYPTO_SHA256_BYTES];
	char hex[2 * CRYPTO_SHA256_BYTES + 1];

	if (!request->json)
		return true;
	(void)str_cut(&query, '?');
	if (!uri_query_value(query, "bodySHA256", arena, &wanted))
		return false;
	crypto_sha256(request->body, digest);
	crypto_hex(digest, sizeof(digest), hex);
	return str_equal_secret(str_from(hex), wanted);
}

void twilio_signature_urls(
	const struct twilio_request *request, struct arena *arena, struct buf *to)
{
	struct variants variants;

	find_variants(request, arena, &variants);
	for (unsigned i = 0; i < variants.count; i++) {
		buf_add_char(to, ' ');
		buf_add(to, variants.items[i]);
	}
}

static bool has_token(const struct twilio_tokens *tokens)
{
	for (unsigned i = 0; i < tokens->count && i < TWILIO_MAX_TOKENS; i++) {
		if (tokens->items[i].size > 0)
			return true;
	}
	return false;
}

bool twilio_signature_check(const struct twilio_request *request,
	const struct twilio_tokens *tokens, struct arena *arena, struct error *error)
{
	struct variants variants;
	struct buf fields;
	bool body = body_is_right(request, arena), match = false;

	if (!has_token(tokens))
		return error_set(error, ERROR_AUTH, "signature: no auth token is known");
	if (request->signature.size == 0)
		return error_set(error, ERROR_AUTH, "signature: missing");
	find_variants(request, arena, &variants);
	buf_init(&fields, MAX_SIGNED_BYTES);
	if (request->form != NULL && !request->json)
		put_fields(request->form, arena, &fields);
	for (unsigned i = 0; i < variants.count; i++) {
		for (unsigned t = 0; t < tokens->count && t < TWILIO_MAX_TOKENS; t++)
			match |= tokens->items[t].size > 0 &&
				 matches(variants.items[i], buf_str(&fields), tokens->items[t],
					 request->signature);
	}
	match = match && body && !fields.failed;
	buf_free(&fields);
	return match ||
	       error_set(error, ERROR_AUTH, "signature: wrong%s", body ? "" : " (the body's hash)");
}

void twilio_signature_make(const struct twilio_request *request, struct str token,
	struct arena *arena, char to[TWILIO_SIGNATURE_BYTES])
{
	struct buf message;
	struct url url;

	buf_init(&message, MAX_SIGNED_BYTES);
	/* User and password are left out, all else is as it stands there. */
	buf_add(&message, split_url(request->url, &url) ? put_url(&url, url.port, url.path, arena)
							: request->url);
	if (request->form != NULL && !request->json)
		put_fields(request->form, arena, &message);
	sign(token, buf_str(&message), to);
	buf_free(&message);
}
