/*
 * ami_message: see ami_message.h.
 */
#include "ami_message.h"

size_t ami_line_size(struct str input)
{
	const char *end = input.size > 0 ? memchr(input.data, '\n', input.size) : NULL;

	return end != NULL ? (size_t)(end - input.data) + 1 : 0;
}

/* Does the line that ends at `end` hold nothing? */
static bool is_empty_line(struct str input, size_t end)
{
	size_t at = end;

	if (at > 0 && input.data[at - 1] == '\r')
		at--;
	return at == 0 || input.data[at - 1] == '\n';
}

size_t ami_block_size(struct str input, size_t *scanned)
{
	for (size_t at = *scanned; at < input.size; at++) {
		if (input.data[at] == '\n' && is_empty_line(input, at)) {
			*scanned = 0;
			return at + 1;
		}
	}
	*scanned = input.size;
	return 0;
}

void ami_message_read(struct str block, struct ami_message *to)
{
	struct str rest = block;

	to->count = 0;
	while (rest.size > 0 && to->count < AMI_MAX_FIELDS) {
		struct str value = str_cut(&rest, '\n');
		struct str name = str_cut(&value, ':');

		if (value.data == NULL)
			continue; /* no field: output of a command, an empty line */
		to->fields[to->count].name = str_trim(name);
		to->fields[to->count].value = str_trim(value);
		to->count++;
	}
}

struct str ami_message_get(const struct ami_message *message, const char *name)
{
	for (unsigned i = 0; i < message->count; i++) {
		if (str_equal_nocase(message->fields[i].name, str_from(name)))
			return message->fields[i].value;
	}
	return (struct str){0};
}

static bool has_control(struct str value)
{
	for (size_t i = 0; i < value.size; i++) {
		if ((unsigned char)value.data[i] < ' ' || value.data[i] == 0x7f)
			return true;
	}
	return false;
}

bool ami_put(struct buf *to, const char *name, struct str value, struct error *error)
{
	if (has_control(value))
		return error_set(error, ERROR_INPUT, "%s: holds a control character", name);
	return buf_printf(to, "%s: %.*s\r\n", name, STR_ARG(value)) ||
	       error_set(error, ERROR_INPUT, "%s: too long", name);
}
