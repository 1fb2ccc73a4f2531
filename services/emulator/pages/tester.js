/*
 * The call tester: the form follows the chosen pattern, the server plays the call, this page shows
 * each step and the message that came of it.
 */
"use strict";

const WORDS = {
	ru: {
		emulator: "эмулятор звонков", order: "Звонок", enterprise: "Предприятие", pattern: "Тип звонка",
		sequence: "События", mode: "Режим", auto: "Авто", manual: "Ручной", speed: "Скорость",
		send: "Позвонить", next: "Следующее событие", stop: "Остановить", course: "Ход звонка",
		outcome: "Что увидят в Telegram", out: "Исходящие", in: "Входящие", internal: "Внутренние",
		none: "нет записи", choose: "— выберите —", nobody: "— никто —", idle: "Выберите тип звонка и нажмите «Позвонить».",
		step: "Шаг", done: "Завершено", stopped: "Остановлено", failed: "Ошибка", random: "Случайный номер",
		sent: "отправлено", errors: "с ошибкой", request: "Запрос", answer: "Ответ", call: "Звонок",
		waiting: "Сообщение появится здесь.", hidden: "Чат показывается только в разработке, когда рядом работает песочница.",
		versions: "Как менялось", deleted: "удалено", noToken: "нет токена", lost: "Сервер не отвечает.", other: "English",
	},
	en: {
		emulator: "call emulator", order: "Call", enterprise: "Enterprise", pattern: "Kind of call",
		sequence: "Events", mode: "Mode", auto: "Auto", manual: "Manual", speed: "Speed",
		send: "Call", next: "Next event", stop: "Stop", course: "Course of the call",
		outcome: "What Telegram will show", out: "Outgoing", in: "Incoming", internal: "Internal",
		none: "not captured", choose: "— choose —", nobody: "— nobody —", idle: "Choose a kind of call and press “Call”.",
		step: "Step", done: "Finished", stopped: "Stopped", failed: "Error", random: "A random number",
		sent: "sent", errors: "failed", request: "Request", answer: "Answer", call: "Call",
		waiting: "The message will show here.", hidden: "The chat shows only in development, with a sandbox beside.",
		versions: "How it changed", deleted: "deleted", noToken: "no token", lost: "The server does not answer.", other: "Русский",
	},
};
const lang = document.documentElement.lang in WORDS ? document.documentElement.lang : "en";
const words = WORDS[lang];
const $ = id => document.getElementById(id);
const form = $("form");
const state = {patterns: [], lines: {}, managers: {}, run: null, source: null, poll: null};

/* Country code and what a mobile number there looks like: # is any digit. */
const COUNTRIES = {
	BY: ["37529#######", "37533#######", "37544#######"], RU: ["7916#######", "7926#######"],
	PL: ["48501######", "48601######"], LT: ["3706#######"], LV: ["3712#######"],
	US: ["120255501##", "121255501##"], EE: ["3725#######"], JP: ["8190########"], FR: ["336########"],
	IT: ["39333#######"], ES: ["346########"], MD: ["37369######"], KZ: ["7701#######"],
	AR: ["54911########"], AM: ["37491######"], GE: ["995599######"],
};

async function ask(url, options) {
	const answer = await fetch(url, options);
	const text = await answer.text();
	const json = text ? JSON.parse(text) : null;
	if (!answer.ok) throw new Error(json && json.detail ? String(json.detail) : `HTTP ${answer.status}`);
	return json;
}

