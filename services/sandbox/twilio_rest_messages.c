/*
 * twilio_rest_messages: Messages.json: what our senders ask of Twilio, checked before it is taken.
 */
#include "twilio_message.h"
#include "twilio_rest.h"

/* MediaUrl may come many times; in the list they lie one a line. */
static bool read_media(const struct outside_call *call, struct buf *media, unsigned *count)
{
	for (size_t i = 0; i < call->args.count; i++) {
		struct str value = call->args.items[i].value;
		if (!str_equal(call->args.items[i].name, STR("MediaUrl")))
			continue;
		if (!str_starts(value, STR("https://")) && !str_starts(value, STR("http://")))
			return false;
		if ((*count)++ > 0)
			buf_add_char(media, '\n');
		buf_add(media, value);
	}
	return true;
}

static bool is_url(struct str url)
{
	return url.size == 0 || str_starts(url, STR("https://")) || str_starts(url, STR("http://"));
}

/* What is said of the form itself, before anybody's number is looked at. */
static struct twilio_refusal read_draft(
	const struct twilio_rest *rest, struct buf *media, struct twilio_draft *draft)
{
	const struct args *args = &rest->call->args;
	struct str variables = args_get(args, "ContentVariables");
	struct json *json = NULL;

	*draft = (struct twilio_draft){
		.account_sid = rest->account,
		.from = args_get(args, "From"),
		.to = args_get(args, "To"),
		.body = args_get(args, "Body"),
		.status_callback = args_get(args, "StatusCallback"),
		.content_sid = args_get(args, "ContentSid"),
		.direction = "outbound-api",
	};
	if (!is_url(draft->status_callback))
		return (struct twilio_refusal){21609, "Invalid 'StatusCallback' URL"};
	if (!read_media(rest->call, media, &draft->media_count))
		return (struct twilio_refusal){21620, "Invalid media URL(s)"};
	draft->media = buf_str(media);
	if (variables.size > 0)
		json = json_parse(variables, (struct json_limits){16384, 3}, NULL);
	if (variables.size > 0 && json_kind(json) != JSON_OBJECT) {
		json_free(&json);
		return (struct twilio_refusal){21656, "The ContentVariables Parameter is invalid"};
	}
	json_free(&json);
	return (struct twilio_refusal){0};
}

void rest_send_message(struct twilio_rest *rest)
{
	struct twilio_message *message;
	struct twilio_refusal refusal;
	struct json_writer writer;
	struct twilio_draft draft;
	struct buf media;

	buf_init(&media, 65536);
	refusal = read_draft(rest, &media, &draft);
	if (refusal.code == 0)
		refusal = twilio_message_check(rest->twilio, &draft);
	if (refusal.code != 0) {
		rest_error(rest->call, 400, refusal.code, "%s", refusal.words);
	} else {
		message = twilio_message_add(rest->twilio, &draft);
		rest->call->status = 201;
		json_begin(&writer, &rest->call->reply);
		twilio_message_write(message, &writer);
		twilio_message_carry(rest->twilio, message);
	}
	buf_free(&media);
}

static bool is_wanted(const struct twilio_rest *rest, const struct twilio_message *message)
{
	struct str to = args_get(&rest->call->args, "To");
	struct str from = args_get(&rest->call->args, "From");

	return str_equal(str_from(message->account_sid), rest->account) &&
	       (to.size == 0 || str_equal(to, str_from(message->to))) &&
	       (from.size == 0 || str_equal(from, str_from(message->from)));
}

/* Newest first; one page, of PageSize (50). */
void rest_list_messages(struct twilio_rest *rest)
{
	const struct twilio_message *at;
	struct json_writer writer;
	int64_t left = 50;

	(void)args_int(&rest->call->args, "PageSize", &left);
	rest->call->status = 200;
	json_begin(&writer, &rest->call->reply);
	json_open_object(&writer);
	json_put_name(&writer, "messages");
	json_open_array(&writer);
	TAILQ_FOREACH_REVERSE(at, &rest->twilio->messages, twilio_messages, link)
	{
		if (is_wanted(rest, at) && left-- > 0)
			twilio_message_write(at, &writer);
	}
	json_close_array(&writer);
	json_put_member_int(&writer, "page", 0);
	json_put_name(&writer, "next_page_uri");
	json_put_null(&writer);
	json_close_object(&writer);
}

void rest_show_message(struct twilio_rest *rest)
{
	const struct twilio_message *message = twilio_message_find(rest->twilio, rest->sid);
	struct json_writer writer;

	if (message == NULL || !str_equal(str_from(message->account_sid), rest->account)) {
		rest_missing(rest);
		return;
	}
	rest->call->status = 200;
	json_begin(&writer, &rest->call->reply);
	twilio_message_write(message, &writer);
}
