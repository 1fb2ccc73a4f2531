/*
 * baileys-bridge: WhatsApp for hooks, by a phone of the enterprise's own (npm baileys).
 *
 * The one process that is not C: the protocol lives in that library. It keeps to loopback and to its secret.
 */
import { mkdirSync } from "node:fs";
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";

import { makeLog } from "./log.mjs";
import { makeServer } from "./server.mjs";
import { Session } from "./session.mjs";
import { checkSettings, describe, readSettings } from "./settings.mjs";
import { Spool } from "./spool.mjs";

process.umask(0o077); /* session files are keys */

const settings = readSettings();
if (process.argv.includes("--help") || process.argv.includes("--check-config")) {
	console.log(describe(settings));
	process.exit(0);
}
try {
	checkSettings(settings);
} catch (error) {
	console.error(`baileys-bridge: ${error.message}`);
	process.exit(2);
}

const log = makeLog(settings.logFile);
mkdirSync(settings.folder, { recursive: true, mode: 0o700 });
const baileys = await import(isAbsolute(settings.module) ? pathToFileURL(settings.module).href : settings.module);
const spool = new Spool(settings, log);
const session = new Session(settings, baileys, spool, log);
const server = makeServer(settings, session, spool);

server.on("error", (error) => {
	console.error(`baileys-bridge: port ${settings.port}: ${error.code}`);
	process.exit(1);
});
server.listen(settings.port, settings.host, () => {
	log.info("listening", { port: server.address().port });
	void spool.run();
	void session.start();
});

/* What waits is on disk; the phone stays paired. */
function end() {
	log.info("ending");
	session.stop();
	spool.stop();
	server.close(() => process.exit(0));
	server.closeAllConnections();
}
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, end);
process.on("SIGUSR1", () => {}); /* logs are opened anew with each line */
process.on("unhandledRejection", (reason) => log.error("a promise failed", { error: reason?.name ?? "error" }));
