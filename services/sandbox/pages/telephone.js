/*
 * The page: who calls whom, what happens on the line, texts, and what Twilio's debugger would say.
 * Everything that came from outside is shown as text, never as HTML.
 */
"use strict";

const WORDS = {
	ru: {
		number: "Наш номер", me: "Мой номер", noNumbers: "Номеров пока нет: их объявляет демо или POST /_sandbox/twilio/numbers.",
		phone: "Телефон", call: "Позвонить", hangup: "Положить", keys: "Клавиши", file: "Сказать из файла", said: "Я говорю", heard: "Я слышу",
		happens: "Что происходит", recording: "Разговор (слева я):", texts: "Сообщения", way: "Канал", body: "Текст сообщения", send: "Отправить",
		alerts: "Предупреждения Twilio", noAlerts: "Ни одного: приложение отвечает как следует.", note: "Песочница: настоящая Twilio отсюда ничего не получает.",
		live: "на связи", lost: "нет связи, переподключение…", other: "English", idle: "Трубка лежит", calling: "Звоним…",
		microphoneOn: "Микрофон включён", microphoneOff: "Без микрофона: можно слушать, нажимать клавиши и говорить из файла", failed: "Не получилось",
		states: {queued: "В очереди", ringing: "Гудки…", "in-progress": "Разговор", completed: "Разговор окончен", busy: "Занято", "no-answer": "Нет ответа", failed: "Ошибка", canceled: "Отменён"},
		events: {ask: "Запрос", answer: "Ответ", verb: "Команда", say: "Говорит", play: "Играет", key: "Клавиша", recorded: "Записано", dial: "Набирает", bridged: "Соединено",
			dialled: "Набор окончен", answered: "Снята трубка", ended: "Конец", error: "Ошибка", stream: "Поток открыт", talks: "Агент говорит", gap: "Дыра в звуке, мс",
			clear: "Перебит, сброшено мс", stream_closed: "Поток закрыт", violation: "Нарушение протокола", redirected: "Перенаправлен", skipped: "Пропущено", late: "Машина не успевала", gave_up: "Не дождался"},
		message: {queued: "в очереди", sent: "отправлено", delivered: "доставлено", read: "прочитано", failed: "не доставлено", undelivered: "не доставлено", received: "получено"},
	},
	en: {
		number: "Our number", me: "My number", noNumbers: "No numbers yet: the demo declares them, or POST /_sandbox/twilio/numbers.",
		phone: "Telephone", call: "Call", hangup: "Hang up", keys: "Keys", file: "Speak from a file", said: "I say", heard: "I hear",
		happens: "What happens", recording: "The call (left is me):", texts: "Texts", way: "Channel", body: "Text of the message", send: "Send",
		alerts: "Twilio's alerts", noAlerts: "None: the application answers as it should.", note: "A sandbox: nothing from here reaches the real Twilio.",
		live: "live", lost: "connection lost, trying again…", other: "Русский", idle: "On the hook", calling: "Calling…",
		microphoneOn: "The microphone is on", microphoneOff: "No microphone: listen, press keys, speak from a file", failed: "That did not work",
		states: {queued: "Queued", ringing: "Ringing…", "in-progress": "Talking", completed: "The call is over", busy: "Busy", "no-answer": "No answer", failed: "Error", canceled: "Canceled"},
		events: {ask: "Asks", answer: "Answer", verb: "Verb", say: "Says", play: "Plays", key: "Key", recorded: "Recorded", dial: "Dials", bridged: "Connected",
			dialled: "Dialled", answered: "Picked up", ended: "The end", error: "Error", stream: "Stream open", talks: "The agent talks", gap: "Hole in the sound, ms",
			clear: "Interrupted, dropped ms", stream_closed: "Stream closed", violation: "Against the protocol", redirected: "Redirected", skipped: "Left out", late: "The machine was late", gave_up: "Gave up"},
		message: {queued: "queued", sent: "sent", delivered: "delivered", read: "read", failed: "not delivered", undelivered: "not delivered", received: "received"},
	},
};
const lang = document.documentElement.lang in WORDS ? document.documentElement.lang : "en";
const words = WORDS[lang];
const WRONG = new Set(["error", "violation", "gap", "late", "gave_up"]);
const SHOWN = 200; /* events, texts, alerts on the page */
const $ = id => document.getElementById(id);
let line = null, shown = "", asking = false, again = false;

