/*
 * click_words: see click_words.h.
 */
#include "click_words.h"

static const char *const words[AMI_RESULTS][2] = {
	[AMI_ANSWERED] = {"has answered, the number is being called",
		"трубка снята, номер набирается"},
	[AMI_RINGING] = {"is ringing", "телефон звонит"},
	[AMI_NO_ANSWER] = {"does not answer", "не отвечает"},
	[AMI_BUSY] = {"is busy", "занято"},
	[AMI_UNAVAILABLE] = {"the phone is not connected to the PBX", "телефон не подключён к АТС"},
	[AMI_REFUSED] = {"the PBX refused the call", "АТС отказала в звонке"},
	[AMI_DENIED] = {"the PBX does not let callweave in: wrong user or secret",
		"АТС не впускает: неверные имя или пароль"},
	[AMI_UNREACHABLE] = {"the PBX cannot be reached", "АТС недоступна"},
	[AMI_UNKNOWN] = {"the PBX has not said what became of the call",
		"АТС не сообщила, что стало со звонком"},
};

static bool is_russian(const char *locale)
{
	return str_equal(str_from(locale), STR("ru"));
}

const char *click_words(
	enum ami_result result, const char *locale, struct str extension, struct arena *arena)
{
	return arena_printf(
		arena, "%.*s: %s", STR_ARG(extension), words[result][is_russian(locale)]);
}

const char *click_words_not_set_up(const char *locale)
{
	return is_russian(locale) ? "звонок по клику для предприятия не настроен"
				  : "click to call is not set up for this enterprise";
}
