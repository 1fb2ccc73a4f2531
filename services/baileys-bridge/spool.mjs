/*
 * spool: messages that wait for hooks, as files, so that neither end of this process loses one.
 *
 * One file a message, written before WhatsApp is told that we have it, gone when hooks said 2xx; in order,
 * one at a time, with backoff. What hooks can never take (400, 413, 422) goes aside, so that the others
 * pass. Bounded: what does not fit is not taken, and said.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync, openSync, fsyncSync, closeSync } from "node:fs";
import { join } from "node:path";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30000;
const POST_MS = 15000;
const NEVER = [400, 413, 422];

export class Spool {
	constructor(settings, log) {
		this.settings = settings;
		this.log = log;
		this.folder = join(settings.folder, "spool");
		this.refused = join(settings.folder, "refused");
		for (const folder of [this.folder, this.refused]) mkdirSync(folder, { recursive: true, mode: 0o700 });
		this.names = readdirSync(this.folder).filter((name) => name.endsWith(".json")).sort();
		this.serial = 0;
		this.running = false;
		this.stopped = false;
		this.wake = null;
	}

	get size() {
		return this.names.length;
	}

	/* False: there is no room, or the disk refuses. */
	add(message) {
		if (this.size >= this.settings.spoolMessages) {
			this.log.error("spool: full, a message is not taken", { waiting: this.size });
			return false;
		}
		this.serial += 1;
		const name = `${String(Date.now()).padStart(15, "0")}-${String(this.serial).padStart(6, "0")}.json`;
		try {
			const file = openSync(join(this.folder, `${name}.new`), "w", 0o600);
			writeFileSync(file, JSON.stringify(message));
			fsyncSync(file);
			closeSync(file);
			renameSync(join(this.folder, `${name}.new`), join(this.folder, name));
		} catch (error) {
			this.log.error("spool: a message cannot be written", { error: error.code ?? "error" });
			return false;
		}
		this.names.push(name);
		void this.run();
		return true;
	}

	stop() {
		this.stopped = true;
		this.wake?.();
	}

	async run() {
		if (this.running) return;
		this.running = true;
		let pause = FIRST_PAUSE_MS;
		while (this.size > 0 && !this.stopped) {
			const status = await this.post(this.names[0]);
			if ((status >= 200 && status < 300) || NEVER.includes(status)) {
				this.done(this.names.shift(), status);
				pause = FIRST_PAUSE_MS;
				continue;
			}
			this.log.warn("spool: hooks does not take a message", { status, waiting: this.size });
			await this.sleep(pause * (0.75 + Math.random() / 2));
			pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
		}
		this.running = false;
	}

	/* The status; 0: no answer. */
	async post(name) {
		try {
			const answer = await fetch(this.settings.webhook, {
				method: "POST",
				headers: { "Content-Type": "application/json", "X-BAILEYS-SECRET": this.settings.secret },
				body: readFileSync(join(this.folder, name)),
				redirect: "error",
				signal: AbortSignal.timeout(POST_MS),
			});
			await answer.arrayBuffer();
			return answer.status;
		} catch {
			return 0;
		}
	}

	done(name, status) {
		if (!NEVER.includes(status)) {
			unlinkSync(join(this.folder, name));
			return;
		}
		this.log.error("spool: hooks can never take a message, it is put aside", { status });
		renameSync(join(this.folder, name), join(this.refused, name));
		const kept = readdirSync(this.refused).sort();
		for (const old of kept.slice(0, Math.max(0, kept.length - 1000))) unlinkSync(join(this.refused, old));
	}

	sleep(ms) {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, ms);
			this.wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}
}
