/*
 * fake_baileys: what baileys-bridge uses of npm baileys, played by a test over HTTP: POST /event {name, data}
 * is an event of the newest socket, GET /state says what was done to the sockets.
 */
import { createServer } from "node:http";
import { EventEmitter } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export const DisconnectReason = { loggedOut: 401, connectionClosed: 428, restartRequired: 515, connectionReplaced: 440,
	401: "loggedOut", 428: "connectionClosed", 515: "restartRequired", 440: "connectionReplaced" };

const state = { sockets: 0, ended: 0, loggedOut: 0, sent: [], options: [] };
let socket = null;

export async function useMultiFileAuthState(folder) {
	writeFileSync(join(folder, "creds.json"), "{}");
	return { state: {}, saveCreds: () => {} };
}

export function makeWASocket() {
	state.sockets += 1;
	socket = {
		ev: new EventEmitter(),
		user: { id: "972500000000:7@s.whatsapp.net" },
		sendMessage: async (jid, content, options) => {
			if (content.text === "fail") throw new Error("boom");
			state.sent.push({ jid, text: content.text, id: options?.messageId ?? "" });
			return { key: { id: options?.messageId ?? `3EB0${state.sent.length}` } };
		},
		end: () => { state.ended += 1; },
		logout: () => { state.loggedOut += 1; },
	};
	return socket;
}

function disconnect(data) {
	const code = data?.lastDisconnect;
	return typeof code === "number" ? { ...data, lastDisconnect: { error: { output: { statusCode: code } } } } : data;
}

createServer(async (request, response) => {
	let text = "";
	for await (const piece of request) text += piece;
	if (request.url === "/event") {
		const { name, data } = JSON.parse(text);
		socket.ev.emit(name, disconnect(data));
	}
	response.end(JSON.stringify(state));
}).listen(Number(process.env.FAKE_BAILEYS_PORT), "127.0.0.1");
