/*
 * server: the bridge's HTTP side, for hooks and for the person who pairs the phone. docs/protocol/baileys-bridge.md.
 */
import { spawn } from "node:child_process";
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const BODY_MAX_BYTES = 1 << 20;
const REQUEST_MS = 10000;

const digest = (text) => createHash("sha256").update(text).digest();
const same = (one, other) => timingSafeEqual(digest(one), digest(other));

/* A program's header, or what a browser asks its user for (any name, the secret as password). */
function isLetIn(request, secret) {
	const [scheme, basic] = String(request.headers.authorization ?? "").split(" ");
	const password = scheme === "Basic" ? Buffer.from(basic ?? "", "base64").toString().replace(/^[^:]*:/, "") : "";
	return same(String(request.headers["x-baileys-secret"] ?? ""), secret) || same(password, secret);
}

function reply(response, status, body, type = "application/json") {
	const text = type === "application/json" ? JSON.stringify(body) : body;
	response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" });
	response.end(text);
}

async function readBody(request) {
	const pieces = [];
	let size = 0;
	for await (const piece of request) {
		size += piece.length;
		if (size > BODY_MAX_BYTES) return null;
		pieces.push(piece);
	}
	return Buffer.concat(pieces).toString("utf8");
}

/* By Debian's qrencode; the text goes by its input, where no list of processes shows it. */
function drawQr(text) {
	return new Promise((resolve) => {
		const child = spawn("qrencode", ["-t", "SVG", "-m", "2", "-o", "-"], { stdio: ["pipe", "pipe", "ignore"] });
		const pieces = [];
		child.on("error", () => resolve(""));
		child.stdout.on("data", (piece) => pieces.push(piece));
		child.on("close", () => resolve(Buffer.concat(pieces).toString("utf8").replace(/^[^]*?<svg/, "<svg")));
		child.stdin.on("error", () => {});
		child.stdin.end(text);
	});
}

const WORDS = {
	open: "Paired and connected. — Телефон привязан.",
	connecting: "Connecting; this page looks again by itself. — Соединяемся.",
	pairing: "On the phone: WhatsApp, Linked devices, Link a device. — WhatsApp, «Связанные устройства».",
	logged_out: "The phone has logged us out. — Телефон отвязал нас.",
};

async function page(session) {
	const svg = session.qr ? await drawQr(session.qr) : "";
	const missing = session.qr && !svg ? "<p>apt-get install qrencode shows the code here.</p>" : "";
	const again = session.state === "logged_out"
		? '<form method="post" action="/pair"><button>Pair anew — Привязать снова</button></form>' : "";
	return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5"><title>WhatsApp · callweave</title><body style="font-family:sans-serif;max-width:30em;margin:2em auto">
<h1>WhatsApp</h1><p>${WORDS[session.state] ?? "Starting."}</p>${svg}${missing}${again}</body></html>`;
}

async function sendMessage(session, request, response) {
	let body;
	try {
		const text = await readBody(request);
		if (text === null) return reply(response, 413, { ok: false, error: "too large" });
		body = JSON.parse(text);
	} catch {
		return reply(response, 400, { ok: false, error: "no JSON" });
	}
	const answer = await session.send(body ?? {});
	return reply(response, answer.status, answer.body);
}

function health(session, spool) {
	return { ok: true, connected: session.state === "open", state: session.state, waiting: spool.size, timestamp: new Date().toISOString() };
}

export function makeServer(settings, session, spool) {
	const open = {
		"GET /health": (request, response) => reply(response, 200, health(session, spool)),
		"GET /livez": (request, response) => reply(response, 200, "ok\n", "text/plain"),
		"GET /readyz": (request, response) => reply(response, 200, "ok\n", "text/plain"),
	};
	const secret = {
		"POST /sendMessage": (request, response) => sendMessage(session, request, response),
		"GET /qr": async (request, response) => reply(response, 200, await page(session), "text/html; charset=utf-8"),
		"POST /pair": async (request, response) => {
			await session.pairAnew();
			response.writeHead(303, { Location: "/qr" }).end();
		},
	};
	const server = createServer(async (request, response) => {
		const route = `${request.method} ${request.url.split("?")[0]}`;
		try {
			if (open[route]) return await open[route](request, response);
			if (!secret[route]) return reply(response, 404, { ok: false, error: "Not found" });
			if (isLetIn(request, settings.secret)) return await secret[route](request, response);
			response.setHeader("WWW-Authenticate", 'Basic realm="baileys-bridge"');
			return reply(response, route === "GET /qr" ? 401 : 403, { ok: false, error: "Forbidden" });
		} catch {
			return response.headersSent ? response.destroy() : reply(response, 500, { ok: false, error: "error" });
		}
	});
	server.requestTimeout = REQUEST_MS;
	server.headersTimeout = REQUEST_MS;
	server.maxConnections = 64;
	return server;
}
