/*
 * text_words: statuses and error codes of Twilio in our words (twilio.com/docs/api/errors).
 */
#include "text_provider.h"

const struct text_provider *text_provider_find(const char *name)
{
	static const struct text_provider *const providers[] = {&text_twilio, &text_baileys};

	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
		if (strcmp(providers[i]->name, name) == 0)
			return providers[i];
	}
	return NULL;
}

const char *text_status_name(struct str said)
{
	static const char *const names[][2] = {
		{"accepted", "queued"},
		{"scheduled", "queued"},
		{"queued", "queued"},
		{"sending", "sending"},
		{"sent", "sent"},
		{"delivered", "delivered"},
		{"partially_delivered", "delivered"},
		{"read", "read"},
		{"undelivered", "undelivered"},
		{"failed", "failed"},
		{"canceled", "canceled"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_equal_nocase(said, str_from(names[i][0])))
			return names[i][1];
	}
	return NULL;
}

struct str text_error_words(struct str code, struct str said)
{
	static const char *const words[][2] = {
		{"20003", "Twilio refuses the account or its auth token"},
		{"21211", "the recipient's number is not valid"},
		{"21606", "our number is none that this Twilio account may send from"},
		{"21608", "a trial account of Twilio may write to verified numbers only"},
		{"21610", "the recipient has written STOP"},
		{"21617", "the text is longer than 1600 characters"},
		{"30003", "the recipient's phone cannot be reached"},
		{"30005", "the recipient's number is not known"},
		{"30007", "the carrier filtered the text"},
		{"63003", "the recipient has no WhatsApp"},
		{"63007", "our number is no WhatsApp sender of this account"},
		{"63016", "WhatsApp: more than 24 hours since the recipient wrote; a template "
			  "(content_sid) is needed"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_equal(code, str_from(words[i][0])))
			return str_from(words[i][1]);
	}
	return said;
}
