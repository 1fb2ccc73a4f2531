/*
 * What the sandbox's voice engine was asked and what it answered, newest first. All of it is shown as text.
 */
"use strict";

const WORDS = {
	ru: {
		title: "Голосовой движок", when: "Когда", what: "Запрос", asked: "Спросили", answered: "Ответил", ms: "мс речи",
		none: "Пока пусто. Запросы появятся здесь, когда кто-нибудь поговорит с движком.", live: "на связи", lost: "нет связи",
		note: "Заменяет OpenAI: распознавание, диалог, речь (каждый текст — свой тон) и Realtime.", other: "English",
	},
	en: {
		title: "Voice engine", when: "When", what: "Request", asked: "Asked", answered: "Answered", ms: "ms of speech",
		none: "Nothing yet. Requests show here when somebody talks to the engine.", live: "live", lost: "connection lost",
		note: "Stands in for OpenAI: transcription, chat, speech (a tone for each text) and Realtime.", other: "Русский",
	},
};
const SHOWN = 200; /* rows on the page */
const lang = document.documentElement.lang in WORDS ? document.documentElement.lang : "en";
const words = WORDS[lang];
const $ = id => document.getElementById(id);
const lines = new Map(); /* by the request's id: an answer may come later */
let since = 0;

/* The part of a request that tells what it was about. */
function asked(request) {
	if (!request)
		return "";
	if (request.messages)
		return [...request.messages].reverse().find(one => one.content)?.content || "";
	if (request.ms !== undefined)
		return `${request.ms} ${words.ms}`;
	return request.input || request.type || JSON.stringify(request);
}

function answered(row) {
	if (typeof row.response === "string")
		return row.response;
	return row.response ? row.response.text || row.response.error?.message || JSON.stringify(row.response) : "";
}

function show(row) {
	const line = lines.get(row.id) || document.createElement("tr");
	const texts = [new Date(row.at_ms).toLocaleTimeString(lang), `${row.path.replace("/v1/", "")} ${row.status ?? "…"}`,
		asked(row.request), answered(row)];
	line.replaceChildren();
	texts.forEach((text, at) => {
		const cell = document.createElement("td");
		cell.dataset.name = [words.when, words.what, words.asked, words.answered][at];
		cell.textContent = text.slice(0, 300);
		line.append(cell);
	});
	if (!lines.has(row.id))
		$("rows").prepend(line);
	lines.set(row.id, line);
	while ($("rows").children.length > SHOWN)
		$("rows").lastElementChild.remove();
}

function say(live) {
	$("status").classList.toggle("live", live);
	$("status").lastElementChild.textContent = live ? words.live : words.lost;
}

async function look() {
	try {
		const answer = await fetch(`/_sandbox/requests?service=engine&since_id=${since}&limit=${SHOWN}`);
		const rows = await answer.json();
		rows.forEach(show);
		const open = rows.find(row => row.status === null);
		if (rows.length > 0)
			since = open ? open.id - 1 : rows[rows.length - 1].id;
		$("none").hidden = lines.size > 0;
		say(true);
	} catch {
		say(false);
	}
	setTimeout(look, 1000);
}

for (const id of ["title", "none", "note"])
	$(id).textContent = words[id];
for (const name of ["when", "what", "asked", "answered"]) {
	const head = document.createElement("th");
	head.scope = "col";
	head.textContent = words[name];
	$("head").append(head);
}
$("other").textContent = words.other;
$("other").href = `?lang=${lang === "ru" ? "en" : "ru"}`;
look();