const chosen = () => $("number").value;
const way = () => document.querySelector("[name=way]:checked").value;
const address = number => way() === "whatsapp" ? `whatsapp:${number}` : number;
const bare = number => number.replace(/^whatsapp:/, "");

async function ask(what) {
	const answer = await fetch(`/_sandbox/twilio/${what}`);
	return answer.ok ? answer.json() : null;
}

async function tell(what, body) {
	const answer = await fetch(`/_sandbox/twilio/${what}`, {method: "POST", body: JSON.stringify(body), headers: {"Content-Type": "application/json"}});
	const said = await answer.json().catch(() => ({}));
	if (!answer.ok) throw new Error(said.detail || `${answer.status}`);
	return said;
}

/* -- the telephone -------------------------------------------------------------------------------- */

const say = text => { $("state").textContent = text; };

function buttons(busy) {
	$("call").disabled = busy || !chosen();
	$("hangup").disabled = !busy;
	$("file").disabled = !busy;
	for (const key of $("keys").children) key.disabled = !busy;
}

function over() {
	line = null;
	$("said").value = $("heard").value = 0;
	$("microphone").textContent = "";
	buttons(false);
	refresh();
}

async function call() {
	if (!$("who").reportValidity()) return;
	buttons(true);
	say(words.calling);
	const made = new Line({
		state: state => say(words.states[state] || state), over,
		said: level => { $("said").value = level; }, heard: level => { $("heard").value = level; },
		microphone: on => { $("microphone").textContent = on ? words.microphoneOn : words.microphoneOff; },
	});
	line = made;
	try {
		await made.prepare();
		const {call_sid: sid} = await tell("calls", {to: chosen(), from: $("me").value});
		shown = sid;
		made.open(sid);
		$("hangup").focus();
	} catch (error) {
		made.close();
		say(`${words.failed}: ${error.message}`);
	}
}

async function speakFile() {
	const [file] = $("file").files;
	if (!file || !line) return;
	try {
		const audio = await mulawOfFile(file);
		const name = `page-${Date.now()}`;
		const answer = await fetch(`/_sandbox/twilio/files/${name}`, {method: "POST", body: audio, headers: {"Content-Type": "audio/basic"}});
		if (!answer.ok) throw new Error((await answer.json()).detail);
		await tell(`calls/${shown}/script`, {script: [{say_file: name}]});
	} catch (error) {
		say(`${words.failed}: ${error.message}`);
	}
	$("file").value = "";
}