/* The API speaks as the old one did, which is its contract: these are its words in the other language. */
const REFUSALS = {
	en: [
		[/^Внешний номер обязателен$/, "The external number is required"],
		[/^Внутренний номер обязателен$/, "An extension is required"],
		[/^Линия обязательна$/, "A line is required"],
		[/^Внешний номер: только цифры, до (\d+)$/, "External number: digits only, at most $1"],
		[/^(\w+): недопустимое значение$/, "$1: not allowed"],
		[/^(\w+): слишком много значений$/, "$1: too many values"],
		[/^Предприятие (.*) не найдено$/, "Enterprise $1 not found"],
		[/^У предприятия (.*) нет токена$/, "Enterprise $1 has no token"],
		[/^База данных недоступна$/, "The database cannot be reached"],
	],
	ru: [
		[/^(\d+) calls are being played already$/, "Уже идёт $1 звонков, больше нельзя"],
		[/^no captured sequence for pattern (.*)$/, "Для типа $1 нет записи"],
		[/^no such run$/, "Такого звонка нет"],
		[/^(\w+): takes (\d+) to (\d+)$/, "$1: от $2 до $3"],
	],
};

function problem(text) {
	const known = REFUSALS[lang].find(([words]) => words.test(text));
	$("problem").textContent = known ? text.replace(known[0], known[1]) : text || "";
	$("problem").hidden = !text;
}

function option(value, text, disabled) {
	const made = element("option", "", text);
	made.value = value;
	made.disabled = Boolean(disabled);
	return made;
}

/* -- the form ----------------------------------------------------------------------------------- */

const patternNow = () => state.patterns.find(one => one.id === Number($("pattern").value));

function showPatterns() {
	const groups = [["1", words.out], ["2", words.in], ["3", words.internal]];
	$("pattern").replaceChildren(...groups.map(([digit, label]) => {
		const group = document.createElement("optgroup");
		group.label = label;
		for (const one of state.patterns.filter(each => each.key.startsWith(`${digit}-`))) {
			const title = `${one.key} · ${one.title[lang]}`;
			group.append(option(one.id, one.captured ? title : `${title} (${words.none})`, !one.captured));
		}
		return group;
	}));
}

function choices(kind) {
	if (kind === "line")
		return Object.entries(state.lines).map(([id, line]) => [id, line.name ? `${id} · ${line.name}` : id]);
	return Object.entries(state.managers).map(([extension, manager]) =>
		[extension, manager.clean_name ? `${extension} · ${manager.clean_name}` : extension]);
}

