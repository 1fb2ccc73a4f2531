/*
 * selfcheck_show: the self-check for programs and for people, in English and Russian.
 */
#include "selfcheck.h"

#include "json_put.h"

/* -- JSON ------------------------------------------------------------------------------------------------ */

static void put_text(struct json_writer *json, const char *name, const char *text)
{
	json_put_member_str(json, name, str_from(text));
}

static void put_problems(struct json_writer *json, const struct selfcheck *check)
{
	json_put_name(json, "problems");
	json_open_array(json);
	for (unsigned i = 0; i < check->problem_count; i++) {
		json_open_object(json);
		put_text(json, "code", check->problems[i].code);
		put_text(json, "text", check->problems[i].en);
		put_text(json, "about", check->problems[i].about);
		json_close_object(json);
	}
	json_close_array(json);
}

static void put_numbers(struct json_writer *json, const struct selfcheck *check)
{
	json_put_name(json, "numbers");
	json_open_array(json);
	for (unsigned i = 0; i < check->number_count; i++) {
		const struct selfcheck_number *number = &check->numbers[i];

		json_open_object(json);
		put_text(json, "number", number->number);
		put_text(json, "enterprise", number->enterprise);
		put_text(json, "voice", number->voice);
		json_put_member_bool(json, "has_token", number->has_token);
		json_put_member_str(json, "last_at", number->last_at);
		json_put_member_str(json, "last_path", number->last_path);
		json_put_member_str(json, "last_signature", number->last_signature);
		json_put_member_int(json, "last_status", number->last_status);
		json_close_object(json);
	}
	json_close_array(json);
}

static void put_rows(struct json_writer *json, const char *name, const char *what,
	const struct selfcheck_row *rows, unsigned count)
{
	json_put_name(json, name);
	json_open_array(json);
	for (unsigned i = 0; i < count; i++) {
		json_open_object(json);
		json_put_member_str(json, what, rows[i].what);
		json_put_member_int(json, "count", rows[i].count);
		json_put_member_str(json, "last_at", rows[i].last_at);
		json_close_object(json);
	}
	json_close_array(json);
}

static void put_urls(struct json_writer *json, const struct selfcheck *check)
{
	json_put_name(json, "configure");
	json_open_array(json);
	for (const struct selfcheck_url *at = selfcheck_urls; at->path != NULL; at++) {
		struct buf url;

		buf_init(&url, 1024);
		buf_printf(&url, "%s%s", check->base, at->path);
		json_open_object(json);
		json_put_member_str(json, "url", buf_str(&url));
		put_text(json, "for", at->en);
		json_close_object(json);
		buf_free(&url);
	}
	json_close_array(json);
}

void selfcheck_json(const struct selfcheck *check, struct buf *to)
{
	struct json_writer json;

	json_begin(&json, to);
	json_open_object(&json);
	json_put_member_bool(&json, "ok", check->problem_count == 0);
	put_text(&json, "base_url", check->base);
	put_problems(&json, check);
	put_urls(&json, check);
	put_numbers(&json, check);
	put_rows(&json, "unknown_numbers", "number", check->unknown, check->unknown_count);
	put_rows(&json, "not_found", "path", check->not_found, check->not_found_count);
	json_put_member_int(&json, "refused_last_day", check->refused);
	json_close_object(&json);
}

/* -- HTML --------------------------------------------------------------------------------------------------- */

struct words {
	const char *language, *title, *problems, *none, *configure, *numbers, *last, *never,
		*unknown, *not_found, *refused;
};

static const struct words words_en = {"en", "Self-check of hooks", "What is wrong", "Nothing",
	"To be configured at Twilio", "Numbers", "last webhook", "none yet",
	"Numbers that ask and are not ours", "Paths that are not there",
	"Refused within the last day"};
static const struct words words_ru = {"ru", "Самопроверка hooks", "Что не так", "Всё в порядке",
	"Что указать в Twilio", "Номера", "последний запрос", "ещё не было",
	"Спрашивающие номера не из наших", "Несуществующие пути", "Отклонено за сутки"};

static void text(struct buf *to, struct str what)
{
	(void)buf_add_html(to, what);
}

static void cell(struct buf *to, struct str what)
{
	buf_add(to, STR("<td>"));
	text(to, what);
	buf_add(to, STR("</td>"));
}

