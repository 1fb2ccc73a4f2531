/*
 * message_texts: the words and templates of live messages in Russian and English.
 *
 * The Russian ones are those of the system that callweave replaces, to the byte: people's eyes and
 * filters are used to them (a space after the cross, none after the tick; one after the dish only
 * while they talk).
 */
#include "message_texts.h"

static const char *const texts_ru[MESSAGE_TEXTS] = {
	[TEXT_HIDDEN_NUMBER] = "Номер не определен",
	[TEXT_SOMEBODY] = "Неизвестный",
	[TEXT_BLACK_LIST] = "⛔ Чёрный список",
	[TEXT_LINE] = "Линия",
	[TEXT_MANAGERS] = "👨🏼‍💼Менеджеры",
	[TEXT_UNKNOWN_START] = "неизв",
	[TEXT_RECORDING] = "Запись разговора",
	[TEXT_TRANSFERRED_FROM] = "переведен от",
	[TEXT_CALLS] = "Звонил:",
	[TEXT_LAST_CALL] = "Последний раз:",
	[TEXT_AT] = "в",
	[TEXT_LAST_TALKED] = "✅ Разговаривал",
	[TEXT_LAST_MISSED_IN] = "❌ Мы не подняли трубку",
	[TEXT_LAST_MISSED_OUT] = "❌ Клиент не поднял трубку",
	[TEXT_LAST_MISSED] = "❌ Не ответили",
	[TEXT_LISTEN] = "👂 Прослушивание",
	[TEXT_WHISPER] = "💬 Суфлирование",
	[TEXT_CONFERENCE] = "🎙️ Конференция",
	[TEXT_CALL_BACK] = "📞 Позвонить с",
	[TEXT_DETAILS] = "📊 Детали звонка",
};

static const char *const texts_en[MESSAGE_TEXTS] = {
	[TEXT_HIDDEN_NUMBER] = "Number withheld",
	[TEXT_SOMEBODY] = "Unknown",
	[TEXT_BLACK_LIST] = "⛔ Black list",
	[TEXT_LINE] = "Line",
	[TEXT_MANAGERS] = "👨🏼‍💼Managers",
	[TEXT_UNKNOWN_START] = "unknown",
	[TEXT_RECORDING] = "Recording",
	[TEXT_TRANSFERRED_FROM] = "transferred from",
	[TEXT_CALLS] = "Called:",
	[TEXT_LAST_CALL] = "Last time:",
	[TEXT_AT] = "at",
	[TEXT_LAST_TALKED] = "✅ Talked",
	[TEXT_LAST_MISSED_IN] = "❌ We did not answer",
	[TEXT_LAST_MISSED_OUT] = "❌ The client did not answer",
	[TEXT_LAST_MISSED] = "❌ Nobody answered",
	[TEXT_LISTEN] = "👂 Listen",
	[TEXT_WHISPER] = "💬 Whisper",
	[TEXT_CONFERENCE] = "🎙️ Conference",
	[TEXT_CALL_BACK] = "📞 Call from",
	[TEXT_DETAILS] = "📊 Call details",
};

/* -- templates ------------------------------------------------------------------------------------ */

/* Lines that several states share; each begins with a line break. A line without a name that is not
 * even a line's id stands as "Линия: office-sip". */
#define BLACK_LIST "\n{black_list}"
#define LINE_RU	   "\n📡{line}{busy_line? [резерв]}\nЛиния: {trunk}"
#define LINE_EN	   "\n📡{line}{busy_line? [backup]}\nLine: {trunk}"
#define RINGING_RU                                                                                 \
	"\n📡{busy_line}{busy_line? ⚠️ЗАНЯТА → резерв }{line}\nЛиния: "   \
	"{trunk}"