/* A keyboard has the keys, too; not while somebody writes. */
function typed(event) {
	if (!line || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT)$/.test(event.target.tagName)) return;
	if (/^[0-9*#]$/.test(event.key)) line.tell({key: event.key});
}

/* -- what happens ---------------------------------------------------------------------------------- */

function eventItem(event) {
	const made = element("li");
	made.append(element("time", "", (event.at_ms / 1000).toFixed(1)));
	const text = element("span", WRONG.has(event.what) ? "wrong" : "");
	text.append(element("b", "", words.events[event.what] || event.what), ` ${event.what === "ended" ? words.states[event.detail] : event.detail}`);
	made.append(text);
	made.dataset.what = event.what;
	return made;
}

/* A list grows at its end: stay there unless the reader went up. */
function fill(list, items) {
	const follows = list.scrollTop + list.clientHeight >= list.scrollHeight - 30;
	list.replaceChildren(...items);
	if (follows) list.scrollTop = list.scrollHeight;
}

async function showCall() {
	const calls = await ask("calls") || [];
	if (!calls.some(call => call.call_sid === shown)) shown = calls.length > 0 ? calls[calls.length - 1].call_sid : "";
	const one = shown && await ask(`calls/${shown}`);
	if (!one) {
		$("listen").hidden = true;
		return fill($("happens"), []);
	}
	const news = one.events.filter(event => !["mark", "marked", "flushed", "stripped"].includes(event.what)).slice(-SHOWN);
	fill($("happens"), news.map(eventItem));
	$("listen").hidden = !one.settled;
	const sound = `/_sandbox/twilio/calls/${shown}/both.wav`;
	if (one.settled && $("audio").getAttribute("src") !== sound) $("audio").src = sound;
}

/* -- texts ------------------------------------------------------------------------------------------- */

function textItem(text) {
	const mine = text.direction === "inbound";
	const made = element("li", mine ? "mine" : "");
	made.append(text.body);
	for (const url of text.media) made.append(element("small", "", url));
	const state = words.message[text.status] || text.status;
	made.append(element("small", text.error_code ? "wrong" : "", mine ? "" : state + (text.error_code ? ` (${text.error_code})` : "")));
	return made;
}

async function showTexts() {
	const all = await ask(`messages?number=${encodeURIComponent($("me").value)}`) || [];
	const mine = all.filter(text => [text.from, text.to].every(one => one.startsWith("whatsapp:") === (way() === "whatsapp")) &&
		[text.from, text.to].some(one => bare(one) === chosen()));
	fill($("texts"), mine.slice(-SHOWN).map(textItem));
}

async function write(event) {
	event.preventDefault();
	if (!$("who").reportValidity()) return;
	const body = $("body").value;
	$("body").value = "";
	try {
		await tell("messages", {to: address(chosen()), from: address($("me").value), body});
	} catch (error) {
		$("body").value = body;
		say(`${words.failed}: ${error.message}`);
	}
	refresh();
}

/* -- alerts ------------------------------------------------------------------------------------------ */

function alertItem(alert) {
	const made = element("li", alert.level);
	made.append(element("b", "", String(alert.code)), ` ${alert.text} `, element("small", "", new Date(alert.at_ms).toLocaleTimeString(lang)));
	return made;
}

async function showAlerts() {
	const alerts = (await ask("alerts") || []).slice(-SHOWN).reverse();
	$("alerts").replaceChildren(...alerts.map(alertItem));
	$("alerts-count").textContent = alerts.length || "";
	$("alerts-none").hidden = alerts.length > 0;
}

/* -- all of it --------------------------------------------------------------------------------------- */

async function showNumbers() {
	const numbers = await ask("numbers") || [];
	const before = chosen();
	if (numbers.map(one => one.number).join() === [...$("number").options].map(one => one.value).join()) return;
	$("number").replaceChildren(...numbers.map(({number}) => {
		const option = element("option", "", number);
		option.value = number;
		return option;
	}));
	if (numbers.some(one => one.number === before)) $("number").value = before;
	$("no-numbers").hidden = numbers.length > 0;
	if (!line) buttons(false);
}

/* One round at a time; news that come meanwhile make one more. */
async function refresh() {
	if (asking) {
		again = true;
		return;
	}
	asking = true;
	try {
		await showNumbers();
		await Promise.all([showCall(), showTexts(), showAlerts()]);
	} catch (error) {
		/* The sandbox is away: the status line says so. */
	}
	asking = false;
	if (again) {
		again = false;
		setTimeout(refresh, 100);
	}
}

function connected(live) {
	$("status").classList.toggle("live", live);
	$("status").lastElementChild.textContent = live ? words.live : words.lost;
}

function listen() {
	const source = new EventSource("/_sandbox/events");
	source.addEventListener("open", () => { connected(true); refresh(); });
	source.addEventListener("error", () => connected(false));
	source.addEventListener("twilio", refresh);
}

function start() {
	for (const node of document.querySelectorAll("[data-t]")) node.textContent = words[node.dataset.t];
	for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", words[node.dataset.tLabel]);
	for (const key of "123456789*0#") {
		const button = element("button", "", key);
		button.type = "button";
		button.addEventListener("click", () => line && line.tell({key}));
		$("keys").append(button);
	}
	const other = document.querySelector("[data-lang-switch]");
	other.textContent = words.other;
	other.href = `?lang=${lang === "ru" ? "en" : "ru"}`;
	$("call").addEventListener("click", call);
	$("hangup").addEventListener("click", () => line && line.tell({hangup: true}));
	$("file").addEventListener("change", speakFile);
	$("write").addEventListener("submit", write);
	$("who").addEventListener("submit", event => event.preventDefault());
	$("me").addEventListener("change", refresh);
	$("number").addEventListener("change", refresh);
	for (const radio of document.querySelectorAll("[name=way]")) radio.addEventListener("change", refresh);
	document.addEventListener("keydown", typed);
	say(words.idle);
	connected(false);
	buttons(false);
	listen();
}

start();
