/*
 * The sandbox's CRMs as their users see them: who called whom, what came of it, and the popups that
 * stand open now. Everything that came from outside is shown as text, never as HTML.
 */
"use strict";

const WORDS = {
	ru: {
		crms: "CRM", calls: "Журнал звонков", none: "Пока пусто. Звонки появятся здесь сразу, как только о них сообщат.",
		note: "Песочница: в настоящие CRM отсюда ничего не уходит.", live: "на связи", lost: "нет связи, переподключение…",
		when: "Когда", phone: "Номер", user: "Сотрудник", result: "Результат", talk: "Разговор", wait: "Ожидание",
		record: "Запись", play: "Слушать", seconds: "с", going: "идёт", incoming: "Входящий", outgoing: "Исходящий",
		ext: "доб.", nobody: "никто", twice: "записей:", customers: "Клиенты", leads: "Обращения", reminders: "Напоминания",
		notifications: "Уведомления", webhooks: "Подписки", modules: "Модули", lines: "Линии", users: "Сотрудники", other: "English",
	},
	en: {
		crms: "CRMs", calls: "Call journal", none: "Nothing yet. Calls show here the moment they are told.",
		note: "A sandbox: nothing from here reaches a real CRM.", live: "live", lost: "connection lost, trying again…",
		when: "When", phone: "Number", user: "Employee", result: "Result", talk: "Talk", wait: "Waiting",
		record: "Recording", play: "Listen", seconds: "s", going: "under way", incoming: "Incoming", outgoing: "Outgoing",
		ext: "ext.", nobody: "nobody", twice: "entries:", customers: "Customers", leads: "Leads", reminders: "Reminders",
		notifications: "Notifications", webhooks: "Subscriptions", modules: "Modules", lines: "Lines", users: "Employees", other: "Русский",
	},
};
const lang = document.documentElement.lang in WORDS ? document.documentElement.lang : "en";
const words = WORDS[lang];
const CRMS = [["retailcrm", "RetailCRM"], ["uon", "U-ON"], ["moysklad", lang === "ru" ? "МойСклад" : "MoySklad"],
	["bitrix24", lang === "ru" ? "Битрикс24" : "Bitrix24"], ["webhook", "Webhook"]];
const KINDS = ["notifications", "reminders", "leads", "customers", "users", "lines", "modules", "webhooks"];
const COLUMNS = ["when", "phone", "user", "result", "talk", "wait", "record"];
const SHOWN = 100; /* calls of an account on the page */
const GOOD = /^(answered|200|talked)$|: отвеченный|^Разговор|^Talk/;
const $ = id => document.getElementById(id);
let selected = CRMS.some(([name]) => name === location.hash.slice(1)) ? location.hash.slice(1) : "retailcrm";
let asking = false, again = false;
const known = new Set(); /* calls that were on the page before */

