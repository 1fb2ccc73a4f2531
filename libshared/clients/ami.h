/*
 * ami: Asterisk's manager interface, for flows: one thing, to have a phone called and then connected.
 *
 * One connection a call: banner, login, Originate, until the PBX says what became of it. The secret
 * does not cross the wire (MD5 challenge) unless the caller asks for it. A PBX's events meanwhile
 * are passed over; everything is bounded and every wait has its end. See docs/protocol/ami.md.
 */
#ifndef CALLWEAVE_AMI_H
#define CALLWEAVE_AMI_H

#include "flow.h"

enum ami_result {
	AMI_ANSWERED,  /* the phone was picked up: the PBX now calls the other side */
	AMI_RINGING,   /* the PBX took it; the caller did not want to wait for more */
	AMI_NO_ANSWER, /* not picked up, or declined */
	AMI_BUSY,
	AMI_UNAVAILABLE, /* not registered, or there is no such phone */
	AMI_REFUSED,	 /* the PBX does not take it: rights, context, wrong values */
	AMI_DENIED,	 /* user or secret are wrong */
	AMI_UNREACHABLE, /* no connection, or no answer before anything was asked for */
	AMI_UNKNOWN,	 /* asked for, but then nothing was heard: it may ring */
};
#define AMI_RESULTS 9
const char *ami_result_name(enum ami_result result); /* "answered" "no_answer" ... */

/* Texts live until the flow goes on. Control characters in any of them: AMI_REFUSED. */
struct ami_call {
	const char *address; /* numeric */
	int port;
	struct str user, secret;
	bool plain;		       /* log in with the secret itself: for PBXs without MD5 */
	struct str channel;	       /* "SIP/150": whom to call first */
	struct str context, extension; /* where the dialplan goes on once that is picked up */
	struct str caller_name, caller_number; /* what that phone shows meanwhile; may be empty */
	int64_t ring_ms;		       /* for so long it rings */
	int64_t wait_ms;		       /* for so long the flow waits for the end of that */
	int64_t step_ms; /* for connecting, logging in, being heard: each; 0: 3 s */
};

struct ami_outcome {
	enum ami_result result;
	int reason;	    /* Asterisk's, of OriginateResponse; -1: none came */
	char unique_id[64]; /* of the channel; "" */
	char words[200];    /* for the log: what was wrong, from the PBX or from us */
};

/* `outcome` is filled when the flow goes on. Runs as a child: the flow must have no others. */
enum flow_status await_ami_originate(
	struct flow *flow, const struct ami_call *call, struct ami_outcome *outcome);

#endif
