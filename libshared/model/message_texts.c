/*
 * message_texts: the words that placeholders and buttons are made of, in Russian and English.
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

const char *message_text(const char *locale, enum message_text text)
{
	return str_equal(str_from(locale), STR("en")) ? texts_en[text] : texts_ru[text];
}
