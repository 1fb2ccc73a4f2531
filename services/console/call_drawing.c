/*
 * call_drawing: the timeline as SVG.
 *
 * Horizontal places are percents and vertical ones pixels, so that one picture fits any width
 * without letters that shrink or stretch: nested <svg> elements move to a percent and draw in
 * pixels from there. No styles inside: the Content-Security-Policy forbids them.
 */
#include "call_page.h"

enum { TOP_PX = 26, LANE_PX = 50, BAR_TOP_PX = 22, BAR_PX = 22, FOOT_PX = 26, MIDDLE_PX = 33 };

/* Room for marks at both ends. */
#define LEFT_PERCENT  0.8
#define WIDTH_PERCENT 97.4

static double percent(const struct markup *html, int64_t at_ms)
{
	const struct timeline *drawing = &html->view->drawing;
	int64_t span_ms = drawing->to_ms - drawing->from_ms;

	if (span_ms <= 0)
		return LEFT_PERCENT;
	return LEFT_PERCENT + WIDTH_PERCENT * (double)(at_ms - drawing->from_ms) / (double)span_ms;
}

static int lane_y(unsigned lane)
{
	return TOP_PX + (int)lane * LANE_PX;
}

static int height(const struct markup *html)
{
	return lane_y(html->view->drawing.lane_count) + FOOT_PX;
}

/* -- the axis ------------------------------------------------------------------------------------------- */

/* At most seven lines, so that their labels have room on a telephone. */
static int64_t step_of(int64_t span_ms)
{
	static const int64_t steps_ms[] = {100, 200, 500, 1000, 2000, 5000, 10000, 15000, 30000,
		60000, 120000, 300000, 600000, 900000, 1800000, 3600000, 7200000};
	size_t i = 0, last = sizeof(steps_ms) / sizeof(steps_ms[0]) - 1;

	while (i < last && span_ms / steps_ms[i] > 6)
		i++;
	return span_ms / steps_ms[i] > 12 ? span_ms / 6 + 1 : steps_ms[i];
}

static void add_tick(struct markup *html, int64_t offset_ms, int64_t step_ms)
{
	double x = percent(html, html->view->drawing.from_ms + offset_ms);
	const char *anchor = x < 4 ? "start" : x > 94 ? "end" : "middle";

	buf_printf(&html->to,
		"<line class=\"grid\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%d\" y2=\"%d\"/>"
		"<text class=\"tick\" x=\"%.3f%%\" y=\"14\" text-anchor=\"%s\">",
		x, x, TOP_PX - 6, height(html) - FOOT_PX, x, anchor);
	markup_offset(html, offset_ms, step_ms < 1000);
	markup_add(html, "</text>");
}

static void add_axis(struct markup *html)
{
	const struct timeline *drawing = &html->view->drawing;
	int64_t span_ms = drawing->to_ms - drawing->from_ms;
	int64_t step_ms = step_of(span_ms);

	for (unsigned i = 0; i < drawing->lane_count; i++)
		buf_printf(&html->to,
			"<rect class=\"lane%s\" x=\"0\" y=\"%d\" width=\"100%%\" height=\"%d\"/>",
			i % 2 == 0 ? "" : " odd", lane_y(i), LANE_PX);
	for (int64_t at_ms = 0; at_ms <= span_ms; at_ms += step_ms)
		add_tick(html, at_ms, step_ms);
}

/* -- parts: each can be pointed at and reached by keyboard, and then says what it is ------------------------ */

static void open_part(struct markup *html, const char *kind, const struct buf *words)
{
	markup_add(html, "<g class=\"part ");
	markup_add(html, kind);
	markup_add(html, "\" tabindex=\"0\" role=\"img\" aria-label=\"");
	buf_add(&html->to, buf_str(words));
	markup_add(html, "\"><title>");
	buf_add(&html->to, buf_str(words));
	markup_add(html, "</title>");
}

/* The last line of the picture shows it, for hands and eyes that have no mouse. */
static void close_part(struct markup *html, const struct buf *words)
{
	buf_printf(&html->to, "<text class=\"tip\" x=\"0\" y=\"%d\">", height(html) - 7);
	buf_add(&html->to, buf_str(words));
	markup_add(html, "</text></g>");
}

/* "151 · talks with 152 · 0:07.000 – 0:13.000 · 6.0 s": written aside, used three times. */
static void begin_words(struct markup *html, struct markup *words, unsigned lane)
{
	*words = *html;
	buf_init(&words->to, 4096);
	markup_lane(words, lane);
	markup_add(words, " · ");
}

static void add_span(struct markup *words, int64_t from_ms, int64_t to_ms)
{
	int64_t origin_ms = words->view->drawing.from_ms;

	markup_add(words, " · ");
	markup_offset(words, from_ms - origin_ms, true);
	if (to_ms > from_ms) {
		markup_add(words, " – ");
		markup_offset(words, to_ms - origin_ms, true);
		markup_add(words, " · ");
		markup_seconds(words, to_ms - from_ms);
	}
}

