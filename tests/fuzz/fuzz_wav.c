/*
 * fuzz_wav: files that engines elsewhere answer with are read or refused, and never read past.
 */
#include "mulaw.h"
#include "wav.h"

#include "error.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error;
	struct wav wav;
	int sum = 0;

	if (!wav_read(str_of((const char *)data, size), &wav, &error))
		return 0;
	if (wav.hz < 4000 || (!wav.mulaw && wav.data.size % 2 != 0))
		abort();
	for (size_t i = 0; i < wav.data.size; i++)
		sum += mulaw_decode((uint8_t)wav.data.data[i]);
	return sum == -1; /* so that it is really read */
}
