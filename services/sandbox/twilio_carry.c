/*
 * twilio_carry: what becomes of a text on its way: sent, delivered, read, or failed; and who is told.
 *
 * The states change in order; the callbacks that tell of them need not arrive so (switches).
 */
#include "twilio_hook.h"
#include "twilio_message.h"

#include "clock.h"

#define MAX_STATES 4

enum { CARRY_WAIT, CARRY_STEP };

struct carry {
	struct twilio *twilio;
	char sid[TWILIO_SID_BYTES];
	const char *states[MAX_STATES + 1];
	unsigned at;
	int error_code;
	int64_t resets;
};

static enum flow_status carry_wait(struct flow *flow)
{
	const struct carry *carry = flow_state(flow);

	if (carry->states[carry->at] == NULL)
		return FLOW_END;
	return await_sleep(flow, carry->twilio->switches.delay_ms);
}

static void put_whatsapp(
	struct flow *flow, const struct twilio_message *message, struct twilio_form *form)
{
	struct arena *arena = flow_arena(flow);

	if (!twilio_is_whatsapp(str_from(message->to)))
		return;
	twilio_form_put_text(form, arena, "ChannelPrefix", "whatsapp");
	twilio_form_put_text(form, arena, "ChannelToAddress", message->to);
	if (strcmp(message->status, "read") == 0)
		twilio_form_put_text(form, arena, "EventType", "READ");
	else if (strcmp(message->status, "delivered") == 0)
		twilio_form_put_text(form, arena, "EventType", "DELIVERED");
}

static void fill(struct flow *flow, const struct twilio_message *message, struct twilio_form *form)
{
	struct arena *arena = flow_arena(flow);

	twilio_form_put_text(form, arena, "SmsSid", message->sid);
	twilio_form_put_text(form, arena, "SmsStatus", message->status);
	twilio_form_put_text(form, arena, "MessageStatus", message->status);
	twilio_form_put_text(form, arena, "To", message->to);
	twilio_form_put_text(form, arena, "MessageSid", message->sid);
	twilio_form_put_text(form, arena, "AccountSid", message->account_sid);
	twilio_form_put_text(form, arena, "From", message->from);
	twilio_form_put_text(form, arena, "ApiVersion", "2010-04-01");
	if (message->error_code != 0)
		twilio_form_put_int(form, arena, "ErrorCode", message->error_code);
	put_whatsapp(flow, message, form);
}

/* Reversed: the first state's callback waits for the longest. */
static int64_t callback_delay(const struct carry *carry)
{
	unsigned behind = 0;

	if (carry->twilio->switches.order != TWILIO_REVERSED)
		return 0;
	while (carry->states[carry->at + behind + 1] != NULL)
		behind++;
	return (int64_t)behind * 2 * (carry->twilio->switches.delay_ms + 1);
}

static enum flow_status carry_step(struct flow *flow)
{
	struct carry *carry = flow_state(flow);
	struct twilio_message *message = twilio_message_find(carry->twilio, str_from(carry->sid));
	struct twilio_form form = {0};

	if (message == NULL || carry->resets != carry->twilio->sandbox->resets)
		return FLOW_END;
	message->status = carry->states[carry->at];
	message->updated_ms = clock_wall_ms();
	if (strcmp(message->status, "failed") == 0 || strcmp(message->status, "undelivered") == 0)
		message->error_code = carry->error_code;
	fill(flow, message, &form);
	twilio_callback_send(carry->twilio, &(struct twilio_callback){
						    .url = message->status_callback,
						    .account_sid = message->account_sid,
						    .sid = message->sid,
						    .form = &form,
						    .delay_ms = callback_delay(carry),
					    });
	twilio_changed(carry->twilio);
	carry->at++;
	return flow_goto(flow, CARRY_WAIT);
}

static const struct flow_spec carry_flow = {
	.name = "twilio_carry",
	.steps =
		(const struct flow_step[]){
			[CARRY_WAIT] = {"wait", carry_wait},
			[CARRY_STEP] = {"step", carry_step},
			{NULL, NULL},
		},
	.state_bytes = sizeof(struct carry),
	.deadline_ms = 300000,
};

/* Free-form texts of WhatsApp need a message of that person within the last 24 hours. */
static bool window_is_open(const struct twilio *twilio, const struct twilio_message *message)
{
	const struct twilio_message *at;

	if (!twilio_is_whatsapp(str_from(message->to)) || message->content_sid[0] != '\0')
		return true;
	TAILQ_FOREACH_REVERSE(at, &twilio->messages, twilio_messages, link)
	{
		if (strcmp(at->direction, "inbound") == 0 && strcmp(at->to, message->from) == 0 &&
			strcmp(at->from, message->to) == 0 &&
			at->at_ms > message->at_ms - TWILIO_WINDOW_MS)
			return true;
	}
	return false;
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (strcmp(word, *words) == 0)
			return true;
	}
	return false;
}

static void plan(
	const struct twilio *twilio, const struct twilio_message *message, struct carry *carry)
{
	static const char *const bad[] = {"failed", "undelivered", NULL};
	static const char *const fates[] = {"sent", "delivered", "read", NULL};
	const struct twilio_person *person =
		twilio_person_find(twilio, twilio_bare(str_from(message->to)));
	const char *fate = person != NULL ? person->texts : "";
	unsigned count = 0;

	if (!window_is_open(twilio, message)) {
		carry->states[0] = "failed";
		carry->error_code = 63016;
		return;
	}
	if (is_one_of(fate, bad)) {
		carry->error_code = person->error_code != 0 ? (int)person->error_code : 30003;
		if (strcmp(fate, "undelivered") == 0)
			carry->states[count++] = "sent";
		carry->states[count] = fate[0] == 'f' ? bad[0] : bad[1];
		return;
	}
	if (!is_one_of(fate, fates))
		fate = twilio_is_whatsapp(str_from(message->to)) ? "read" : "delivered";
	for (count = 0; fates[count] != NULL; count++) {
		carry->states[count] = fates[count];
		if (strcmp(fates[count], fate) == 0)
			return;
	}
}

void twilio_message_carry(struct twilio *twilio, struct twilio_message *message)
{
	struct sandbox *sandbox = twilio->sandbox;
	struct carry *carry;
	struct flow *flow;

	if (sandbox->draining)
		return;
	flow = flow_start(service_loop(sandbox->service), &carry_flow, sandbox,
		service_log(sandbox->service));
	carry = flow_state(flow);
	carry->twilio = twilio;
	carry->resets = sandbox->resets;
	str_copy(carry->sid, sizeof(carry->sid), str_from(message->sid));
	plan(twilio, message, carry);
}
