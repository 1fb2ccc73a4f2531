/*
 * twilio: small things that all of its files use: identifiers, dates, addresses, the state itself.
 */
#include "twilio.h"

#include "clock.h"
#include "crypto.h"

#include <stdio.h>

struct twilio *sandbox_twilio(struct sandbox *sandbox)
{
	return sandbox->outside[outside_find_name(STR("twilio"))];
}

void twilio_changed(struct twilio *twilio)
{
	twilio->revision++;
	flow_queue_wake_all(&twilio->sandbox->changed);
}

int64_t twilio_revision(struct sandbox *sandbox)
{
	return sandbox_twilio(sandbox)->revision;
}

void twilio_sid(const char *kind, char to[TWILIO_SID_BYTES])
{
	unsigned char random[16];

	crypto_random(random, sizeof(random));
	memcpy(to, kind, 2);
	crypto_hex(random, sizeof(random), to + 2);
}

/* 1970-01-01 was a Thursday. */
void twilio_date(int64_t wall_ms, char to[TWILIO_DATE_BYTES])
{
	static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct clock_civil civil = clock_to_civil(wall_ms, NULL);

	snprintf(to, TWILIO_DATE_BYTES, "%s, %02d %s %04d %02d:%02d:%02d +0000",
		days[wall_ms / 86400000 % 7], civil.day, months[(civil.month - 1) % 12], civil.year,
		civil.hour, civil.minute, civil.second);
}

bool twilio_is_whatsapp(struct str address)
{
	return str_starts(address, STR("whatsapp:"));
}

struct str twilio_bare(struct str address)
{
	size_t prefix = strlen("whatsapp:");

	return twilio_is_whatsapp(address) ? str_of(address.data + prefix, address.size - prefix)
					   : address;
}

bool twilio_is_e164(struct str number)
{
	return number.size >= 8 && number.size <= 16 && number.data[0] == '+' &&
	       number.data[1] != '0' && str_is_digits(str_of(number.data + 1, number.size - 1));
}
