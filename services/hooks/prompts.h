/*
 * prompts: what menus say, as audio that `speech` made before anybody called.
 *
 * A file per text and language, named by their hash, kept on disk: made once. While one is not there
 * (or there is no `speech`) TwiML lets Twilio's own voices read the text.
 */
#ifndef HOOKS_PROMPTS_H
#define HOOKS_PROMPTS_H

#include "hooks.h"

struct hook_prompts *hook_prompts_new(struct hooks *hooks);
void hook_prompts_free(struct hook_prompts **prompts);

#define PROMPT_NAME_BYTES 64
/* "fr-0123456789abcdef.wav" when that file is there and was seen to be served as audio; false: <Say>. */
bool hook_prompt_name(const struct hooks *hooks, const char *language, struct str text,
	char to[PROMPT_NAME_BYTES]);

struct hook_prompts_state {
	size_t wanted, made, failed;
	const char *problem; /* "" or words */
};
struct hook_prompts_state hook_prompts_state(const struct hooks *hooks);

extern const struct flow_spec prompt_file_flow; /* GET /static/tts/<file> */

#endif