static void heading(struct buf *to, const char *what)
{
	buf_add(to, STR("<h2 class=\"h5 mt-4\">"));
	text(to, str_from(what));
	buf_add(to, STR("</h2>"));
}

static void open_table(struct buf *to)
{
	buf_add(to, STR("<div class=\"table-responsive\"><table class=\"table table-sm\"><tbody>"));
}

static void close_table(struct buf *to)
{
	buf_add(to, STR("</tbody></table></div>"));
}

static void show_problems(
	const struct selfcheck *check, const struct words *words, bool russian, struct buf *to)
{
	heading(to, words->problems);
	if (check->problem_count == 0)
		buf_printf(to, "<p class=\"text-success\">%s</p>", words->none);
	buf_add(to, STR("<ul>"));
	for (unsigned i = 0; i < check->problem_count; i++) {
		const struct selfcheck_problem *problem = &check->problems[i];

		buf_printf(to, "<li data-code=\"%s\">", problem->code);
		text(to, str_from(russian ? problem->ru : problem->en));
		if (problem->about[0] != '\0') {
			buf_add(to, STR(": <code>"));
			text(to, str_from(problem->about));
			buf_add(to, STR("</code>"));
		}
		buf_add(to, STR("</li>"));
	}
	buf_add(to, STR("</ul>"));
}

static void show_urls(
	const struct selfcheck *check, const struct words *words, bool russian, struct buf *to)
{
	heading(to, words->configure);
	open_table(to);
	for (const struct selfcheck_url *at = selfcheck_urls; at->path != NULL; at++) {
		buf_add(to, STR("<tr>"));
		cell(to, str_from(russian ? at->ru : at->en));
		buf_add(to, STR("<td><code>"));
		text(to, str_from(check->base));
		text(to, str_from(at->path));
		buf_add(to, STR("</code></td></tr>"));
	}
	close_table(to);
}

static void show_numbers(const struct selfcheck *check, const struct words *words, struct buf *to)
{
	heading(to, words->numbers);
	open_table(to);
	for (unsigned i = 0; i < check->number_count; i++) {
		const struct selfcheck_number *number = &check->numbers[i];

		buf_add(to, STR("<tr>"));
		cell(to, str_from(number->number));
		cell(to, str_from(number->enterprise));
		cell(to, str_from(number->voice));
		buf_printf(to, "<td>%s: ", words->last);
		text(to, number->last_at.size > 0 ? number->last_at : str_from(words->never));
		if (number->last_at.size > 0) {
			buf_add_char(to, ' ');
			text(to, number->last_path);
			buf_printf(to, " %d ", (int)number->last_status);
			text(to, number->last_signature);
		}
		buf_add(to, STR("</td></tr>"));
	}
	close_table(to);
}

static void show_rows(
	const char *title, const struct selfcheck_row *rows, unsigned count, struct buf *to)
{
	if (count == 0)
		return;
	heading(to, title);
	open_table(to);
	for (unsigned i = 0; i < count; i++) {
		buf_add(to, STR("<tr>"));
		cell(to, rows[i].what);
		buf_printf(to, "<td>%lld</td>", (long long)rows[i].count);
		cell(to, rows[i].last_at);
		buf_add(to, STR("</tr>"));
	}
	close_table(to);
}

void selfcheck_html(const struct selfcheck *check, bool russian, struct buf *to)
{
	const struct words *words = russian ? &words_ru : &words_en;

	buf_printf(to,
		"<!doctype html><html lang=\"%s\"><head><meta charset=\"utf-8\"><meta "
		"name=\"viewport\" content=\"width=device-width, "
		"initial-scale=1\"><title>%s</title>"
		"<link rel=\"stylesheet\" href=\"/static/bootstrap.min.css\"></head><body><main "
		"class=\"container py-3\"><h1 class=\"h3\">%s</h1>",
		words->language, words->title, words->title);
	show_problems(check, words, russian, to);
	show_urls(check, words, russian, to);
	show_numbers(check, words, to);
	show_rows(words->unknown, check->unknown, check->unknown_count, to);
	show_rows(words->not_found, check->not_found, check->not_found_count, to);
	buf_printf(to, "<p class=\"mt-4\">%s: %lld</p></main></body></html>", words->refused,
		(long long)check->refused);
}
