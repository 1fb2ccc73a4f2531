/* One JSON line a document: [{name, attributes, text, children}]. Answers what npm's VoiceResponse makes of the same verbs. */
import readline from "node:readline";
import twilio from "twilio";

function add(parent, {name, attributes, text, children}) {
	const method = name.toLowerCase();
	const verb = text === "" ? parent[method](attributes) : parent[method](attributes, text);
	for (const child of children) {
		add(verb, child);
	}
}

for await (const line of readline.createInterface({input: process.stdin})) {
	const response = new twilio.twiml.VoiceResponse();
	for (const node of JSON.parse(line)) {
		add(response, node);
	}
	console.log(JSON.stringify(response.toString()));
}