/* -- bars -------------------------------------------------------------------------------------------------- */

/* The short form inside a bar: cut off where it does not fit. */
static void add_bar_label(struct markup *html, const struct timeline_bar *bar)
{
	switch (bar->kind) {
	case BAR_WAITING:
		markup_say(html, "ждёт", "waits");
		break;
	case BAR_RINGING:
		markup_say(html, "вызов", "rings");
		break;
	case BAR_HOLD:
		markup_say(html, "удержание", "on hold");
		break;
	default:
		markup_seconds(html, bar->to_ms - bar->from_ms);
		break;
	}
}

/* What a label needs, in pixels at its size of 12. */
static double label_px(const struct markup *html, enum timeline_bar_kind kind)
{
	static const double px[] = {[BAR_WAITING] = 42,
		[BAR_RINGING] = 50,
		[BAR_TALKING] = 48,
		[BAR_CONSULTING] = 48,
		[BAR_HOLD] = 58};

	return kind == BAR_HOLD && html->russian ? 76 : px[kind];
}

/* Half a word helps nobody: it is left out where no screen, or no telephone, has room for it. The
 * picture is some 850 pixels wide on a desk and 310 on a telephone. */
static const char *label_size(
	const struct markup *html, const struct timeline_bar *bar, double width_percent)
{
	double need_px = label_px(html, bar->kind);

	if (width_percent * 8.5 < need_px)
		return " never";
	return width_percent * 3.1 < need_px ? " wide" : "";
}

static void add_bar(struct markup *html, const struct timeline_bar *bar)
{
	double x = percent(html, bar->from_ms), end = percent(html, bar->to_ms);
	double width = end - x > 0.3 ? end - x : 0.3; /* a moment is still to be seen */
	struct markup words;

	begin_words(html, &words, bar->lane);
	call_bar_words(&words, bar);
	add_span(&words, bar->from_ms, bar->to_ms);
	open_part(html, timeline_bar_name(bar->kind), &words.to);
	buf_printf(&html->to,
		"<svg x=\"%.3f%%\" y=\"%d\" width=\"%.3f%%\" height=\"%d\">"
		"<rect class=\"fill\" width=\"100%%\" height=\"100%%\" rx=\"4\"/>",
		x, lane_y(bar->lane) + BAR_TOP_PX, width, BAR_PX);
	if (bar->kind == BAR_RINGING || bar->kind == BAR_HOLD)
		buf_printf(&html->to,
			"<rect width=\"100%%\" height=\"100%%\" rx=\"4\" fill=\"url(#p-%s)\"/>",
			timeline_bar_name(bar->kind));
	buf_printf(&html->to, "<text class=\"label%s\" x=\"6\" y=\"15\" aria-hidden=\"true\">",
		label_size(html, bar, width));
	add_bar_label(html, bar);
	markup_add(html, "</text></svg>");
	close_part(html, &words.to);
	buf_free(&words.to);
}

/* -- arrows -------------------------------------------------------------------------------------------------- */

static const char *result_sign(enum call_transfer_result result)
{
	static const char *const paths[] = {
		[TRANSFER_PENDING] = "M-3 0h.01M0 0h.01M3 0h.01",
		[TRANSFER_ACCEPTED] = "M-3.5 0l2.5 3L3.5-3",
		[TRANSFER_REFUSED] = "M-3-3L3 3M3-3L-3 3",
		[TRANSFER_UNANSWERED] = "M-3.5 0H3.5",
	};

	return paths[result];
}

/* From the edge of one bar to that of another; the sign of its result stands before the bar that
 * begins there, where nothing else is. */
static void add_arrow(struct markup *html, const struct timeline_arrow *arrow)
{
	bool down = arrow->to > arrow->from;
	int from = lane_y(arrow->from) + (down ? BAR_TOP_PX + BAR_PX : BAR_TOP_PX);
	int to = lane_y(arrow->to) + (down ? BAR_TOP_PX - 1 : BAR_TOP_PX + BAR_PX + 1);
	int head = down ? -7 : 7;
	struct markup words;

	begin_words(html, &words, arrow->from);
	call_arrow_words(&words, arrow);
	add_span(&words, arrow->at_ms, arrow->done_ms);
	open_part(html, "arrow", &words.to);
	buf_printf(&html->to,
		"<svg class=\"%s\" x=\"%.3f%%\" y=\"0\" width=\"1\" height=\"%d\" "
		"overflow=\"visible\">"
		"<path class=\"halo\" d=\"M0 %dV%d\"/><path class=\"shaft\" d=\"M0 %dV%d\"/>"
		"<path class=\"head\" d=\"M0 %dl-5 %dh10z\"/><circle class=\"foot\" cy=\"%d\" "
		"r=\"3.5\"/><g transform=\"translate(-12 %d)\"><circle class=\"badge\" r=\"8\"/>"
		"<path class=\"sign\" d=\"%s\"/></g></svg>",
		call_transfer_result_name(arrow->result), percent(html, arrow->at_ms), height(html),
		from, to, from, to + head / 2, to, head, from, lane_y(arrow->to) + MIDDLE_PX,
		result_sign(arrow->result));
	close_part(html, &words.to);
	buf_free(&words.to);
}

