/* One JSON line a question: {token, url, form, body}. Answers {signature, hash} as Twilio's library makes them, and with
 * `claim` whether it takes that for genuine. */
import readline from "node:readline";
import twilio from "twilio";
import * as webhooks from "twilio/lib/webhooks/webhooks.js";

const {getExpectedTwilioSignature, getExpectedBodyHash} = webhooks.default ?? webhooks;

for await (const line of readline.createInterface({input: process.stdin})) {
	const {token, url, form, body, claim} = JSON.parse(line);
	const signature = getExpectedTwilioSignature(token, url, form ?? {});
	const hash = body === undefined ? null : getExpectedBodyHash(body);
	const genuine = claim === undefined ? null
		: body === undefined ? twilio.validateRequest(token, claim, url, form ?? {})
			: twilio.validateRequestWithBody(token, claim, url, body);
	console.log(JSON.stringify({signature, hash, genuine}));
}
