/*
 * session: one WhatsApp session: pairing, reconnects, messages both ways.
 *
 * It never logs out: that would unpair the phone at each restart. Logged out by the phone it stays so until a
 * person asks for a new pairing; any other end is followed by a new connection, with backoff.
 */
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";

import { inbound, jidOf } from "./message.mjs";

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60000;
const SEND_MS = 20000;
const OLDEST_S = 7 * 24 * 3600; /* what waited longer at WhatsApp is history */

const silent = { level: "silent", child: () => silent };
for (const level of ["trace", "debug", "info", "warn", "error", "fatal"]) silent[level] = () => {};

export class Session {
	constructor(settings, baileys, spool, log) {
		Object.assign(this, { settings, baileys, spool, log });
		this.folder = join(settings.folder, "session");
		this.state = "starting"; /* pairing | connecting | open | logged_out | stopped */
		this.qr = "";
		this.pause = FIRST_PAUSE_MS;
		this.socket = null;
		this.timer = null;
	}

	async start() {
		mkdirSync(this.folder, { recursive: true, mode: 0o700 });
		this.state = "connecting";
		try {
			const { state, saveCreds } = await this.baileys.useMultiFileAuthState(this.folder);
			if (this.state === "stopped") return;
			const socket = this.baileys.makeWASocket({
				auth: state, logger: silent, printQRInTerminal: false, syncFullHistory: false, markOnlineOnConnect: false,
			});
			this.socket = socket;
			socket.ev.on("creds.update", saveCreds);
			socket.ev.on("connection.update", (update) => this.changed(socket, update));
			socket.ev.on("messages.upsert", (upsert) => this.came(socket, upsert));
		} catch (error) {
			this.log.warn("session: cannot be opened", { error: error.name });
			this.again();
		}
	}

	changed(socket, update) {
		if (socket !== this.socket || this.state === "stopped") return;
		if (update.qr) {
			this.qr = update.qr;
			this.state = "pairing";
			this.log.info("session: waits to be paired: GET /qr");
		}
		if (update.connection === "open") {
			this.qr = "";
			this.state = "open";
			this.pause = FIRST_PAUSE_MS;
			this.log.info("session: open");
		} else if (update.connection === "close") {
			this.closed(update.lastDisconnect?.error?.output?.statusCode);
		}
	}

	closed(status) {
		const reasons = this.baileys.DisconnectReason;
		this.socket = null;
		this.qr = "";
		this.log.warn("session: closed", { status: status ?? 0, reason: reasons[status] ?? "" });
		if (status === reasons.loggedOut) {
			this.state = "logged_out";
			this.log.error("session: the phone has logged us out; pair it anew on the page /qr");
			return;
		}
		this.state = "connecting";
		if (status === reasons.restartRequired) this.pause = 0; /* part of every pairing */
		this.again();
	}

	again() {
		const wait = this.pause * (0.75 + Math.random() / 2);
		this.pause = Math.min(Math.max(this.pause, FIRST_PAUSE_MS / 2) * 2, LONGEST_PAUSE_MS);
		clearTimeout(this.timer);
		if (this.state !== "stopped") this.timer = setTimeout(() => void this.start(), wait);
	}

	/* All of them: a batch after an interruption holds many. */
	came(socket, { messages }) {
		let taken = 0;
		for (const item of messages ?? []) {
			const message = inbound(item, socket.user?.id);
			if (!message || message.timestamp < Date.now() / 1000 - OLDEST_S) continue;
			taken += this.spool.add(message) ? 1 : 0;
		}
		if (taken > 0) this.log.info("session: messages came", { count: taken });
	}

	/* {status, body} */
	async send({ to, text, message_id: id }) {
		const jid = jidOf(to ?? "");
		if (!jid || typeof text !== "string" || text === "")
			return { status: 400, body: { ok: false, error: "Missing to/text" } };
		if (this.state !== "open") return { status: 500, body: { ok: false, error: "Socket not connected" } };
		const late = new Promise((resolve, reject) => {
			setTimeout(() => reject(new Error("no answer from WhatsApp in time")), SEND_MS).unref();
		});
		try {
			const options = /^[0-9A-Z]{8,64}$/.test(id ?? "") ? { messageId: id } : undefined;
			const sent = await Promise.race([this.socket.sendMessage(jid, { text }, options), late]);
			return { status: 200, body: { ok: true, message_id: sent?.key?.id ?? "", result: { status: "queued" } } };
		} catch (error) {
			this.log.warn("session: a message is not sent", { error: error.name });
			return { status: 500, body: { ok: false, error: "WhatsApp did not take it" } };
		}
	}

	/* Asked for by a person: the old keys are kept aside, a new QR comes. False: there is no need. */
	async pairAnew() {
		if (this.state !== "logged_out") return false;
		renameSync(this.folder, `${this.folder}.${Date.now()}`);
		this.pause = FIRST_PAUSE_MS;
		await this.start();
		return true;
	}

	/* The connection ends, the pairing stays. */
	stop() {
		this.state = "stopped";
		clearTimeout(this.timer);
		this.socket?.end(undefined);
		this.socket = null;
	}
}
