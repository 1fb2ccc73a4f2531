/*
 * message_defaults: the templates that hold unless an enterprise has its own.
 *
 * The Russian ones are those of the system that callweave replaces, to the byte: people's eyes and
 * filters are used to them (a space behind the dish only while they talk). A line of text stands on a line
 * here: it is lines that are left out when they have nothing to show.
 */
#include "message_texts.h"

static const char *const templates_ru[MESSAGE_TEMPLATES] = {
	[TEMPLATE_GREETING] = "💰{client} ➡️ Приветствие\n"
			      "{black_list}\n"
			      "📡{line}\n"
			      "Линия: {trunk}\n"
			      "{history}",
	[TEMPLATE_RINGING_INCOMING] = "📞 Входящий звонок\n"
				      "💰{client}{managers? ➡️}{followme? }{followme}\n"
				      "{black_list}\n"
				      "{managers}\n"
				      "📡{line}\n"
				      "Линия: {trunk}\n"
				      "{history}",
	[TEMPLATE_RINGING_OUTGOING] =
		"📞 Исходящий звонок\n"
		"{talker}{talker? ➡️ }💰{client}\n"
		"{black_list}\n"
		"📡{busy_line}{busy_line? ⚠️ЗАНЯТА → резерв }{line}\n"
		"Линия: {trunk}",
	[TEMPLATE_TALKING_INCOMING] =
		"🔗 Идет входящий разговор\n"
		"💰{client}📞{talker? ➡️ }{talker}{transfers? }{transfers}\n"
		"{black_list}\n"
		"📡 {line}\n"
		"📡 {trunk}",
	[TEMPLATE_TALKING_OUTGOING] =
		"🔗 Идет исходящий разговор\n"
		"{talker}{talker? 📞➡️ }💰{client}📞{transfers? }{transfers}\n"
		"{black_list}\n"
		"📡 {line}\n"
		"📡 {trunk}",
	[TEMPLATE_TALKING_INTERNAL] = "🔗 Идет внутренний разговор\n"
				      "☎️{caller} 📞➡️ ☎️{callee}📞",
	[TEMPLATE_ANSWERED_INCOMING] =
		"{mark}Успешный входящий звонок{followme? }{followme}\n"
		"💰{client}\n"
		"{black_list}\n"
		"{manager?☎️}{manager}"
		"{mobile?📱Принят на: мобильный }{mobile}{transfers? }{transfers}\n"
		"📡{line}\n"
		"Линия: {trunk}\n"
		"{history_short}\n"
		"⏰Начало звонка {start}\n"
		"⌛ Длительность: {duration}\n"
		"🔉{recording}",
	[TEMPLATE_ANSWERED_OUTGOING] = "{mark}Успешный исходящий звонок\n"
				       "{talker}{transfers? }{transfers}\n"
				       "💰{client}\n"
				       "{black_list}\n"
				       "📡{line}{busy_line? [резерв]}\n"
				       "Линия: {trunk}\n"
				       "{history_short}\n"
				       "⏰Начало звонка {start}\n"
				       "⌛ Длительность: {duration}\n"
				       "🔉{recording}",
	[TEMPLATE_ANSWERED_INTERNAL] = "{mark}Успешный внутренний звонок\n"
				       "☎️{caller}➡️\n"
				       "☎️{callee}\n"
				       "⏰Начало звонка {start}\n"
				       "⌛ Длительность: {duration}\n"
				       "🔉{recording}",
	[TEMPLATE_ANSWERED_UNKNOWN] = "{mark}Завершённый звонок\n"
				      "💰{client}\n"
				      "⌛ {duration}",
	[TEMPLATE_MISSED_INCOMING] = "{mark}Мы не подняли трубку\n"
				     "💰{client}\n"
				     "{black_list}\n"
				     "{managers}\n"
				     "📡{line}\n"
				     "Линия: {trunk}\n"
				     "{history_short}\n"
				     "⏰Начало звонка {start}\n"
				     "⌛ Дозванивался: {duration}",
	[TEMPLATE_MISSED_OUTGOING] = "{mark}Абонент не поднял трубку\n"
				     "{talker}{transfers? }{transfers}\n"
				     "💰{client}\n"
				     "{black_list}\n"
				     "📡{line}{busy_line? [резерв]}\n"
				     "Линия: {trunk}\n"
				     "{history_short}\n"
				     "⏰Начало звонка {start}\n"
				     "⌛ Дозванивался: {duration}",
	[TEMPLATE_MISSED_INTERNAL] = "{mark}Коллега не поднял трубку\n"
				     "☎️{caller}➡️\n"
				     "☎️{callee}\n"
				     "⏰Начало звонка {start}\n"
				     "⌛ Дозванивался: {duration}",
	[TEMPLATE_MISSED_UNKNOWN] = "{mark}Завершённый звонок\n"
				    "💰{client}\n"
				    "⌛ {duration}",
	[TEMPLATE_LOST_INCOMING] = "{mark}Чем закончился звонок, неизвестно\n"
				   "💰{client}\n"
				   "{black_list}\n"
				   "{managers}\n"
				   "📡{line}\n"
				   "Линия: {trunk}\n"
				   "⏰Начало звонка {start}",
	[TEMPLATE_LOST_OUTGOING] = "{mark}Чем закончился звонок, неизвестно\n"
				   "{talker}{transfers? }{transfers}\n"
				   "💰{client}\n"
				   "{black_list}\n"
				   "📡{line}{busy_line? [резерв]}\n"
				   "Линия: {trunk}\n"
				   "⏰Начало звонка {start}",
};