#define RINGING_EN "\n📡{busy_line}{busy_line? ⚠️BUSY → backup }{line}\nLine: {trunk}"
#define TALKING	   "\n📡 {line}\n📡 {trunk}"
#define OURS	   "\n{manager?☎️}{manager}{mobile?📱}{mobile}{transfers? }{transfers}"
#define START_RU   "\n⏰Начало звонка {start}"
#define START_EN   "\n⏰Call started {start}"
#define TALKED_RU  "\n⌛ Длительность: {duration}\n🔉{recording}"
#define TALKED_EN  "\n⌛ Duration: {duration}\n🔉{recording}"
#define TRIED_RU   "\n⌛ Дозванивался: {duration}"
#define TRIED_EN   "\n⌛ Rang for: {duration}"

/* Who of us: while they talk, and in the end, where a mobile has words of its own. */
#define TALKER "{manager?☎️}{manager}{mobile?📱}{mobile}"
#define ANSWERER_RU                                                                                \
	"\n{manager?☎️}{manager}{mobile?📱Принят на: мобильный "            \
	"}{mobile}{transfers? "                                                                    \
	"}{transfers}"
#define ANSWERER_EN                                                                                \
	"\n{manager?☎️}{manager}{mobile?📱Answered on: mobile }{mobile}{transfers? "         \
	"}{transfers}"

static const char *const templates_ru[MESSAGE_TEMPLATES] = {
	[TEMPLATE_GREETING] =
		"💰{client} ➡️ Приветствие" BLACK_LIST LINE_RU "\n{history}",
	[TEMPLATE_RINGING_INCOMING] =
		"📞 Входящий звонок\n💰{client}{managers? ➡️}{followme? }"
		"{followme}" BLACK_LIST "\n{managers}" LINE_RU "\n{history}",
	[TEMPLATE_RINGING_OUTGOING] =
		"📞 Исходящий звонок\n" TALKER
		"{manager? ➡️ }{mobile? ➡️ }💰{client}" BLACK_LIST RINGING_RU,
	[TEMPLATE_TALKING_INCOMING] =
		"🔗 Идет входящий разговор\n💰{client}📞{manager? ➡️ "
		"}"
		"{mobile? ➡️ }" TALKER "{transfers? }{transfers}" BLACK_LIST TALKING,
	[TEMPLATE_TALKING_OUTGOING] = "🔗 Идет исходящий разговор\n" TALKER
				      "{manager? 📞➡️ }{mobile? 📞➡️ }💰{client}📞"
				      "{transfers? }{transfers}" BLACK_LIST TALKING,
	[TEMPLATE_TALKING_INTERNAL] =
		"🔗 Идет внутренний разговор\n☎️{caller} 📞➡️ "
		"☎️{callee}📞",
	[TEMPLATE_ANSWERED_INCOMING] =
		"{mark}Успешный входящий звонок{followme? }{followme}\n💰{client}" BLACK_LIST
			ANSWERER_RU LINE_RU "\n{history_short}" START_RU TALKED_RU,
	[TEMPLATE_ANSWERED_OUTGOING] =
		"{mark}Успешный исходящий звонок" OURS "\n💰{client}" BLACK_LIST LINE_RU
		"\n{history_short}" START_RU TALKED_RU,
	[TEMPLATE_ANSWERED_INTERNAL] =
		"{mark}Успешный внутренний "
		"звонок\n☎️{caller}➡️\n☎️{callee}" START_RU TALKED_RU,
	[TEMPLATE_ANSWERED_UNKNOWN] = "{mark}Завершённый звонок\n💰{client}\n⌛ {duration}",
	[TEMPLATE_MISSED_INCOMING] = "{mark}Мы не подняли трубку\n💰{client}" BLACK_LIST
				     "\n{managers}" LINE_RU "\n{history_short}" START_RU TRIED_RU,
	[TEMPLATE_MISSED_OUTGOING] =
		"{mark}Абонент не поднял трубку" OURS "\n💰{client}" BLACK_LIST LINE_RU
		"\n{history_short}" START_RU TRIED_RU,
	[TEMPLATE_MISSED_INTERNAL] =
		"{mark}Коллега не поднял "
		"трубку\n☎️{caller}➡️\n☎️{callee}" START_RU TRIED_RU,
	[TEMPLATE_MISSED_UNKNOWN] = "{mark}Завершённый звонок\n💰{client}\n⌛ {duration}",
	[TEMPLATE_LOST_INCOMING] = "{mark}Чем закончился звонок, неизвестно\n💰{client}" BLACK_LIST
				   "\n{managers}" LINE_RU START_RU,
	[TEMPLATE_LOST_OUTGOING] = "{mark}Чем закончился звонок, неизвестно" OURS
				   "\n💰{client}" BLACK_LIST LINE_RU START_RU,
};

