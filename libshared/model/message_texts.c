/*
 * message_texts: the words of live messages in Russian and English.
 *
 * The Russian ones are those of the system that callweave replaces, to the byte: people's eyes and
 * filters are used to them (a space after the cross, none after the tick).
 */
#include "message_texts.h"

#include "str.h"

static const char *const texts_ru[MESSAGE_TEXTS] = {
	[TEXT_GREETING] = "Приветствие",
	[TEXT_HIDDEN_NUMBER] = "Номер не определен",
	[TEXT_SOMEBODY] = "Неизвестный",
	[TEXT_RINGING_IN] = "📞 Входящий звонок",
	[TEXT_RINGING_OUT] = "📞 Исходящий звонок",
	[TEXT_TALKING_IN] = "🔗 Идет входящий разговор",
	[TEXT_TALKING_OUT] = "🔗 Идет исходящий разговор",
	[TEXT_TALKING_INTERNAL] = "🔗 Идет внутренний разговор",
	[TEXT_ANSWERED_IN] = "✅Успешный входящий звонок",
	[TEXT_ANSWERED_OUT] = "✅Успешный исходящий звонок",
	[TEXT_ANSWERED_INTERNAL] = "✅Успешный внутренний звонок",
	[TEXT_ANSWERED_UNKNOWN] = "✅Завершённый звонок",
	[TEXT_MISSED_IN] = "❌ Мы не подняли трубку",
	[TEXT_MISSED_OUT] = "❌ Абонент не поднял трубку",
	[TEXT_MISSED_INTERNAL] = "❌ Коллега не поднял трубку",
	[TEXT_ENDED_UNKNOWN] = "❌ Завершённый звонок",
	[TEXT_LOST] = "⚠️ Чем закончился звонок, неизвестно",
	[TEXT_LINE] = "Линия",
	[TEXT_TRUNK] = "Линия:",
	[TEXT_MANAGERS] = "👨🏼‍💼Менеджеры",
	[TEXT_STARTED] = "⏰Начало звонка",
	[TEXT_DURATION] = "⌛ Длительность:",
	[TEXT_TRIED] = "⌛ Дозванивался:",
};

static const char *const texts_en[MESSAGE_TEXTS] = {
	[TEXT_GREETING] = "Greeting",
	[TEXT_HIDDEN_NUMBER] = "Number withheld",
	[TEXT_SOMEBODY] = "Unknown",
	[TEXT_RINGING_IN] = "📞 Incoming call",
	[TEXT_RINGING_OUT] = "📞 Outgoing call",
	[TEXT_TALKING_IN] = "🔗 Incoming call in progress",
	[TEXT_TALKING_OUT] = "🔗 Outgoing call in progress",
	[TEXT_TALKING_INTERNAL] = "🔗 Internal call in progress",
	[TEXT_ANSWERED_IN] = "✅Incoming call answered",
	[TEXT_ANSWERED_OUT] = "✅Outgoing call answered",
	[TEXT_ANSWERED_INTERNAL] = "✅Internal call answered",
	[TEXT_ANSWERED_UNKNOWN] = "✅Call finished",
	[TEXT_MISSED_IN] = "❌ We did not answer",
	[TEXT_MISSED_OUT] = "❌ They did not answer",
	[TEXT_MISSED_INTERNAL] = "❌ The colleague did not answer",
	[TEXT_ENDED_UNKNOWN] = "❌ Call finished",
	[TEXT_LOST] = "⚠️ How the call ended is not known",
	[TEXT_LINE] = "Line",
	[TEXT_TRUNK] = "Line:",
	[TEXT_MANAGERS] = "👨🏼‍💼Managers",
	[TEXT_STARTED] = "⏰Call started",
	[TEXT_DURATION] = "⌛ Duration:",
	[TEXT_TRIED] = "⌛ Rang for:",
};

const char *message_text(const char *locale, enum message_text text)
{
	return str_equal(str_from(locale), STR("en")) ? texts_en[text] : texts_ru[text];
}
