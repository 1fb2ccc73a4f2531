/*
 * breaker: see breaker.h. The one place that changes a breaker's state.
 */
#include "breaker.h"

const char *breaker_state_name(enum breaker_state state)
{
	static const char *const names[BREAKER_STATES] = {
		[BREAKER_CLOSED] = "closed",
		[BREAKER_OPEN] = "open",
		[BREAKER_LOCKED] = "locked",
	};

	return (unsigned)state < BREAKER_STATES ? names[state] : "?";
}

bool breaker_lets(const struct breaker *breaker, int64_t now_ms)
{
	return breaker->state == BREAKER_CLOSED ||
	       (!breaker->trying && now_ms >= breaker->until_ms);
}

bool breaker_begin(struct breaker *breaker)
{
	if (breaker->state == BREAKER_CLOSED)
		return false;
	breaker->trying = true;
	return true;
}

/* What left before it opened may succeed late: that, too, says that the CRM works. But refused
 * credentials may be refused for one thing and not for another, so there only the trial counts. */
bool breaker_good(struct breaker *breaker, bool trial)
{
	bool changed = breaker->state != BREAKER_CLOSED || breaker->failures > 0;

	if (breaker->state == BREAKER_LOCKED && !trial)
		return false;
	*breaker = (struct breaker){0};
	return changed;
}

static void open_for(struct breaker *breaker, int64_t pause_ms, int64_t now_ms)
{
	breaker->state = BREAKER_OPEN;
	breaker->trying = false;
	breaker->pause_ms = pause_ms > BREAKER_MAX_MS ? BREAKER_MAX_MS : pause_ms;
	breaker->until_ms = now_ms + breaker->pause_ms;
}

bool breaker_bad(struct breaker *breaker, bool trial, int64_t now_ms)
{
	breaker->failures++;
	if (breaker->state == BREAKER_CLOSED) {
		if (breaker->failures >= BREAKER_FAILURES)
			open_for(breaker, BREAKER_FIRST_MS, now_ms);
	} else if (trial) { /* of a locked one, too: the door opens, but nobody answers */
		open_for(breaker, breaker->pause_ms > 0 ? breaker->pause_ms * 2 : BREAKER_FIRST_MS,
			now_ms);
	}
	return true;
}

void breaker_unsaid(struct breaker *breaker, bool trial)
{
	if (trial)
		breaker->trying = false;
}

bool breaker_lock(struct breaker *breaker, int64_t until_ms)
{
	*breaker = (struct breaker){
		.state = BREAKER_LOCKED,
		.failures = breaker->failures + 1,
		.until_ms = until_ms,
	};
	return true;
}
