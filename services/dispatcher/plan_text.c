/*
 * plan_text: a call's text and buttons, as they are stored and sent.
 *
 * A final state is rendered twice, without a recording and with a place for it: the difference is
 * kept beside the text, so that a link can be put in when nobody remembers the call any more.
 */
#include "dispatcher.h"
#include "html.h"
#include "message.h"
#include "signed.h"

#define MARKUP_MAX_BYTES ((size_t)8 << 10)
#define DETAILS_MS	 ((int64_t)30 * 24 * 3600 * 1000)
/* Buttons: while it goes on a call is not older than the fold lets it be; then a weekend. */
#define JOIN_MS	     ((int64_t)4 * 3600 * 1000)
#define CALL_BACK_MS ((int64_t)3 * 24 * 3600 * 1000)

/* A time that is the same whenever the call is rendered, so that links and buttons are, too. */
static int64_t call_time(const struct call *call, bool over)
{
	int64_t time = over && call->ended_ms != CALL_NO_TIME ? call->ended_ms : call->started_ms;
	return time != CALL_NO_TIME ? time : 0;
}

static bool call_over(const struct call *call)
{
	return call->state == CALL_ENDED || call->state == CALL_LOST;
}

/* -- text ----------------------------------------------------------------------------------------- */

static bool render(const struct message_view *view, struct arena *arena, struct str *html)
{
	struct buf text;
	buf_init(&text, MESSAGE_MAX_BYTES);
	bool shown = message_render(view, &text) && !text.failed;
	if (shown)
		*html = str_of(arena_strndup(arena, text.data, text.size), text.size);
	buf_free(&text);
	return shown;
}

bool plan_put_recording(struct live_state *state, const char *url, struct arena *arena)
{
	struct message_place place = state->place;
	struct buf text;
	buf_init(&text, MESSAGE_MAX_BYTES * 2);
	bool ok = message_place_fill(state->html, &place, str_from(url), &text);
	if (ok) {
		state->html = str_of(arena_strndup(arena, text.data, text.size), text.size);
		state->place = place;
	}
	buf_free(&text);
	return ok;
}

bool plan_text(struct dispatcher *d, const struct plan_wish *wish, const struct live_call *live,
	struct arena *arena, struct live_state *state)
{
	const struct directory_tenant *tenant =
		directory_find(&d->directory, str_from(wish->enterprise));
	if (tenant == NULL)
		return false;
	struct message_view view = {.call = wish->call,
		.tenant = &tenant->tenant,
		.customer = people_find(d, wish->call_id),
		.recording_url = "",
		.details_url = "",
		.recovered = wish->recovered};
	state->final = call_over(wish->call);
	if (!render(&view, arena, &state->html))
		return false;
	struct str with;
	view.recording_url = MESSAGE_PLACE_URL;
	if (state->final && render(&view, arena, &with))
		state->place = message_place_find(state->html, with);
	if (live != NULL && live->recording != NULL)
		(void)plan_put_recording(state, live->recording, arena);
	return true;
}

/* -- buttons -------------------------------------------------------------------------------------- */

/* The page of the call's details; "": there is none. */
static const char *details_url(
	struct dispatcher *d, const struct plan_wish *wish, struct arena *arena)
{
	struct str key = service_link_key(d->service);
	const char *base = service_public_url(d->service);
	/* Telegram refuses a whole message for a button that leads nowhere. */
	if (key.size < SIGNED_KEY_MIN_BYTES || !html_link_works(str_from(base)))
		return "";
	struct str root = str_from(base);
	while (str_ends(root, STR("/")))
		root.size--;
	struct buf url;
	buf_init(&url, 512);
	buf_add(&url, root);
	signed_link(key, str_from(wish->enterprise), wish->call_id,
		call_time(wish->call, false) + DETAILS_MS, &url);
	const char *copy = url.failed ? "" : arena_strndup(arena, url.data, url.size);
	buf_free(&url);
	return copy;
}

const char *plan_markup(struct dispatcher *d, const struct plan_wish *wish,
	const struct directory_recipient *reader, struct arena *arena)
{
	const struct directory_tenant *tenant =
		directory_find(&d->directory, str_from(wish->enterprise));
	bool over = call_over(wish->call);
	const char *markup = NULL;
	if (tenant == NULL || !(over || wish->call->state == CALL_TALKING))
		return NULL;
	struct message_view view = {.call = wish->call,
		.tenant = &tenant->tenant,
		.recording_url = "",
		.details_url = over ? details_url(d, wish, arena) : ""};
	struct message_reader to = {.owner = true,
		.key = service_link_key(d->service),
		.until_ms = call_time(wish->call, over) + (over ? CALL_BACK_MS : JOIN_MS)};
	if (reader != NULL && reader->user != NULL) {
		to.chat_id = reader->chat_id;
		to.owner = reader->owner;
		to.phones = (const char *const *)reader->user->phones;
		to.phone_count = reader->user->count;
	}
	struct buf text;
	buf_init(&text, MARKUP_MAX_BYTES);
	if (message_buttons(&view, &to, &text) && !text.failed)
		markup = arena_strndup(arena, text.data, text.size);
	buf_free(&text);
	return markup;
}
