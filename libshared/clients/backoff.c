/*
 * backoff: see backoff.h. The randomness needs no secrecy, only to differ between processes.
 */
#include "backoff.h"

#include "crypto.h"

int64_t backoff_next_ms(struct backoff *backoff)
{
	int64_t delay = backoff->first_ms;
	uint32_t random;

	for (unsigned i = 0; i < backoff->tries && delay < backoff->max_ms; i++)
		delay *= 2;
	if (delay > backoff->max_ms)
		delay = backoff->max_ms;
	backoff->tries++;
	crypto_random(&random, sizeof(random));
	return delay / 2 + (int64_t)(random % (uint32_t)(delay - delay / 2 + 1));
}
