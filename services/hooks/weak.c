/*
 * weak: rooms that are not built yet are empty. Goes when they stand.
 */
#include "hook_log.h"
#include "hooks.h"
#include "later.h"
#include "menu.h"
#include "prompts.h"
#include "texts.h"

#define WEAK __attribute__((weak))

WEAK const struct http_route text_routes[] = {{NULL}};
WEAK const struct http_route about_routes[] = {{NULL}};

WEAK struct sender *sender_new(struct hooks *hooks)
{
	return NULL;
}

WEAK void sender_free(struct sender **sender)
{
}

WEAK struct hook_log *hook_log_new(struct hooks *hooks)
{
	return NULL;
}

WEAK void hook_log_free(struct hook_log **log)
{
}

WEAK bool hook_log_idle(const struct hook_log *log)
{
	return true;
}

WEAK void hook_log_seen(void *context, const struct http_seen *seen)
{
}

WEAK struct hook_prompts *hook_prompts_new(struct hooks *hooks)
{
	return NULL;
}

WEAK void hook_prompts_free(struct hook_prompts **prompts)
{
}

WEAK bool hook_prompt_name(const struct hooks *hooks, const char *language, struct str text,
	char to[PROMPT_NAME_BYTES])
{
	return false;
}

WEAK enum flow_status await_text_in(
	struct flow *flow, const struct hook_caller *caller, struct text_in *text)
{
	return FLOW_NEXT;
}

WEAK enum flow_status text_in_reply(struct flow *flow, struct text_in *text)
{
	return hook_reply_nothing(flow);
}
