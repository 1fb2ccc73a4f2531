/*
 * texts: a table of codes with their Russian and English; {name} stands for an argument.
 *
 * Plain text: who sends it as HTML escapes it as a whole, so that no argument can be markup. Answers to
 * presses have at most 200 characters.
 */
#include "texts.h"

#include "json.h"

#define HELP_RU                                                                                                                   \
	"/status — подписка этого чата\n/mine on — только мои звонки, /mine off — все\n" \
	"/stop — больше не сообщать\nЧтобы подписать чат: /start КОД"
#define HELP_EN                                                                                    \
	"/status: the subscription of this chat\n/mine on: only my calls, /mine off: all\n"        \
	"/stop: no more messages\nTo subscribe a chat: /start CODE"

struct text {
	const char *code, *ru, *en;
	bool alert;
};

static const struct text texts[] = {
	{"welcome",
		"Здравствуйте! Я сообщаю о звонках. Чтобы подписаться, пришлите код, который дал "
		"администратор:\n/start КОД",
		"Hello! I tell about calls. To subscribe, send the code that your administrator "
		"gave "
		"you:\n/start CODE",
		false},
	{"help", HELP_RU, HELP_EN, false},
	{"subscribed", "✅ Готово: сюда будут приходить звонки «{enterprise}».\n" HELP_RU,
		"✅ Done: calls of “{enterprise}” will be told here.\n" HELP_EN, false},
	{"unsubscribed", "Подписка снята. Чтобы вернуться, попросите новый код: /start КОД",
		"Unsubscribed. To come back, ask for a new code: /start CODE", false},
	{"not_subscribed", "Этот чат не подписан. Чтобы подписать его: /start КОД",
		"This chat is not subscribed. To subscribe it: /start CODE", false},
	{"owner_chat", "Это чат владельца: звонки приходят сюда всегда. Его меняет администратор.",
		"This is the owner's chat: calls are always told here. An administrator can change "
		"it.",
		false},
	{"code_wrong", "❌ Такого кода нет. Проверьте его или попросите новый.",
		"❌ There is no such code. Check it, or ask for a new one.", false},
	{"code_used", "❌ Этот код уже использован. Попросите новый.",
		"❌ This code has been used already. Ask for a new one.", false},
	{"code_expired", "❌ Срок этого кода истёк. Попросите новый.",
		"❌ This code has expired. Ask for a new one.", false},
	{"code_tries", "❌ Слишком много попыток. Попробуйте через 15 минут.",
		"❌ Too many tries. Try again in 15 minutes.", false},
	{"code_private", "❌ Это личный код: отправьте его в личном чате с ботом.",
		"❌ This code is a person's: send it in a private chat with the bot.", false},
	{"admins_only", "❌ В группе это может только её администратор.",
		"❌ In a group only its administrators may do this.", false},
	{"admins_unknown",
		"❌ Не удалось узнать у Telegram, администратор ли вы. Попробуйте ещё раз.",
		"❌ Telegram did not say whether you are an administrator. Please try again.",
		false},
	{"mine_on", "Теперь здесь только ваши звонки. Все: /mine off",
		"Only your calls are told here now. All of them: /mine off", false},
	{"mine_off", "Теперь здесь все звонки. Только ваши: /mine on",
		"All calls are told here now. Only yours: /mine on", false},
	{"mine_which", "Напишите /mine on (только мои звонки) или /mine off (все).",
		"Write /mine on (only my calls) or /mine off (all).", false},
	{"mine_nobody",
		"Этот чат не связан с сотрудником, поэтому «мои» звонки неизвестны. Попросите "
		"личный код.",
		"This chat is not linked to a person, so it is not known which calls are yours. "
		"Ask "
		"for a code of your own.",
		false},
	{"press_over", "Эта кнопка больше не действует.", "This button is no longer valid.", true},
	{"press_gone", "Этого звонка больше нет.", "This call is gone.", true},
	{"press_stranger", "Этот чат не подписан.", "This chat is not subscribed.", true},
	{"press_not_yours", "Это не ваш телефон.", "This is not your phone.", true},
	{"press_no_pbx", "Управление АТС не настроено. Обратитесь к администратору.",
		"Control of the PBX is not set up. Ask your administrator.", true},
	{"press_not_yet", "Звонок ещё идёт.", "The call is still going on.", true},
	{"press_no_number", "Номер не определён, перезвонить нельзя.",
		"The number is not known: it cannot be called back.", true},
	{"press_too_late", "Поздно: разговор уже закончен.", "Too late: the conversation is over.",
		true},
	{"press_yourself", "Вы и так участвуете в этом разговоре.",
		"You are in this conversation already.", true},
	{"press_busy", "Слишком много команд сразу. Попробуйте ещё раз.",
		"Too many commands at once. Please try again.", true},
	{"press_again", "Команда уже выполняется.", "This is being done already.", false},
	{"command_listen_done", "👂 Звоним на {phone}: прослушивание.",
		"👂 Calling {phone}: listening in.", false},
	{"command_whisper_done", "💬 Звоним на {phone}: суфлирование.",
		"💬 Calling {phone}: whispering.", false},
	{"command_conference_done", "🎙️ Звоним на {phone}: конференция.",
		"🎙️ Calling {phone}: conference.", false},
	{"command_call_done", "📞 Звоним на {phone}, затем клиенту.",
		"📞 Calling {phone}, then the customer.", false},
	{"command_refused", "АТС отказала: {words}", "The PBX refused: {words}", true},
	{"command_failed", "Не получилось: {words}", "It did not work: {words}", true},
	{"command_late", "Поздно: команда не отправлена. Попробуйте ещё раз.",
		"Too late: the command was not sent. Please try again.", true},
	{"command_unknown",
		"АТС не ответила. Команда могла дойти: подождите, не зазвонит ли телефон {phone}.",
		"The PBX did not answer. It may have got the command: wait whether {phone} rings.",
		true},
};