/* -- marks ---------------------------------------------------------------------------------------------------- */

static const char *const mark_shapes[] = {
	[MARK_LINE] = "<path class=\"flag\" d=\"M0 12V-12M0-12l9 4-9 4\"/>",
	[MARK_HANGUP] = "<circle class=\"end\" r=\"6\"/><path class=\"sign\" "
			"d=\"M-2.5-2.5L2.5 2.5M2.5-2.5L-2.5 2.5\"/>",
	[MARK_LOST] = "<circle class=\"end\" r=\"6\"/><path class=\"sign\" "
		      "d=\"M-1.5-1.5a1.7 1.7 0 1 1 2 2V1.5M0 3.4h.01\"/>",
};

/* Which line, above the flag; on a telephone the lane's name is there. */
static void add_line_label(struct markup *html, const struct timeline_mark *mark)
{
	const char *name = view_line_name(html->view, mark->line);
	bool at_end = percent(html, mark->at_ms) > 85;

	buf_printf(&html->to,
		"<text class=\"tick label wide\" x=\"%d\" y=\"-16\" text-anchor=\"%s\" "
		"aria-hidden=\"true\">",
		at_end ? -3 : 3, at_end ? "end" : "start");
	markup_text(html, name[0] != '\0' ? name : mark->line);
	markup_add(html, "</text>");
}

static void add_mark(struct markup *html, const struct timeline_mark *mark)
{
	struct markup words;

	begin_words(html, &words, mark->lane);
	call_mark_words(&words, mark);
	add_span(&words, mark->at_ms, mark->at_ms);
	open_part(html, timeline_mark_name(mark->kind), &words.to);
	buf_printf(&html->to,
		"<svg x=\"%.3f%%\" y=\"%d\" width=\"1\" height=\"1\" overflow=\"visible\">%s",
		percent(html, mark->at_ms), lane_y(mark->lane) + MIDDLE_PX,
		mark_shapes[mark->kind]);
	if (mark->kind == MARK_LINE)
		add_line_label(html, mark);
	markup_add(html, "</svg>");
	close_part(html, &words.to);
	buf_free(&words.to);
}

/* -- the whole -------------------------------------------------------------------------------------------------- */

static const char patterns[] =
	"<defs><pattern id=\"p-ringing\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" "
	"patternTransform=\"rotate(45)\"><rect class=\"hatch\" width=\"3\" height=\"8\"/></pattern>"
	"<pattern id=\"p-hold\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
	"<circle class=\"hatch\" cx=\"3\" cy=\"3\" r=\"1\"/></pattern></defs>";

static void add_lane_names(struct markup *html)
{
	static const char *const icons[] = {
		[LANE_OTHER_SIDE] = "💰", [LANE_EXTENSION] = "☎️", [LANE_MOBILE] = "📱"};
	const struct timeline *drawing = &html->view->drawing;

	markup_add(html, "<ol class=\"names\">");
	for (unsigned i = 0; i < drawing->lane_count; i++) {
		const struct timeline_lane *lane = &drawing->lanes[i];
		bool other = lane->role == LANE_OTHER_SIDE;
		const char *name = other ? "" : view_name(html->view, lane->number);

		markup_add(html, "<li><span aria-hidden=\"true\">");
		markup_add(html, icons[lane->role]);
		markup_add(html, "</span> <b>");
		markup_number(html, lane->number);
		markup_add(html, "</b> <span class=\"who\">");
		if (other)
			markup_str(html, html->view->customer);
		else
			markup_text(html, name);
		markup_add(html, "</span></li>");
	}
	markup_add(html, "</ol>");
}

/* The legend explains what is there, and nothing else. */
static bool has_bar(const struct timeline *drawing, enum timeline_bar_kind kind)
{
	for (unsigned i = 0; i < drawing->bar_count; i++) {
		if (drawing->bars[i].kind == kind)
			return true;
	}
	return false;
}

static bool has_arrow(const struct timeline *drawing, enum call_transfer_result result)
{
	for (unsigned i = 0; i < drawing->arrow_count; i++) {
		if (drawing->arrows[i].result == result)
			return true;
	}
	return false;
}