static const char *const templates_en[MESSAGE_TEMPLATES] = {
	[TEMPLATE_GREETING] = "💰{client} ➡️ Greeting\n"
			      "{black_list}\n"
			      "📡{line}\n"
			      "Line: {trunk}\n"
			      "{history}",
	[TEMPLATE_RINGING_INCOMING] = "📞 Incoming call\n"
				      "💰{client}{managers? ➡️}{followme? }{followme}\n"
				      "{black_list}\n"
				      "{managers}\n"
				      "📡{line}\n"
				      "Line: {trunk}\n"
				      "{history}",
	[TEMPLATE_RINGING_OUTGOING] = "📞 Outgoing call\n"
				      "{talker}{talker? ➡️ }💰{client}\n"
				      "{black_list}\n"
				      "📡{busy_line}{busy_line? ⚠️BUSY → backup }{line}\n"
				      "Line: {trunk}",
	[TEMPLATE_TALKING_INCOMING] =
		"🔗 Incoming call in progress\n"
		"💰{client}📞{talker? ➡️ }{talker}{transfers? }{transfers}\n"
		"{black_list}\n"
		"📡 {line}\n"
		"📡 {trunk}",
	[TEMPLATE_TALKING_OUTGOING] =
		"🔗 Outgoing call in progress\n"
		"{talker}{talker? 📞➡️ }💰{client}📞{transfers? }{transfers}\n"
		"{black_list}\n"
		"📡 {line}\n"
		"📡 {trunk}",
	[TEMPLATE_TALKING_INTERNAL] = "🔗 Internal call in progress\n"
				      "☎️{caller} 📞➡️ ☎️{callee}📞",
	[TEMPLATE_ANSWERED_INCOMING] =
		"{mark}Incoming call answered{followme? }{followme}\n"
		"💰{client}\n"
		"{black_list}\n"
		"{manager?☎️}{manager}"
		"{mobile?📱Answered on: mobile }{mobile}{transfers? }{transfers}\n"
		"📡{line}\n"
		"Line: {trunk}\n"
		"{history_short}\n"
		"⏰Call started {start}\n"
		"⌛ Duration: {duration}\n"
		"🔉{recording}",
	[TEMPLATE_ANSWERED_OUTGOING] = "{mark}Outgoing call answered\n"
				       "{talker}{transfers? }{transfers}\n"
				       "💰{client}\n"
				       "{black_list}\n"
				       "📡{line}{busy_line? [backup]}\n"
				       "Line: {trunk}\n"
				       "{history_short}\n"
				       "⏰Call started {start}\n"
				       "⌛ Duration: {duration}\n"
				       "🔉{recording}",
	[TEMPLATE_ANSWERED_INTERNAL] = "{mark}Internal call answered\n"
				       "☎️{caller}➡️\n"
				       "☎️{callee}\n"
				       "⏰Call started {start}\n"
				       "⌛ Duration: {duration}\n"
				       "🔉{recording}",
	[TEMPLATE_ANSWERED_UNKNOWN] = "{mark}Call finished\n"
				      "💰{client}\n"
				      "⌛ {duration}",
	[TEMPLATE_MISSED_INCOMING] = "{mark}We did not answer\n"
				     "💰{client}\n"
				     "{black_list}\n"
				     "{managers}\n"
				     "📡{line}\n"
				     "Line: {trunk}\n"
				     "{history_short}\n"
				     "⏰Call started {start}\n"
				     "⌛ Rang for: {duration}",
	[TEMPLATE_MISSED_OUTGOING] = "{mark}They did not answer\n"
				     "{talker}{transfers? }{transfers}\n"
				     "💰{client}\n"
				     "{black_list}\n"
				     "📡{line}{busy_line? [backup]}\n"
				     "Line: {trunk}\n"
				     "{history_short}\n"
				     "⏰Call started {start}\n"
				     "⌛ Rang for: {duration}",
	[TEMPLATE_MISSED_INTERNAL] = "{mark}The colleague did not answer\n"
				     "☎️{caller}➡️\n"
				     "☎️{callee}\n"
				     "⏰Call started {start}\n"
				     "⌛ Rang for: {duration}",
	[TEMPLATE_MISSED_UNKNOWN] = "{mark}Call finished\n"
				    "💰{client}\n"
				    "⌛ {duration}",
	[TEMPLATE_LOST_INCOMING] = "{mark}How the call ended is not known\n"
				   "💰{client}\n"
				   "{black_list}\n"
				   "{managers}\n"
				   "📡{line}\n"
				   "Line: {trunk}\n"
				   "⏰Call started {start}",
	[TEMPLATE_LOST_OUTGOING] = "{mark}How the call ended is not known\n"
				   "{talker}{transfers? }{transfers}\n"
				   "💰{client}\n"
				   "{black_list}\n"
				   "📡{line}{busy_line? [backup]}\n"
				   "Line: {trunk}\n"
				   "⏰Call started {start}",
};

const char *message_template_default(const char *locale, enum message_template which)
{
	bool english = str_equal(str_from(locale), STR("en"));

	return english ? templates_en[which] : templates_ru[which];
}