static const char *const templates_en[MESSAGE_TEMPLATES] = {
	[TEMPLATE_GREETING] = "💰{client} ➡️ Greeting" BLACK_LIST LINE_EN "\n{history}",
	[TEMPLATE_RINGING_INCOMING] =
		"📞 Incoming call\n💰{client}{managers? ➡️}{followme? }"
		"{followme}" BLACK_LIST "\n{managers}" LINE_EN "\n{history}",
	[TEMPLATE_RINGING_OUTGOING] =
		"📞 Outgoing call\n" TALKER
		"{manager? ➡️ }{mobile? ➡️ }💰{client}" BLACK_LIST RINGING_EN,
	[TEMPLATE_TALKING_INCOMING] =
		"🔗 Incoming call in progress\n💰{client}📞{manager? ➡️ }"
		"{mobile? ➡️ }" TALKER "{transfers? }{transfers}" BLACK_LIST TALKING,
	[TEMPLATE_TALKING_OUTGOING] = "🔗 Outgoing call in progress\n" TALKER
				      "{manager? 📞➡️ }{mobile? 📞➡️ }💰{client}📞"
				      "{transfers? }{transfers}" BLACK_LIST TALKING,
	[TEMPLATE_TALKING_INTERNAL] =
		"🔗 Internal call in progress\n☎️{caller} 📞➡️ ☎️{callee}📞",
	[TEMPLATE_ANSWERED_INCOMING] =
		"{mark}Incoming call answered{followme? }{followme}\n💰{client}" BLACK_LIST
			ANSWERER_EN LINE_EN "\n{history_short}" START_EN TALKED_EN,
	[TEMPLATE_ANSWERED_OUTGOING] =
		"{mark}Outgoing call answered" OURS "\n💰{client}" BLACK_LIST LINE_EN
		"\n{history_short}" START_EN TALKED_EN,
	[TEMPLATE_ANSWERED_INTERNAL] =
		"{mark}Internal call answered\n☎️{caller}➡️\n☎️{callee}" START_EN
			TALKED_EN,
	[TEMPLATE_ANSWERED_UNKNOWN] = "{mark}Call finished\n💰{client}\n⌛ {duration}",
	[TEMPLATE_MISSED_INCOMING] = "{mark}We did not answer\n💰{client}" BLACK_LIST
				     "\n{managers}" LINE_EN "\n{history_short}" START_EN TRIED_EN,
	[TEMPLATE_MISSED_OUTGOING] =
		"{mark}They did not answer" OURS "\n💰{client}" BLACK_LIST LINE_EN
		"\n{history_short}" START_EN TRIED_EN,
	[TEMPLATE_MISSED_INTERNAL] =
		"{mark}The colleague did not answer\n☎️{caller}➡️\n☎️{callee}" START_EN
			TRIED_EN,
	[TEMPLATE_MISSED_UNKNOWN] = "{mark}Call finished\n💰{client}\n⌛ {duration}",
	[TEMPLATE_LOST_INCOMING] = "{mark}How the call ended is not known\n💰{client}" BLACK_LIST
				   "\n{managers}" LINE_EN START_EN,
	[TEMPLATE_LOST_OUTGOING] = "{mark}How the call ended is not known" OURS
				   "\n💰{client}" BLACK_LIST LINE_EN START_EN,
};

static bool is_english(const char *locale)
{
	return str_equal(str_from(locale), STR("en"));
}

const char *message_text(const char *locale, enum message_text text)
{
	return is_english(locale) ? texts_en[text] : texts_ru[text];
}

const char *message_template_default(const char *locale, enum message_template which)
{
	return is_english(locale) ? templates_en[which] : templates_ru[which];
}
