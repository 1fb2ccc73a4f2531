/*
 * settings: the bridge's own, from the environment; a secret may stand in a file (NAME_FILE).
 *
 * There is no default secret: whoever reaches the port could write in the enterprise's name.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const SHORTEST_SECRET = 16;
const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

const TABLE = [
	["port", "CALLWEAVE_BAILEYS_BRIDGE_PORT", "4001", "TCP port to listen on"],
	["host", "CALLWEAVE_BAILEYS_BRIDGE_HOST", "127.0.0.1", "Address to listen on; loopback only"],
	["secret", "CALLWEAVE_HOOKS_BAILEYS_SECRET", "", "X-BAILEYS-SECRET, both ways; without it nothing starts"],
	["webhook", "CALLWEAVE_BAILEYS_BRIDGE_WEBHOOK", "http://127.0.0.1:8010/webhook/whatsapp/baileys",
		"Where messages that come in are posted"],
	["folder", "CALLWEAVE_BAILEYS_BRIDGE_FOLDER", "baileys", "Folder of the session and of the spool"],
	["spoolMessages", "CALLWEAVE_BAILEYS_BRIDGE_SPOOL", "10000", "Messages that may wait for hooks"],
	["module", "CALLWEAVE_BAILEYS_BRIDGE_MODULE", "baileys", "The module that speaks to WhatsApp; tests have their own"],
	["logFile", "CALLWEAVE_LOG_FILE", "", "File to log to; empty: standard error"],
];

function value(name, fallback) {
	const file = process.env[`${name}_FILE`];
	return file ? readFileSync(file, "utf8").trim() : process.env[name] || fallback;
}

export function describe(settings) {
	return TABLE.map(([member, name, , help]) => {
		const shown = member === "secret" ? (settings.secret ? "***" : "") : settings[member];
		return `${name}=${shown}\n    ${help}`;
	}).join("\n");
}

/* Throws with words for a person. */
export function readSettings() {
	const settings = {};
	for (const [member, name, fallback] of TABLE) settings[member] = value(name, fallback);
	for (const member of ["port", "spoolMessages"]) settings[member] = Number(settings[member]);
	settings.folder = resolve(settings.folder);
	return settings;
}

export function checkSettings(settings) {
	if (!Number.isInteger(settings.port) || settings.port < 0 || settings.port > 65535)
		throw new Error("CALLWEAVE_BAILEYS_BRIDGE_PORT: no TCP port");
	if (!Number.isInteger(settings.spoolMessages) || settings.spoolMessages < 1)
		throw new Error("CALLWEAVE_BAILEYS_BRIDGE_SPOOL: not a number above 0");
	if (!LOOPBACK.includes(settings.host))
		throw new Error("CALLWEAVE_BAILEYS_BRIDGE_HOST: loopback only; hooks is what others may reach");
	if (settings.secret.length < SHORTEST_SECRET)
		throw new Error(`CALLWEAVE_HOOKS_BAILEYS_SECRET: at least ${SHORTEST_SECRET} characters; there is no default`);
}