static bool has_mark(const struct timeline *drawing, enum timeline_mark_kind kind)
{
	for (unsigned i = 0; i < drawing->mark_count; i++) {
		if (drawing->marks[i].kind == kind)
			return true;
	}
	return false;
}

static void explain_bar(struct markup *html, enum timeline_bar_kind kind)
{
	static const char *const ru[] = {[BAR_WAITING] = "ждёт",
		[BAR_RINGING] = "вызов",
		[BAR_TALKING] = "разговор",
		[BAR_CONSULTING] = "разговор с коллегой",
		[BAR_HOLD] = "на удержании"};
	static const char *const en[] = {[BAR_WAITING] = "waits",
		[BAR_RINGING] = "rings",
		[BAR_TALKING] = "talks",
		[BAR_CONSULTING] = "talks with a colleague",
		[BAR_HOLD] = "on hold"};
	const char *name = timeline_bar_name(kind);

	if (!has_bar(&html->view->drawing, kind))
		return;
	buf_printf(&html->to,
		"<li><svg class=\"%s\" width=\"26\" height=\"14\" aria-hidden=\"true\">"
		"<rect class=\"fill\" width=\"26\" height=\"14\" rx=\"3\"/>",
		name);
	if (kind == BAR_RINGING || kind == BAR_HOLD)
		buf_printf(&html->to,
			"<rect width=\"26\" height=\"14\" rx=\"3\" fill=\"url(#p-%s)\"/>", name);
	markup_add(html, "</svg> ");
	markup_say(html, ru[kind], en[kind]);
	markup_add(html, "</li>");
}

static void explain_arrow(struct markup *html, enum call_transfer_result result)
{
	if (!has_arrow(&html->view->drawing, result))
		return;
	buf_printf(&html->to,
		"<li><svg class=\"arrow\" width=\"18\" height=\"18\" viewBox=\"-9 -9 18 18\" "
		"aria-hidden=\"true\"><g class=\"%s\"><circle class=\"badge\" r=\"8\"/>"
		"<path class=\"sign\" d=\"%s\"/></g></svg> ",
		call_transfer_result_name(result), result_sign(result));
	markup_say(html, "перевод ", "transfer ");
	markup_add(html, call_result_words(html, result));
	markup_add(html, "</li>");
}

static void explain_mark(struct markup *html, enum timeline_mark_kind kind)
{
	static const char *const ru[] = {[MARK_LINE] = "другая линия",
		[MARK_HANGUP] = "трубка положена",
		[MARK_LOST] = "конец не пришёл"};
	static const char *const en[] = {[MARK_LINE] = "another line",
		[MARK_HANGUP] = "hung up",
		[MARK_LOST] = "its end never came"};

	if (!has_mark(&html->view->drawing, kind))
		return;
	buf_printf(&html->to,
		"<li><svg class=\"%s\" width=\"18\" height=\"18\" viewBox=\"%s\" "
		"aria-hidden=\"true\">%s</svg> ",
		timeline_mark_name(kind), kind == MARK_LINE ? "-9 -14 28 28" : "-8 -8 16 16",
		mark_shapes[kind]);
	markup_say(html, ru[kind], en[kind]);
	markup_add(html, "</li>");
}

static void add_legend(struct markup *html)
{
	markup_add(html, "<ul class=\"legend\" aria-label=\"");
	markup_say(html, "Обозначения", "Legend");
	markup_add(html, "\">");
	for (int i = BAR_WAITING; i <= BAR_HOLD; i++)
		explain_bar(html, (enum timeline_bar_kind)i);
	for (int i = TRANSFER_PENDING; i <= TRANSFER_UNANSWERED; i++)
		explain_arrow(html, (enum call_transfer_result)i);
	for (int i = MARK_LINE; i <= MARK_LOST; i++)
		explain_mark(html, (enum timeline_mark_kind)i);
	markup_add(html, "</ul>");
}

void call_drawing(struct markup *html)
{
	const struct timeline *drawing = &html->view->drawing;

	markup_add(html, "<figure class=\"chart\"><div class=\"board\">");
	add_lane_names(html);
	buf_printf(&html->to,
		"<svg class=\"plot\" width=\"100%%\" height=\"%d\" role=\"group\" aria-label=\"",
		height(html));
	markup_say(html, "Шкала времени звонка; то же списком ниже",
		"Timeline of the call; the same as a list below");
	markup_add(html, "\">");
	markup_add(html, patterns);
	add_axis(html);
	for (unsigned i = 0; i < drawing->bar_count; i++)
		add_bar(html, &drawing->bars[i]);
	for (unsigned i = 0; i < drawing->arrow_count; i++)
		add_arrow(html, &drawing->arrows[i]);
	for (unsigned i = 0; i < drawing->mark_count; i++)
		add_mark(html, &drawing->marks[i]);
	markup_add(html, "</svg></div>");
	add_legend(html);
	markup_add(html, "</figure>");
}