static const struct text failed = {"", "Что-то пошло не так. Попробуйте ещё раз.",
	"Something went wrong. Please try again.", false};

static const struct json_field arg_fields[] = {
	JSON_FIELD(struct text_args, enterprise, JSON_STRING, 0),
	JSON_FIELD(struct text_args, phones, JSON_STRING, 0),
	JSON_FIELD(struct text_args, phone, JSON_STRING, 0),
	JSON_FIELD(struct text_args, words, JSON_STRING, 0),
	JSON_FIELD(struct text_args, owner, JSON_BOOL, 0),
	JSON_FIELD(struct text_args, mine, JSON_BOOL, 0),
	{0},
};

bool text_args_read(struct str json, struct arena *arena, struct text_args *args)
{
	struct json *parsed = json_parse(json, (struct json_limits){65536, 4}, NULL);
	*args = (struct text_args){0};
	bool good = parsed != NULL && json_read(parsed, arg_fields, args, arena, NULL);
	json_free(&parsed);
	return good;
}

static const struct text *find(struct str code)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (str_equal(code, str_from(texts[i].code)))
			return &texts[i];
	}
	return &failed;
}

static struct str argument(const struct text_args *args, struct str name)
{
	if (str_equal(name, STR("enterprise")))
		return args->enterprise;
	if (str_equal(name, STR("phone")))
		return args->phone;
	return args->words;
}

static void fill(struct str template, const struct text_args *args, struct buf *to)
{
	while (template.size > 0) {
		buf_add(to, str_cut(&template, '{'));
		if (template.data == NULL)
			return;
		buf_add(to, argument(args, str_cut(&template, '}')));
	}
}

/* The one text that is made of parts. */
static void write_status(const struct text_args *args, bool russian, struct buf *to)
{
	buf_add(to, russian ? STR("Подписан: ") : STR("Subscribed: "));
	buf_add(to, args->enterprise);
	if (args->owner)
		buf_add(to, russian ? STR("\nЧат владельца") : STR("\nThe owner's chat"));
	if (args->phones.size > 0)
		buf_printf(to, "\n%s: %.*s", russian ? "Ваши телефоны" : "Your phones",
			STR_ARG(args->phones));
	buf_add(to, russian ? STR("\nЗвонки: ") : STR("\nCalls: "));
	if (args->mine)
		buf_add(to, russian ? STR("только мои") : STR("only mine"));
	else
		buf_add(to, russian ? STR("все") : STR("all"));
}

void text_write(struct str code, struct str locale, const struct text_args *args, struct buf *to)
{
	bool russian = !str_equal(locale, STR("en"));
	const struct text *text = find(code);
	if (str_equal(code, STR("status")))
		write_status(args, russian, to);
	else
		fill(str_from(russian ? text->ru : text->en), args, to);
}

bool text_is_alert(struct str code)
{
	return find(code)->alert;
}
