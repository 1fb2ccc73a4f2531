/*
 * message_buttons: what can be done from a message: join the conversation, call back, see details.
 *
 * Each button that rings a phone carries a signed order (signed.h) that names the presser's own
 * phone; there is none without a key, or where the enterprise has nowhere to send orders.
 */
#include "message.h"

#include "json_put.h"
#include "message_texts.h"
#include "phone.h"
#include "signed.h"

/* More would push the chat away; Telegram allows 100 buttons. */
enum { MAX_OWN_PHONES = 3, PHONE_DIGITS_MIN = 3, PHONE_DIGITS_MAX = 15 };

struct keyboard {
	const struct message_view *view;
	const struct message_reader *reader;
	struct buf *to;
	struct json_writer writer;
	unsigned rows;
};

/* Nothing is written before there is a row, so that no buttons leave no trace. */
static void open_row(struct keyboard *keyboard)
{
	if (keyboard->rows++ == 0) {
		json_begin(&keyboard->writer, keyboard->to);
		json_open_object(&keyboard->writer);
		json_put_name(&keyboard->writer, "inline_keyboard");
		json_open_array(&keyboard->writer);
	}
	json_open_array(&keyboard->writer);
}

static void put_order(struct keyboard *keyboard, enum message_text label,
	enum callback_action action, struct str phone)
{
	const struct message_view *view = keyboard->view;
	struct callback callback = {.action = action, .call_id = view->call->id};
	char data[SIGNED_CALLBACK_BYTES];
	struct buf words;
	str_copy(callback.phone, sizeof(callback.phone), phone);
	signed_callback(keyboard->reader->key, &callback, keyboard->reader->chat_id,
		keyboard->reader->until_ms, data);
	buf_init(&words, 128);
	buf_printf(&words, "%s %.*s", message_text(view->tenant->locale, label), STR_ARG(phone));
	json_open_object(&keyboard->writer);
	json_put_member_str(&keyboard->writer, "text", buf_str(&words));
	json_put_member_str(&keyboard->writer, "callback_data", str_from(data));
	json_close_object(&keyboard->writer);
	buf_free(&words);
}

static void put_join(struct keyboard *keyboard, struct str phone)
{
	open_row(keyboard);
	put_order(keyboard, TEXT_LISTEN, CALLBACK_LISTEN, phone);
	put_order(keyboard, TEXT_WHISPER, CALLBACK_WHISPER, phone);
	put_order(keyboard, TEXT_CONFERENCE, CALLBACK_CONFERENCE, phone);
	json_close_array(&keyboard->writer);
}

static void put_call_back(struct keyboard *keyboard, struct str phone)
{
	open_row(keyboard);
	put_order(keyboard, TEXT_CALL_BACK, CALLBACK_CALL_BACK, phone);
	json_close_array(&keyboard->writer);
}

static void put_details(struct keyboard *keyboard)
{
	const struct message_view *view = keyboard->view;
	open_row(keyboard);
	json_open_object(&keyboard->writer);
	json_put_member_str(&keyboard->writer, "text",
		str_from(message_text(view->tenant->locale, TEXT_DETAILS)));
	json_put_member_str(&keyboard->writer, "url", str_from(view->details_url));
	json_close_object(&keyboard->writer);
	json_close_array(&keyboard->writer);
}

static bool call_is_over(const struct call *call)
{
	return call->state == CALL_ENDED || call->state == CALL_LOST;
}

/* Whose phone may this message ring? */
static bool may_ring(const struct message_view *view, const struct message_reader *reader)
{
	const struct tenant_settings *settings = view->tenant->settings;
	return !reader->owner && reader->key.size >= SIGNED_KEY_MIN_BYTES && settings != NULL &&
	       settings->control_url[0] != '\0' &&
	       (view->call->direction == CALL_INCOMING || view->call->direction == CALL_OUTGOING);
}

/* The reader's own phones but `other`, which is the one that talks or is to be called. */
static void put_phones(struct keyboard *keyboard, const char *other)
{
	char avoided[PHONE_TEXT_BYTES], digits[PHONE_TEXT_BYTES];
	unsigned shown = 0;
	phone_digits(str_from(other), avoided);
	for (unsigned i = 0; i < keyboard->reader->phone_count && shown < MAX_OWN_PHONES; i++) {
		struct str phone = str_of(digits, 0);
		if (phone_digits(str_from(keyboard->reader->phones[i]), digits))
			phone = str_from(digits);
		if (phone.size < PHONE_DIGITS_MIN || phone.size > PHONE_DIGITS_MAX ||
			str_equal(phone, str_from(avoided)))
			continue;
		if (call_is_over(keyboard->view->call))
			put_call_back(keyboard, phone);
		else
			put_join(keyboard, phone);
		shown++;
	}
}

/* A number that is withheld cannot be called back. */
static bool has_number(const struct call *call)
{
	char spelled[PHONE_TEXT_BYTES], digits[PHONE_TEXT_BYTES];
	phone_format(str_from(call->external), spelled);
	return spelled[0] != '\0' && phone_digits(str_from(call->external), digits);
}

bool message_buttons(
	const struct message_view *view, const struct message_reader *reader, struct buf *to)
{
	const struct call *call = view->call;
	struct keyboard keyboard = {.view = view, .reader = reader, .to = to};
	bool over = call_is_over(call);
	if (may_ring(view, reader) && call->state == CALL_TALKING && call->talking[0] != '\0')
		put_phones(&keyboard, call->talking);
	if (may_ring(view, reader) && over && has_number(call))
		put_phones(&keyboard, call->external);
	if (over && view->details_url[0] != '\0')
		put_details(&keyboard);
	if (keyboard.rows == 0)
		return false;
	json_close_array(&keyboard.writer);
	json_close_object(&keyboard.writer);
	return true;
}