const clock = ms => new Date(ms).toLocaleTimeString(lang, {hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23"});

/* -- calls -------------------------------------------------------------------------------------- */

function person(one) {
	const ext = one.extension ? `${words.ext} ${one.extension}` : "";
	return [one.user_name || (one.user && !one.extension ? `#${one.user}` : ""), ext].filter(Boolean).join(", ");
}

function nameOf(customer) {
	return customer.company_name || [customer.last_name, customer.first_name, customer.middle_name].filter(Boolean).join(" ");
}

const tail = phone => String(phone || "").replace(/\D/g, "").slice(-9);

function customerOf(call, customers) {
	const found = tail(call.phone) && customers.find(one => one.account === call.account && (one.phones || []).some(phone => tail(phone) === tail(call.phone)));
	return found ? nameOf(found) : call.customer_name || "";
}

function cell(name, ...content) {
	const made = element("td");
	made.dataset.name = words[name];
	made.append(...content.filter(part => part !== "" && part !== null));
	return made;
}

function resultOf(call) {
	if (call.entries === 0) return [element("span", "soft", words.going)];
	const made = [element("span", GOOD.test(call.result) ? "good" : "bad", call.result)];
	if (call.entries > 1) made.push(element("span", "twice", `${words.twice} ${call.entries}`));
	return made;
}

function startOf(call) {
	const text = /^\d{13}$/.test(call.started) ? new Date(Number(call.started)).toLocaleString(lang) : call.started;
	return text || clock(call.at_ms);
}

function recordOf(call) {
	if (!/^https?:/i.test(call.record_url)) return "";
	const link = element("a", "", words.play);
	link.href = call.record_url;
	link.target = "_blank";
	link.rel = "noopener noreferrer";
	return link;
}

const seconds = value => value === null ? "" : `${value} ${words.seconds}`;

function rowOf(call, customers) {
	const key = `${call.crm} ${call.account} ${call.number}`;
	const made = element("tr", known.has(key) ? "" : "fresh");
	known.add(key);
	made.dataset.externalId = call.external_id;
	const out = call.direction === "out";
	const way = element("span", "way", out ? "↗" : "↙");
	way.title = out ? words.outgoing : words.incoming;
	const phone = [way, call.phone || "", element("span", "who", customerOf(call, customers))];
	made.append(cell("when", startOf(call)), cell("phone", ...phone), cell("user", person(call)),
		cell("result", ...resultOf(call)), cell("talk", seconds(call.duration)), cell("wait", seconds(call.waiting)),
		cell("record", recordOf(call)));
	return made;
}

function popupsOf(call, customers, users) {
	return call.popups.filter(one => one.hidden_at === null).map(one => {
		const user = users.find(candidate => candidate.id === one.user && candidate.account === call.account);
		const made = element("article", "popup");
		made.append(element("b", "", `${call.direction === "out" ? "↗" : "📞"} ${call.phone}`), element("p", "", customerOf(call, customers)),
			element("p", "", `→ ${person({...one, user_name: user ? user.name : ""}) || words.nobody} · ${clock(one.shown_at)}`));
		return made;
	});
}

/* -- cards -------------------------------------------------------------------------------------- */

/* U-ON's flash messages are HTML to it; here only their text counts, and it stays text. */
const ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": "\"", "&#39;": "'", "&amp;": "&"};

function plainOf(html) {
	return html.replace(/<br\s*\/?>/gi, "\n").replace(/<[^>]*>/g, "").replace(/&(lt|gt|quot|#39|amp);/g, found => ENTITIES[found]);
}

function titleOf(card) {
	return nameOf(card) || card.name || (card.text ? plainOf(card.text) : "") || card.event || card.url || card.type || card.phone || card.u_phone || card.id || "";
}

function cardOf(card, users) {
	const made = element("li"), manager = users.find(user => user.account === card.account && user.id === card.manager_id);
	made.append(element("b", "", String(titleOf(card))));
	const parts = [(card.phones || []).join(", "), card.code ? `${words.ext} ${card.code}` : "", card.note, card.datetime,
		card.manager_id ? `→ ${manager ? manager.name : `#${card.manager_id}`}` : "", card.id ? `id ${card.id}` : "", card.entries > 1 ? `${words.twice} ${card.entries}` : ""];
	for (const part of parts) if (part) made.append(element("span", "", String(part)));
	return made;
}

function showCards(cards, users) {
	const sections = [];
	for (const kind of KINDS) {
		const of = cards.filter(card => card.kind === kind && !card.deleted).reverse();
		if (of.length === 0) continue;
		const title = element("h2", "", `${words[kind]} `), list = element("ul", "cards");
		title.append(element("small", "", of.length));
		list.append(...of.slice(0, SHOWN).map(card => cardOf(card, users)));
		list.dataset.kind = kind;
		sections.push(title, list);
	}
	$("cards").replaceChildren(...sections);
}

/* -- the page ----------------------------------------------------------------------------------- */

function show(calls, cards) {
	const customers = cards.filter(card => card.kind === "customers"), users = cards.filter(card => card.kind === "users");
	const newest = calls.sort((a, b) => b.at_ms - a.at_ms || b.number - a.number);
	const open = newest.flatMap(call => popupsOf(call, customers, users));
	$("open").replaceChildren(...open);
	$("open").hidden = open.length === 0;
	$("calls").replaceChildren(...newest.slice(0, SHOWN).map(call => rowOf(call, customers)));
	$("calls-count").textContent = newest.length || "";
	$("calls-none").hidden = newest.length > 0;
	showCards(cards, users);
}

const ask = async what => (await fetch(`/_sandbox/crm/${what}`)).json();

/* One question at a time: what changes meanwhile is asked for once more. */
async function refresh() {
	again = true;
	if (asking) return;
	asking = true;
	while (again) {
		again = false;
		const crm = selected;
		try {
			const [calls, cards, accounts] = await Promise.all(
				[ask(`calls?crm=${crm}&last=${SHOWN}`), ask(`cards?crm=${crm}&last=${SHOWN}`), ask("accounts")]);
			if (crm === selected) show(calls, cards);
			count(accounts);
		} catch { /* the stream says that the connection is lost, and brings the page here again */ }
	}
	asking = false;
}

function count(accounts) {
	for (const tab of $("crms").children) {
		const calls = accounts.filter(one => one.crm === tab.dataset.crm).reduce((sum, one) => sum + one.calls, 0);
		tab.lastElementChild.textContent = calls || "";
	}
}

function select(crm, focus) {
	selected = crm;
	document.body.dataset.crm = crm;
	history.replaceState(null, "", `#${crm}`);
	for (const tab of $("crms").children) {
		const mine = tab.dataset.crm === crm;
		tab.setAttribute("aria-selected", String(mine));
		tab.tabIndex = mine ? 0 : -1;
		if (mine && focus) tab.focus();
	}
	$("crm").setAttribute("aria-labelledby", `tab-${crm}`);
	refresh();
}

function moveBy(event) {
	const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
	if (!step) return;
	event.preventDefault();
	const at = CRMS.findIndex(([name]) => name === selected);
	select(CRMS[(at + step + CRMS.length) % CRMS.length][0], true);
}

function say(live) {
	$("status").classList.toggle("live", live);
	$("status").lastElementChild.textContent = live ? words.live : words.lost;
}

function listen() {
	const source = new EventSource("/_sandbox/events");
	source.addEventListener("open", () => { say(true); refresh(); });
	source.addEventListener("error", () => say(false));
	source.addEventListener("crm", refresh);
}

function start() {
	for (const node of document.querySelectorAll("[data-t]")) node.textContent = words[node.dataset.t];
	for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", words[node.dataset.tLabel]);
	for (const [name, title] of CRMS) {
		const tab = element("button", "", title);
		tab.type = "button";
		tab.id = `tab-${name}`;
		tab.dataset.crm = name;
		tab.setAttribute("role", "tab");
		tab.setAttribute("aria-controls", "crm");
		tab.append(element("em"));
		tab.addEventListener("click", () => select(name, false));
		$("crms").append(tab);
	}
	$("crms").addEventListener("keydown", moveBy);
	$("calls-head").append(...COLUMNS.map(name => element("th", "", words[name])));
	const other = document.querySelector("[data-lang-switch]");
	other.textContent = words.other;
	other.href = `?lang=${lang === "ru" ? "en" : "ru"}`;
	say(false);
	select(selected, false);
	listen();
}

start();
