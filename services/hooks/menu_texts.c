/*
 * menu_texts: what callers hear and who writes a word gets, where an enterprise has said nothing of its
 * own.
 */
#include "menu_private.h"

/* clang-format off */
#define TEXT(fr, he, ru, en) {{[MENU_FR] = {fr, sizeof(fr) - 1}, [MENU_HE] = {he, sizeof(he) - 1}, \
	[MENU_RU] = {ru, sizeof(ru) - 1}, [MENU_EN] = {en, sizeof(en) - 1}}}

const struct menu_text menu_default_prompt = TEXT(
	"Bonjour. Pour des informations, tapez 1. Pour laisser un message, tapez 2. "
	"Pour parler à un opérateur, tapez 0.",
	"שלום. למידע הקישו 1. להשארת הודעה הקישו 2. לנציג הקישו 0.",
	"Здравствуйте. Для справки нажмите 1. Чтобы оставить сообщение, нажмите 2. "
	"Для связи с оператором нажмите 0.",
	"Hello. For information, press 1. To leave a message, press 2. To speak to an operator, press 0.");

const struct menu_text menu_default_info = TEXT(
	"Nos conseillers vous répondent aux heures d'ouverture.",
	"הנציגים שלנו עונים בשעות הפעילות.",
	"Наши сотрудники отвечают в рабочее время.",
	"Our staff answer during opening hours.");

const struct menu_text menu_default_phrases[MENU_PHRASES] = {
	[MENU_PHRASE_INVALID] = TEXT(
		"Je n'ai pas compris votre choix.",
		"לא הבנתי את בחירתכם.",
		"Такого пункта нет.",
		"That is not one of the choices."),
	[MENU_PHRASE_GOODBYE] = TEXT(
		"Merci de votre appel. Au revoir.",
		"תודה שהתקשרתם. להתראות.",
		"Спасибо за звонок. До свидания.",
		"Thank you for calling. Goodbye."),
	[MENU_PHRASE_CLOSED] = TEXT(
		"Nous sommes actuellement fermés.",
		"אנחנו סגורים כעת.",
		"Сейчас мы не работаем.",
		"We are closed at the moment."),
	[MENU_PHRASE_VOICEMAIL] = TEXT(
		"Laissez un message après le signal sonore, puis raccrochez ou appuyez sur dièse.",
		"השאירו הודעה אחרי הצליל, ואז נתקו או הקישו סולמית.",
		"Оставьте сообщение после сигнала, затем положите трубку или нажмите решётку.",
		"Leave a message after the tone, then hang up or press the hash key."),
	[MENU_PHRASE_HOLD] = TEXT(
		"Un instant, je vous mets en relation.",
		"רגע, מעביר אתכם.",
		"Одну минуту, соединяю.",
		"One moment, I am connecting you."),
	[MENU_PHRASE_BUSY] = TEXT(
		"Personne n'est disponible pour le moment.",
		"אין כרגע נציג פנוי.",
		"Сейчас никто не может ответить.",
		"Nobody can take your call right now."),
	[MENU_PHRASE_THANKS] = TEXT(
		"Merci. Votre message est enregistré. Au revoir.",
		"תודה. ההודעה נשמרה. להתראות.",
		"Спасибо. Ваше сообщение записано. До свидания.",
		"Thank you. Your message has been recorded. Goodbye."),
	[MENU_PHRASE_FAILED] = TEXT(
		"Nous rencontrons un problème technique. Laissez un message après le signal sonore.",
		"יש תקלה. השאירו הודעה אחרי הצליל.",
		"Произошла неполадка. Оставьте сообщение после сигнала.",
		"Something went wrong. Please leave a message after the tone."),
};

static const struct menu_text word_hours = TEXT(
	"Nous vous répondons aux heures d'ouverture. Appelez-nous pour les connaître.",
	"אנחנו עונים בשעות הפעילות. התקשרו אלינו לפרטים.",
	"Мы отвечаем в рабочее время. Позвоните нам, чтобы узнать часы работы.",
	"We answer during opening hours. Call us to learn them.");
static const struct menu_text word_contact = TEXT(
	"Appelez ou écrivez à ce numéro, nous vous répondrons.",
	"התקשרו או כתבו למספר הזה, ונחזור אליכם.",
	"Позвоните или напишите на этот номер, мы ответим.",
	"Call or write to this number and we will answer.");
static const struct menu_text word_help = TEXT(
	"Commandes : INFO, HORAIRES, CONTACT, AIDE. STOP pour vous désabonner, START pour vous réabonner.",
	"פקודות: מידע, שעות, קשר, עזרה. STOP להסרה, START להצטרפות מחדש.",
	"Команды: ИНФО, ЧАСЫ, КОНТАКТ, ПОМОЩЬ. STOP, чтобы отписаться, START, чтобы подписаться снова.",
	"Commands: INFO, HOURS, CONTACT, HELP. STOP to unsubscribe, START to subscribe again.");

const struct menu_default_word menu_default_words[] = {
	{"INFO", &menu_default_info}, {"INFOS", &menu_default_info}, {"מידע", &menu_default_info},
	{"ИНФО", &menu_default_info},
	{"HORAIRES", &word_hours}, {"HORAIRE", &word_hours}, {"HOURS", &word_hours}, {"שעות", &word_hours},
	{"ЧАСЫ", &word_hours},
	{"CONTACT", &word_contact}, {"CONTACTS", &word_contact}, {"קשר", &word_contact},
	{"КОНТАКТ", &word_contact}, {"КОНТАКТЫ", &word_contact},
	{"AIDE", &word_help}, {"HELP", &word_help}, {"עזרה", &word_help}, {"ПОМОЩЬ", &word_help},
	{NULL, NULL},
};
/* clang-format on */
