/*
 * fuzz_twilio_form: any bytes as a form that Twilio posts: refused with words, or signed, checked, and put
 * into TwiML that stays well-formed.
 */
#include "twilio_signature.h"
#include "twiml.h"

#include <stdlib.h>

enum { ARENA_BYTES = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was signed is right, and with one field more it is not. */
static void check_signature(const struct twilio_form *form, struct str url, struct arena *arena)
{
	struct twilio_tokens tokens = {.items = {STR("12345")}, .count = 1};
	char signature[TWILIO_SIGNATURE_BYTES];
	struct twilio_request request = {.url = url, .form = form};
	struct twilio_form more = {
		arena_array(arena, form->count + 1, sizeof(*form->fields)), form->count + 1};

	twilio_signature_make(&request, STR("12345"), arena, signature);
	request.signature = str_from(signature);
	if (!twilio_signature_check(&request, &tokens, arena, NULL))
		abort();
	for (size_t i = 0; i < form->count; i++)
		more.fields[i] = form->fields[i];
	more.fields[form->count] = (struct twilio_field){STR("More"), STR("1\x01")};
	request.form = &more;
	if (twilio_signature_check(&request, &tokens, arena, NULL))
		abort();
}

/* No character that XML forbids, and no markup but ours. */
static void check_document(const struct twilio_form *form)
{
	struct twiml twiml;
	struct buf xml;
	size_t tags = 0;

	buf_init(&xml, TWIML_MAX_BYTES);
	twiml_begin(&twiml, &xml);
	for (size_t i = 0; i < form->count && i < 4; i++) {
		twiml_open(&twiml, "Say");
		twiml_attribute(&twiml, "voice", form->fields[i].name);
		twiml_text(&twiml, form->fields[i].value);
		twiml_close(&twiml);
	}
	twiml_end(&twiml);
	for (size_t i = 0; i < xml.size; i++) {
		tags += xml.data[i] == '<';
		if ((unsigned char)xml.data[i] < 0x20 && xml.data[i] != '\t' && xml.data[i] != '\n')
			abort();
	}
	if (!xml.failed && (!str_is_utf8(buf_str(&xml)) || tags > 3 + 2 * 4))
		abort();
	buf_free(&xml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct str text = str_of((const char *)data, size < 65536 ? size : 65536);
	struct twilio_form form;
	struct error error = {0};

	if (twilio_form_read(text, arena, &form, &error)) {
		check_signature(&form, form.count > 0 ? form.fields[0].value : STR(""), arena);
		check_document(&form);
	} else if (error.kind != ERROR_INPUT || error.text[0] == '\0') {
		abort();
	}
	arena_free(&arena);
	return 0;
}