function randomNumber(country) {
	const shapes = COUNTRIES[country];
	const shape = shapes[Math.floor(Math.random() * shapes.length)];
	return "+" + shape.replace(/#/g, () => Math.floor(Math.random() * 10));
}

const flagOf = country => String.fromCodePoint(...[...country].map(letter => 0x1f1a5 + letter.charCodeAt(0)));

function phoneField(field) {
	const box = document.createDocumentFragment();
	const input = element("input", "form-control");
	input.type = "tel";
	input.value = randomNumber("BY");
	input.inputMode = "tel";
	const flags = element("div", "flags");
	flags.setAttribute("role", "group");
	flags.setAttribute("aria-label", words.random);
	for (const country of Object.keys(COUNTRIES)) {
		const button = element("button", "", `${flagOf(country)} ${country}`);
		button.type = "button";
		button.title = `${words.random}: ${country}`;
		button.addEventListener("click", () => { input.value = randomNumber(country); });
		flags.append(button);
	}
	box.append(input, flags);
	return [box, input];
}

function selectField(field) {
	const input = element("select", "form-select");
	input.append(option("", field.required ? words.choose : words.nobody));
	for (const [value, text] of choices(field.kind)) input.append(option(value, text));
	input.addEventListener("change", excludeChosen);
	return [input, input];
}

function fieldBox(field) {
	const box = element("div", field.kind === "phone" ? "col-12" : "col-sm-6");
	const label = element("label", field.required ? "form-label required" : "form-label", field.label[lang]);
	const [content, input] = field.kind === "phone" ? phoneField(field) : selectField(field);
	input.id = input.name = field.name;
	input.required = field.required;
	input.dataset.role = field.role;
	input.dataset.kind = field.kind;
	label.htmlFor = field.name;
	box.append(label, content);
	return box;
}

/* Who answers is one of those who ring; everybody else plays one part only. */
const isFree = input => input.dataset.role === "answered_manager" || input.dataset.role === "mobile_manager";
const isRinging = input => input.dataset.role === "group" || /^step\d$/.test(input.dataset.role);

function excludeChosen() {
	const selects = [...$("fields").querySelectorAll("select")];
	for (const select of selects) {
		const taken = new Set(selects.filter(other => other !== select && other.dataset.kind === select.dataset.kind &&
			!isFree(other)).map(other => other.value).filter(Boolean));
		const ringing = new Set(selects.filter(isRinging).map(other => other.value).filter(Boolean));
		for (const each of select.options) {
			if (each.value === "") continue;
			each.disabled = select.dataset.role === "answered_manager"
				? ringing.size > 0 && !ringing.has(each.value)
				: !isFree(select) && taken.has(each.value);
		}
		if (select.selectedOptions[0]?.disabled) select.value = "";
	}
}

function chooseSomebody() {
	for (const select of $("fields").querySelectorAll("select")) {
		if (!select.required && select.name !== "internal_group_2") continue;
		excludeChosen();
		const free = [...select.options].find(each => each.value !== "" && !each.disabled);
		if (free) select.value = free.value;
	}
	/* With nobody else left a person may play two parts. */
	excludeChosen();
}

function showFields() {
	const pattern = patternNow();
	const phone = form.elements.external_phone?.value;
	$("sequence").replaceChildren(...(pattern?.events || []).map(event => element("li", "", event)));
	$("fields").replaceChildren(...(pattern?.fields || []).map(fieldBox));
	if (phone && form.elements.external_phone) form.elements.external_phone.value = phone;
	chooseSomebody();
	problem("");
}

async function showEnterprise() {
	const query = `enterprise=${encodeURIComponent($("enterprise").value)}`;
	try {
		[state.lines, state.managers] = await Promise.all([ask(`/api/lines?${query}`), ask(`/api/managers?${query}`)]);
		showFields();
	} catch (error) {
		problem(error.message);
	}
}

/* -- the run ------------------------------------------------------------------------------------ */

function pretty(text) {
	try {
		return JSON.stringify(JSON.parse(text), null, 2);
	} catch {
		return text;
	}
}

function stepItem(step) {
	const item = document.createElement("li");
	const details = element("details", step.error ? "failed" : "");
	const summary = document.createElement("summary");
	details.dataset.event = step.event;
	summary.append(element("b", "", `${step.step}. ${step.event}`),
		element("span", "status", step.status || step.error),
		element("time", "", `${step.took_ms} ms`));
	details.append(summary, element("pre", "", `${words.request}\n${JSON.stringify(step.body, null, 2)}`),
		element("pre", "", `${words.answer}\n${step.answer ? pretty(step.answer) : step.error}`));
	item.append(details);
	return item;
}

function showProgress(run) {
	const failed = run.failed > 0;
	const end = run.state === "done" ? (failed ? words.failed : words.done) : words.stopped;
	const where = `${words.step} ${run.done}/${run.total}`;
	$("bar").style.width = `${100 * run.done / Math.max(run.total, 1)}%`;
	$("bar").className = failed ? "failed" : "";
	$("progress").textContent = run.state === "playing" ? where : `${where} · ${end}`;
	$("progress").dataset.state = run.state === "playing" ? "playing" : failed ? "failed" : run.state;
	$("result").textContent = `${words.call} ${run.unique_id} · ${words.sent}: ${run.sent}` +
		(failed ? ` · ${words.errors}: ${run.failed}` : "");
	$("result").dataset.state = run.state;
}

function onRun(run) {
	state.run = run;
	for (const step of run.steps) {
		$("steps").append(stepItem(step));
		$("steps").scrollTop = $("steps").scrollHeight;
	}
	showProgress(run);
	if (run.state === "playing") return;
	state.source?.close();
	playing(false);
	setTimeout(() => clearInterval(state.poll), 20000);
}

function playing(yes) {
	const manual = form.elements.mode.value === "manual";
	$("send").disabled = yes;
	$("stop").hidden = !yes;
	$("next").hidden = !yes || !manual;
	if (yes && manual) $("next").focus();
}

function bubbleOf(message) {
	const bubble = element("article", message.deleted ? "bubble deleted" : "bubble");
	const body = element("div", "body");
	bubble.dataset.messageId = message.message_id;
	bubble.dataset.versions = message.versions;
	showText(body, message.plain, message.entities);
	bubble.append(body, element("div", "meta", new Date(message.edited_at_ms || message.sent_at_ms).toLocaleTimeString(lang)));
	if (message.history.length > 1) {
		const list = document.createElement("ol");
		list.setAttribute("aria-label", words.versions);
		for (const version of message.history) {
			const item = document.createElement("li");
			item.append(element("time", "", new Date(version.at_ms).toLocaleTimeString(lang)),
				version.op === "delete" ? words.deleted : version.plain.split("\n")[0]);
			list.append(item);
		}
		bubble.append(list);
	}
	return bubble;
}

async function showChat() {
	const run = state.run;
	if (!run) return;
	try {
		const result = await ask(`/api/result?enterprise=${encodeURIComponent(run.enterprise)}&since_ms=${run.started_ms}`);
		if (run.run_id !== state.run.run_id) return;
		if (!result.available) clearInterval(state.poll);
		const bubbles = result.available ? result.messages.map(bubbleOf) : [];
		$("chat").replaceChildren(...(bubbles.length ? bubbles
			: [element("p", "hint", result.available ? words.waiting : words.hidden)]));
	} catch {
		/* The next turn asks again. */
	}
}

function follow(run) {
	$("steps").replaceChildren();
	$("chat").replaceChildren(element("p", "hint", words.waiting));
	onRun({...run, steps: []});
	state.source = new EventSource(`/api/runs/${run.run_id}/events`);
	state.source.addEventListener("run", event => onRun(JSON.parse(event.data)));
	state.source.addEventListener("error", () => {
		state.source.close();
		if (state.run.state === "playing") {
			problem(words.lost);
			playing(false);
		}
	});
	clearInterval(state.poll);
	state.poll = setInterval(showChat, 400);
	$("run-title").scrollIntoView({block: "nearest"});
}

async function send(event) {
	event.preventDefault();
	problem("");
	const order = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
	if (order.external_phone) order.external_phone = order.external_phone.replace(/[^0-9]/g, "");
	playing(true);
	try {
		follow(await ask("/api/runs", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(order)}));
	} catch (error) {
		problem(error.message);
		playing(false);
	}
}

