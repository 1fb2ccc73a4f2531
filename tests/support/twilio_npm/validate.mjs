/* One JSON line a question: {token, signature, url, form}. Answers true or false, as Twilio's library sees it. */
import readline from "node:readline";
import twilio from "twilio";

for await (const line of readline.createInterface({input: process.stdin})) {
	const {token, signature, url, form} = JSON.parse(line);
	console.log(JSON.stringify(twilio.validateRequest(token, signature, url, form)));
}
