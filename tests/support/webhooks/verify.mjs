// Do the receivers' own libraries take our signatures? One question a line on standard input:
// {"secret", "headers", "body"}; one answer a line: {"standardwebhooks": "", "svix": "why not"}.
import { createInterface } from "node:readline";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";

const libraries = { standardwebhooks: StandardWebhook, svix: SvixWebhook };

function verdict(Webhook, { secret, headers, body }) {
  try {
    new Webhook(secret).verify(body, headers);
    return "";
  } catch (error) {
    return String(error.message || error);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  const answers = Object.entries(libraries).map(([name, Webhook]) => [name, verdict(Webhook, question)]);
  console.log(JSON.stringify(Object.fromEntries(answers)));
}