const act = what => state.run && ask(`/api/runs/${state.run.run_id}/${what}`, {method: "POST"}).catch(error => problem(error.message));

async function start() {
	document.title = `callweave · ${words.emulator}`;
	for (const node of document.querySelectorAll("[data-t]")) node.textContent = words[node.dataset.t];
	for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", words[node.dataset.tLabel]);
	const other = document.querySelector("[data-lang-switch]"), query = new URLSearchParams(location.search);
	other.textContent = words.other;
	query.set("lang", lang === "ru" ? "en" : "ru");
	other.href = `?${query}`;
	$("progress").textContent = words.idle;
	form.addEventListener("submit", send);
	$("next").addEventListener("click", () => act("next"));
	$("stop").addEventListener("click", () => act("stop"));
	$("pattern").addEventListener("change", showFields);
	$("enterprise").addEventListener("change", showEnterprise);
	try {
		const [catalogue, enterprises] = await Promise.all([ask("/api/patterns"), ask("/api/enterprises")]);
		state.patterns = catalogue.patterns;
		$("enterprise").replaceChildren(...enterprises.map(one => option(one.number,
			`${one.number} · ${one.name}${one.has_token ? "" : ` (${words.noToken})`}`, !one.has_token)));
		const wanted = new URLSearchParams(location.search).get("enterprise");
		if (wanted) $("enterprise").value = wanted;
		showPatterns();
		$("pattern").value = "12";
		await showEnterprise();
		document.body.dataset.ready = "yes";
	} catch (error) {
		problem(error.message);
	}
}

start();
