/*
 * log_mask: which runs of digits are phone numbers, and what stays of them.
 *
 * Asterisk's ids (1757840723.6), UUIDs, channel names and Unix times also are runs of digits, and
 * masking them would cut the threads that a log is read by.
 */
#include "log_mask.h"

enum {
	RUN_MIN = 7,   /* shorter ones are extensions, counts, milliseconds */
	RUN_LONG = 10, /* from here on first and last digits leave something out */
	LONG_HEAD = 5,
	LONG_TAIL = 4,
	SHORT_KEPT = 2, /* at both ends */
};

struct run {
	struct str text;   /* all of it */
	size_t start, end; /* the digits */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Letters, digits, _ and the bytes of wide characters. */
static bool is_word(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

/* The character `distance` before the run or behind it; a space at the ends of the text. */
static char before(const struct run *run, size_t distance)
{
	return run->start >= distance ? run->text.data[run->start - distance] : ' ';
}

static char behind(const struct run *run, size_t distance)
{
	size_t at = run->end + distance - 1;

	return at < run->text.size ? run->text.data[at] : ' ';
}

/* Groups of a UUID that happen to be all digits: eight in front of "-hhhh-", twelve behind it. */
static bool is_in_uuid(const struct run *run)
{
	size_t size = run->end - run->start;
	bool first = size == 8 && behind(run, 1) == '-' && behind(run, 6) == '-';
	bool last = size == 12 && before(run, 1) == '-' && before(run, 6) == '-';

	for (size_t i = 2; i <= 5; i++) {
		first = first && is_hex(behind(run, i));
		last = last && is_hex(before(run, i));
	}
	return first || last;
}

/* SIP/0001363-00000004: eight digits behind a hyphen that hangs on a word. */
static bool is_channel_suffix(const struct run *run)
{
	return run->end - run->start == 8 && before(run, 1) == '-' && is_word(before(run, 2));
}

/* Seconds, milliseconds, microseconds since 1970 all begin with 1 until 2033; so do the ids of
 * Telegram's groups (-100 and ten digits). No phone number has such a size and begins with 1. */
static bool is_unix_time(const struct run *run)
{
	size_t size = run->end - run->start;

	return run->text.data[run->start] == '1' && before(run, 1) != '+' &&
	       (size == 10 || size == 13 || size == 16);
}

/* 0001363, a GSM line of Asterisk: no number that can be dialled begins with three zeros. */
static bool is_line_id(const struct run *run)
{
	return str_starts(str_of(run->text.data + run->start, run->end - run->start), STR("000"));
}

/* A number stands by itself: no letter touches it, and it is no part of a decimal. */
static bool is_phone(const struct run *run)
{
	if (run->end - run->start < RUN_MIN || is_line_id(run))
		return false;
	if (is_word(before(run, 1)) || is_word(behind(run, 1)))
		return false;
	if ((before(run, 1) == '.' && is_digit(before(run, 2))) ||
		(behind(run, 1) == '.' && is_digit(behind(run, 2))))
		return false;
	return !is_in_uuid(run) && !is_channel_suffix(run) && !is_unix_time(run);
}

/* Short numbers keep so little that they cannot be put together again. */
static void add_masked(struct buf *to, struct str digits)
{
	size_t head = digits.size >= RUN_LONG ? LONG_HEAD : SHORT_KEPT;
	size_t tail = digits.size >= RUN_LONG ? LONG_TAIL : SHORT_KEPT;

	buf_append(to, digits.data, head);
	buf_add(to, STR("***"));
	buf_append(to, digits.data + digits.size - tail, tail);
}

void log_mask(struct buf *to, struct str text)
{
	struct run run = {.text = text};
	size_t copied = 0;

	for (run.start = 0; run.start < text.size; run.start = run.end + 1) {
		run.end = run.start;
		while (run.end < text.size && is_digit(text.data[run.end]))
			run.end++;
		if (!is_phone(&run))
			continue;
		buf_append(to, text.data + copied, run.start - copied);
		add_masked(to, str_of(text.data + run.start, run.end - run.start));
		copied = run.end;
	}
	if (copied < text.size)
		buf_append(to, text.data + copied, text.size - copied);
}
