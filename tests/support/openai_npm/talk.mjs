// OpenAI's own client against the sandbox: node talk.mjs http://127.0.0.1:8099 key file.wav
// What it made of the answers, as JSON.
import fs from "node:fs";
import OpenAI, { toFile } from "openai";

const [base, apiKey, file] = process.argv.slice(2);
const client = new OpenAI({ baseURL: base + "/v1", apiKey, maxRetries: 0 });
const found = { chat: "", tool: "" };

const heard = await client.audio.transcriptions.create({
	file: await toFile(fs.readFileSync(file), "call.wav", { type: "audio/wav" }),
	model: "whisper-1", language: "en", response_format: "json",
});
found.text = heard.text;

const stream = await client.chat.completions.create({
	model: "any", stream: true, max_tokens: 50, messages: [{ role: "user", content: "Hello?" }],
});
for await (const part of stream) {
	const [choice] = part.choices;
	found.chat += choice.delta.content ?? "";
	for (const call of choice.delta.tool_calls ?? [])
		found.tool += (call.function.name ?? "") + (call.function.arguments ?? "");
	found.finish = choice.finish_reason ?? found.finish;
}

const speech = await client.audio.speech.create({
	model: "any", voice: "alloy", input: "Hello there", response_format: "pcm",
});
found.bytes = (await speech.arrayBuffer()).byteLength;

for (const [name, options, body] of [
	["wrong_key", { apiKey: "sk-wrong" }, {}], ["wrong_member", {}, { no_such_member: 1 }]]) {
	const other = new OpenAI({ baseURL: base + "/v1", apiKey, maxRetries: 0, ...options });
	const problem = await other.chat.completions
		.create({ model: "any", messages: [{ role: "user", content: "x" }], ...body }).catch(error => error);
	found[name] = [problem.constructor.name, problem.code];
}
console.log(JSON.stringify(found));
