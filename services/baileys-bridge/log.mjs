/*
 * log: one JSON object a line, as of the other services. Never a text, a number or a JID: whoever logs
 * says what happened and to how many. The file is opened anew on SIGUSR1, for logrotate.
 */
import { appendFileSync } from "node:fs";

/* appendFileSync opens the file each time: a rotated one is left behind by itself. */
export function makeLog(file) {
	const write = (level, msg, more) => {
		const line = JSON.stringify({ ts: new Date().toISOString(), level, service: "baileys-bridge", msg, ...more });
		if (file) appendFileSync(file, `${line}\n`);
		else process.stderr.write(`${line}\n`);
	};
	return {
		info: (msg, more) => write("info", msg, more),
		warn: (msg, more) => write("warn", msg, more),
		error: (msg, more) => write("error", msg, more),
	};
}
