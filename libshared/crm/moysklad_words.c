/*
 * moysklad_words: times as the API wants them, and how a call ended in words.
 *
 * The journal of MoySklad has no field for a result or for the time somebody waited: people read
 * both in the comment.
 */
#include "moysklad.h"

#include <inttypes.h>

enum { MOSCOW_MINUTES = 180, NO_OFFSET = 24 * 60 };

/* -- times --------------------------------------------------------------------------------------- */

/* Minutes east of UTC of "+05:00"; NO_OFFSET when it is none. */
static int offset_of(struct str text)
{
	int64_t hours, minutes;

	if (text.size != 6 || text.data[3] != ':' || strchr("+-", text.data[0]) == NULL)
		return NO_OFFSET;
	if (!str_to_int64(str_of(text.data + 1, 2), &hours) ||
		!str_to_int64(str_of(text.data + 4, 2), &minutes) || hours < 0 || hours > 14 ||
		minutes < 0 || minutes > 59)
		return NO_OFFSET;
	return (int)(hours * 60 + minutes) * (text.data[0] == '-' ? -1 : 1);
}

/* A driver reads no files, so it knows no zones but the enterprise's. Moscow has kept UTC+3 since
 * October 2014, longer than any call that is told now. */
static bool zone_offset(struct crm_job *job, const struct clock_zone **zone, int *minutes)
{
	struct str text = crm_config_text(job->account, "zone", "Europe/Moscow", job->arena);

	*zone = NULL;
	*minutes = MOSCOW_MINUTES;
	if (str_equal(text, STR("Europe/Moscow")))
		return true;
	*minutes = str_equal(text, STR("enterprise")) ? 0 : offset_of(text);
	if (str_equal(text, STR("enterprise")))
		*zone = job->account->zone;
	return *minutes != NO_OFFSET;
}

bool moysklad_zone_known(struct crm_job *job)
{
	const struct clock_zone *zone;
	int minutes;

	return zone_offset(job, &zone, &minutes);
}

const char *moysklad_time(struct crm_job *job, int64_t ms)
{
	const struct clock_zone *zone;
	struct clock_civil civil;
	int minutes;

	(void)zone_offset(job, &zone, &minutes);
	civil = clock_to_civil(ms + (int64_t)minutes * 60000, zone);
	return arena_printf(job->arena, "%04d-%02d-%02d %02d:%02d:%02d.%03d", civil.year,
		civil.month, civil.day, civil.hour, civil.minute, civil.second, civil.millisecond);
}

/* -- words --------------------------------------------------------------------------------------- */

struct words {
	const char *ru, *en;
};

static struct words result_words(const struct crm_call *call)
{
	static const struct words incoming[CRM_RESULTS] = {
		[CRM_OPEN] = {"Исход звонка неизвестен", "The outcome is not known"},
		[CRM_NO_ANSWER] = {"Пропущенный входящий звонок", "Missed incoming call"},
		[CRM_BUSY] = {"Пропущенный входящий звонок: занято", "Missed incoming call: busy"},
		[CRM_CANCELLED] = {"Пропущенный входящий звонок: звонивший положил трубку",
			"Missed incoming call: the caller hung up"},
		[CRM_FAILED] = {"Не удалось соединить", "Could not be connected"},
		[CRM_BLOCKED] = {"Звонок заблокирован", "The call was blocked"},
		[CRM_UNCLEAR] = {"Исход звонка неизвестен", "The outcome is not known"},
	};
	static const struct words outgoing[CRM_RESULTS] = {
		[CRM_OPEN] = {"Исход звонка неизвестен", "The outcome is not known"},
		[CRM_NO_ANSWER] = {"Нет ответа", "No answer"},
		[CRM_BUSY] = {"Занято", "Busy"},
		[CRM_CANCELLED] = {"Звонок отменён", "The call was cancelled"},
		[CRM_FAILED] = {"Не удалось соединить", "Could not be connected"},
		[CRM_BLOCKED] = {"Звонок запрещён", "The call was not allowed"},
		[CRM_UNCLEAR] = {"Исход звонка неизвестен", "The outcome is not known"},
	};

	return (call->outgoing ? outgoing : incoming)[call->result];
}

static bool is_english(const struct crm_job *job)
{
	return job->account->locale != NULL && strcmp(job->account->locale, "en") == 0;
}

static void add_seconds(struct buf *to, const char *what, int64_t seconds, bool english)
{
	if (seconds >= 0)
		buf_printf(to, "%s%s %" PRId64 " %s", to->size > 0 ? ", " : "", what, seconds,
			english ? "s" : "с");
}

/* A talker whom nobody mapped to an employee is at least named. */
static void add_extension(struct crm_job *job, struct buf *to, bool english)
{
	struct str extension = job->call->extension;

	if (job->call->result == CRM_TALKED && extension.size > 0 &&
		crm_user_of(job->account, extension, job->arena).size == 0)
		buf_printf(to, " (%s %.*s)", english ? "ext." : "доб.", STR_ARG(extension));
}

const char *moysklad_comment(struct crm_job *job)
{
	const struct crm_call *call = job->call;
	struct words words = result_words(call);
	bool english = is_english(job);
	struct buf text;

	buf_init(&text, 1024);
	if (call->result == CRM_TALKED)
		add_seconds(&text, english ? "Talk" : "Разговор", call->talk_seconds, english);
	else
		buf_add(&text, str_from(english ? words.en : words.ru));
	add_seconds(&text, english ? "waiting" : "ожидание", call->wait_seconds, english);
	add_extension(job, &text, english);
	return crm_take(&text, job->arena).data;
}
