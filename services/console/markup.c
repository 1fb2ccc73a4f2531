/*
 * markup: see markup.h.
 */
#include "markup.h"

#include "number_rules.h"
#include "phone.h"

#include <inttypes.h>

void markup_init(struct markup *html, bool russian)
{
	*html = (struct markup){.russian = russian};
	buf_init(&html->to, MARKUP_MAX_BYTES);
}

void markup_add(struct markup *html, const char *markup)
{
	buf_add(&html->to, str_from(markup));
}

/* What no page may contain, U+0000 and the like, PostgreSQL and JSON have refused before. */
void markup_str(struct markup *html, struct str text)
{
	buf_add_html(&html->to, text);
}

void markup_text(struct markup *html, const char *text)
{
	buf_add_html(&html->to, str_from(text));
}

void markup_int(struct markup *html, int64_t value)
{
	buf_printf(&html->to, "%" PRId64, value);
}

const char *markup_pick(const struct markup *html, const char *ru, const char *en)
{
	return html->russian ? ru : en;
}

void markup_say(struct markup *html, const char *ru, const char *en)
{
	markup_add(html, markup_pick(html, ru, en));
}

/* -- times -------------------------------------------------------------------------------------------- */

void markup_date(struct markup *html, int64_t at_ms)
{
	struct clock_civil at;

	if (at_ms == CALL_NO_TIME) {
		markup_add(html, "–");
		return;
	}
	at = clock_to_civil(at_ms, html->zone);
	if (html->russian)
		buf_printf(&html->to, "%02d.%02d.%04d", at.day, at.month, at.year);
	else
		buf_printf(&html->to, "%04d-%02d-%02d", at.year, at.month, at.day);
}

void markup_clock(struct markup *html, int64_t at_ms)
{
	struct clock_civil at;

	if (at_ms == CALL_NO_TIME) {
		markup_add(html, "–");
		return;
	}
	at = clock_to_civil(at_ms, html->zone);
	buf_printf(&html->to, "%02d:%02d:%02d.%03d", at.hour, at.minute, at.second, at.millisecond);
}

void markup_time(struct markup *html, int64_t at_ms)
{
	char utc[CLOCK_TEXT_BYTES];

	if (at_ms == CALL_NO_TIME) {
		markup_add(html, "–");
		return;
	}
	clock_format_rfc3339(at_ms, utc);
	buf_printf(&html->to, "<time datetime=\"%s\" title=\"", utc);
	markup_date(html, at_ms);
	markup_add(html, "\">");
	markup_clock(html, at_ms);
	markup_add(html, "</time>");
}

/* Hours only when there are any. */
void markup_offset(struct markup *html, int64_t offset_ms, bool exact)
{
	int64_t seconds = offset_ms / 1000;

	if (offset_ms < 0) {
		markup_add(html, "−");
		markup_offset(html, -offset_ms, exact);
		return;
	}
	if (seconds >= 3600)
		buf_printf(&html->to, "%" PRId64 ":%02d:%02d", seconds / 3600,
			(int)(seconds / 60 % 60), (int)(seconds % 60));
	else
		buf_printf(&html->to, "%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
	if (exact)
		buf_printf(&html->to, ".%03d", (int)(offset_ms % 1000));
}

void markup_seconds(struct markup *html, int64_t took_ms)
{
	if (took_ms >= 60000) {
		markup_offset(html, took_ms, false);
		return;
	}
	buf_printf(&html->to, html->russian ? "%d,%d с" : "%d.%d s", (int)(took_ms / 1000),
		(int)(took_ms % 1000 / 100));
}

/* -- who ---------------------------------------------------------------------------------------------- */

void markup_number(struct markup *html, const char *number)
{
	char spelled[PHONE_TEXT_BYTES], with_plus[CALL_NUMBER_BYTES + 1] = "+";
	bool long_digits = strlen(number) > 9 && str_is_digits(str_from(number));

	/* Mobiles are kept as digits: to people they are numbers like any other. */
	if (long_digits)
		(void)str_copy(with_plus + 1, sizeof(with_plus) - 1, str_from(number));
	phone_format(str_from(long_digits ? with_plus : number), spelled);
	if (spelled[0] == '\0')
		markup_say(html, "номер скрыт", "number withheld");
	else
		markup_text(html, spelled);
}

void markup_person(struct markup *html, const char *number)
{
	const char *name = view_name(html->view, number);

	if (name[0] == '\0' && number_is_machine(str_from(number))) {
		if (str_equal(str_from(number), STR("agent")))
			markup_say(html, "Голосовой помощник", "Voice agent");
		else
			markup_say(html, "Голосовое меню", "Voice menu");
		return;
	}
	if (name[0] != '\0') {
		markup_text(html, name);
		markup_add(html, " (");
	}
	markup_number(html, number);
	if (name[0] != '\0')
		markup_add(html, ")");
}

void markup_line(struct markup *html, const char *line)
{
	const char *name = view_line_name(html->view, line);

	if (name[0] != '\0') {
		markup_text(html, name);
		markup_add(html, " (");
	}
	markup_text(html, line);
	if (name[0] != '\0')
		markup_add(html, ")");
}

void markup_lane(struct markup *html, unsigned lane)
{
	const struct timeline *drawing = &html->view->drawing;

	if (lane < drawing->lane_count)
		markup_number(html, drawing->lanes[lane].number);
}
