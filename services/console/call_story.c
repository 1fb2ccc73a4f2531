/*
 * call_story: the drawing in sentences: for those who cannot see it, and for copying.
 */
#include "call_page.h"

#include <stdlib.h>

static void add_others(struct markup *html, uint32_t with)
{
	bool first = true;

	for (unsigned i = 0; i < TIMELINE_MAX_LANES; i++) {
		if ((with >> i & 1) == 0)
			continue;
		markup_add(html, first ? "" : ", ");
		markup_lane(html, i);
		first = false;
	}
}

void call_bar_words(struct markup *html, const struct timeline_bar *bar)
{
	static const char *const ru[] = {[BAR_WAITING] = "ждёт",
		[BAR_RINGING] = "звонит телефон",
		[BAR_TALKING] = "говорит с ",
		[BAR_CONSULTING] = "говорит с коллегой ",
		[BAR_HOLD] = "на удержании"};
	static const char *const en[] = {[BAR_WAITING] = "waits",
		[BAR_RINGING] = "the telephone rings",
		[BAR_TALKING] = "talks with ",
		[BAR_CONSULTING] = "talks with a colleague, ",
		[BAR_HOLD] = "is on hold"};

	markup_say(html, ru[bar->kind], en[bar->kind]);
	if (bar->with != 0)
		add_others(html, bar->with);
}

const char *call_kind_words(const struct markup *html, enum call_transfer_kind kind)
{
	return kind == TRANSFER_BLIND ? markup_pick(html, "без консультации", "blind")
				      : markup_pick(html, "с консультацией", "attended");
}

const char *call_result_words(const struct markup *html, enum call_transfer_result result)
{
	static const char *const ru[] = {[TRANSFER_PENDING] = "ещё идёт",
		[TRANSFER_ACCEPTED] = "принят",
		[TRANSFER_REFUSED] = "отклонён",
		[TRANSFER_UNANSWERED] = "без ответа"};
	static const char *const en[] = {[TRANSFER_PENDING] = "under way",
		[TRANSFER_ACCEPTED] = "accepted",
		[TRANSFER_REFUSED] = "refused",
		[TRANSFER_UNANSWERED] = "not answered"};

	return markup_pick(html, ru[result], en[result]);
}

void call_arrow_words(struct markup *html, const struct timeline_arrow *arrow)
{
	markup_say(html, "переводит на ", "transfers to ");
	markup_lane(html, arrow->to);
	markup_add(html, ", ");
	markup_add(html, call_kind_words(html, arrow->kind));
	markup_add(html, ": ");
	markup_add(html, call_result_words(html, arrow->result));
	if (arrow->result == TRANSFER_ACCEPTED && arrow->took != arrow->to) {
		markup_say(html, ", ответил ", ", taken by ");
		markup_lane(html, arrow->took);
	}
}

void call_mark_words(struct markup *html, const struct timeline_mark *mark)
{
	switch (mark->kind) {
	case MARK_LINE:
		markup_say(html, "другая линия: ", "another line: ");
		markup_line(html, mark->line);
		break;
	case MARK_LOST:
		markup_say(html, "конец звонка не пришёл", "the end of the call never came");
		break;
	case MARK_HANGUP:
		markup_say(html, "трубка положена", "hung up");
		if (mark->status == 0)
			markup_say(html, ", без ответа", ", not answered");
		break;
	}
}

/* -- in the order of time ------------------------------------------------------------------------------ */

enum { MAX_LINES = TIMELINE_MAX_BARS + TIMELINE_MAX_MARKS + CALL_MAX_TRANSFERS };

struct line {
	int64_t at_ms, to_ms;
	unsigned lane;
	const struct timeline_bar *bar; /* one of the three */
	const struct timeline_arrow *arrow;
	const struct timeline_mark *mark;
};

static int by_time(const void *one, const void *other)
{
	const struct line *a = one, *b = other;

	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	return (a->lane > b->lane) - (a->lane < b->lane);
}

static size_t collect(const struct timeline *drawing, struct line *lines)
{
	size_t count = 0;

	for (unsigned i = 0; i < drawing->bar_count; i++)
		lines[count++] = (struct line){.at_ms = drawing->bars[i].from_ms,
			.to_ms = drawing->bars[i].to_ms,
			.lane = drawing->bars[i].lane,
			.bar = &drawing->bars[i]};
	for (unsigned i = 0; i < drawing->arrow_count; i++)
		lines[count++] = (struct line){.at_ms = drawing->arrows[i].at_ms,
			.to_ms = drawing->arrows[i].done_ms,
			.lane = drawing->arrows[i].from,
			.arrow = &drawing->arrows[i]};
	for (unsigned i = 0; i < drawing->mark_count; i++)
		lines[count++] = (struct line){.at_ms = drawing->marks[i].at_ms,
			.to_ms = drawing->marks[i].at_ms,
			.lane = drawing->marks[i].lane,
			.mark = &drawing->marks[i]};
	if (count > 0)
		qsort(lines, count, sizeof(*lines), by_time);
	return count;
}

static void add_words(struct markup *html, const struct line *line)
{
	if (line->bar != NULL)
		call_bar_words(html, line->bar);
	else if (line->arrow != NULL)
		call_arrow_words(html, line->arrow);
	else
		call_mark_words(html, line->mark);
}

static void add_line(struct markup *html, const struct line *line)
{
	markup_add(html, "<tr><td>");
	markup_offset(html, line->at_ms - html->view->drawing.from_ms, true);
	markup_add(html, "</td><td>");
	markup_time(html, line->at_ms);
	markup_add(html, "</td><td>");
	markup_person(html, html->view->drawing.lanes[line->lane].number);
	markup_add(html, "</td><td>");
	add_words(html, line);
	markup_add(html, "</td><td>");
	if (line->to_ms > line->at_ms)
		markup_seconds(html, line->to_ms - line->at_ms);
	markup_add(html, "</td></tr>");
}

void call_story(struct markup *html)
{
	const struct timeline *drawing = &html->view->drawing;
	struct line *lines = arena_array(html->view->arena, MAX_LINES, sizeof(*lines));
	size_t count = collect(drawing, lines);

	markup_add(html, "<details class=\"story\"><summary>");
	markup_say(html, "То же словами", "The same in words");
	markup_add(html, "</summary><div class=\"scroll\" tabindex=\"0\"><table "
			 "class=\"plain\"><thead><tr>");
	markup_say(html, "<th>От начала</th><th>Время</th><th>Кто</th><th>Что</th><th>Сколько</th>",
		"<th>Offset</th><th>Time</th><th>Who</th><th>What</th><th>How long</th>");
	markup_add(html, "</tr></thead><tbody>");
	for (size_t i = 0; i < count; i++)
		add_line(html, &lines[i]);
	markup_add(html, "</tbody></table></div></details>");
	if (drawing->cut)
		markup_say(html, "<p class=\"soft\">Показано не всё: частей слишком много.</p>",
			"<p class=\"soft\">Not everything is shown: there are too many parts.</p>");
	if (html->view->event_count == 0)
		markup_say(html,
			"<p class=\"soft\">События уже удалены: нарисовано то, что известно о "
			"звонке.</p>",
			"<p class=\"soft\">Its events are gone: drawn is what is known of the "
			"call.</p>");
}
