/*
 * The sandbox's chats as people would see them. What bots sent is shown as text nodes and elements
 * made from Telegram's entities (entities.js); nothing from outside is ever taken as HTML.
 */
"use strict";

const WORDS = {
	ru: {
		chats: "Чаты", log: "Сообщения", back: "К списку чатов", messages: "сообщений", calls: "запросов ботов",
		violations: "превышений лимита", live: "на связи", lost: "нет связи, переподключение…",
		empty: "Пока пусто. Сообщения ботов появятся здесь сразу, как только придут.",
		pick: "Выберите чат", note: "Песочница: в настоящий Telegram отсюда ничего не уходит.",
		user: "Пользователь", group: "Группа", bot: "бот", edited: "изменено", deleted: "удалено",
		history: "история", hide: "скрыть", send: "отправлено", edit: "изменено", delete: "удалено",
		other: "English", silent: "без звука", write: "Написать боту", say: "Отправить", pressing: "…",
		unanswered: "Бот не ответил на нажатие.", refused: "Не получилось: песочница отказала.",
	},
	en: {
		chats: "Chats", log: "Messages", back: "Back to the chats", messages: "messages", calls: "bot requests",
		violations: "over the limit", live: "live", lost: "connection lost, trying again…",
		empty: "Nothing yet. What bots send shows here the moment it arrives.",
		pick: "Choose a chat", note: "A sandbox: nothing from here reaches the real Telegram.",
		user: "User", group: "Group", bot: "bot", edited: "edited", deleted: "deleted",
		history: "history", hide: "hide", send: "sent", edit: "edited", delete: "deleted",
		other: "Русский", silent: "silent", write: "Write to the bot", say: "Send", pressing: "…",
		unanswered: "The bot did not answer the press.", refused: "It did not work: the sandbox refused.",
	},
};
const lang = document.documentElement.lang in WORDS ? document.documentElement.lang : "en";
const words = WORDS[lang];
const SHOWN = 300; /* messages of a chat on the page */
const $ = id => document.getElementById(id);
const chats = new Map(); /* key -> {key, chatId, botId, messages: Map, last, unread} */
let selected = null;

const clock = ms => new Date(ms).toLocaleTimeString(lang, {hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
const exact = ms => `${new Date(ms).toLocaleTimeString(lang, {hourCycle: "h23"})}.${String(ms % 1000).padStart(3, "0")}`;
const day = ms => new Date(ms).toLocaleDateString(lang, {day: "numeric", month: "long"});

/* -- bubbles ------------------------------------------------------------------------------------ */

/* A link leads away, a button with data is pressed; others do nothing here. */
function keyOfMarkup(message, button) {
	if (button.callback_data) {
		const pressed = element("button", "", button.text);
		pressed.type = "button";
		pressed.addEventListener("click", () => press(message, button, pressed));
		return pressed;
	}
	const made = element(button.url ? "a" : "span", "", button.text);
	if (button.url && /^(https?|tg):/i.test(button.url)) made.href = button.url;
	if (button.url) { made.target = "_blank"; made.rel = "noopener noreferrer"; }
	return made;
}

function keyboard(message, markup) {
	const box = element("div", "keyboard");
	for (const row of markup.inline_keyboard || []) {
		const line = element("div");
		for (const button of row) line.append(keyOfMarkup(message, button));
		box.append(line);
	}
	return box;
}

async function toggleHistory(bubble, message, button) {
	const shown = bubble.querySelector(".history");
	button.setAttribute("aria-expanded", String(!shown));
	if (shown) {
		shown.remove();
		return;
	}
	const answer = await fetch(`/_sandbox/telegram/messages?chat_id=${message.chat_id}&message_id=${message.message_id}`);
	const found = (await answer.json()).find(one => one.bot_id === message.bot_id);
	if (!found || bubble.querySelector(".history")) return;
	const list = element("ol", "history");
	for (const version of found.history) {
		const item = element("li");
		item.append(element("b", "", `${exact(version.at_ms)} · ${words[version.op]}`), version.plain);
		list.append(item);
	}
	bubble.append(list);
}

function bubbleOf(chat, message) {
	const bubble = element("article", `bubble${message.deleted ? " deleted" : ""}${message.user_id ? " mine" : ""}`);
	bubble.dataset.messageId = message.message_id;
	bubble.dataset.versions = message.versions;
	const original = message.reply_to && chat.messages.get(message.reply_to);
	if (original) bubble.append(element("div", "reply", original.plain.split("\n")[0]));
	const body = element("div", "body");
	showText(body, message.plain, message.entities);
	bubble.append(body);
	const meta = element("div", "meta");
	if (message.deleted) meta.append(element("i", "", words.deleted));
	if (message.silent) meta.append(element("i", "", words.silent));
	if (message.versions > 1) {
		const edits = message.versions - 1;
		const button = element("button", "versions", `${message.edited_at_ms ? words.edited + " · " : ""}${words.history} (${edits})`);
		button.type = "button";
		button.setAttribute("aria-expanded", "false");
		button.addEventListener("click", () => toggleHistory(bubble, message, button));
		meta.append(button);
	}
	const time = element("time", "", clock(message.sent_at_ms));
	time.title = exact(message.sent_at_ms);
	meta.append(time);
	bubble.append(meta);
	if (message.reply_markup && !message.deleted) bubble.append(keyboard(message, message.reply_markup));
	return bubble;
}

function atBottom() {
	const wall = $("messages");
	return wall.scrollHeight - wall.scrollTop - wall.clientHeight < 80;
}

function showBubble(chat, message) {
	const wall = $("messages");
	const stay = atBottom();
	const old = wall.querySelector(`[data-message-id="${message.message_id}"]`);
	const made = bubbleOf(chat, message);
	made.classList.add("fresh");
	if (old) old.replaceWith(made);
	else {
		addDay(wall, message);
		wall.append(made);
		while (wall.children.length > SHOWN) wall.firstElementChild.remove();
	}
	if (stay) wall.scrollTop = wall.scrollHeight;
}

function addDay(wall, message) {
	const text = day(message.sent_at_ms);
	if (wall.dataset.day === text) return;
	wall.dataset.day = text;
	wall.append(element("div", "day", text));
}

/* -- people: they write and press ------------------------------------------------------------------ */

const ANSWER_MS = 16000; /* Telegram forgets a press after 15 s */
let noticed = 0;

function notice(text, alert) {
	const shown = $("notice"), wall = $("messages"), stay = atBottom();
	shown.textContent = text;
	shown.classList.toggle("is-alert", alert);
	shown.hidden = text === "";
	if (stay) wall.scrollTop = wall.scrollHeight; /* it takes room from the messages */
	const mine = ++noticed;
	if (text !== "" && text !== words.pressing) setTimeout(() => { if (noticed === mine) shown.hidden = true; }, 8000);
}

const post = (what, body) => fetch(`/_sandbox/telegram/${what}`, {method: "POST", body: JSON.stringify(body)});

async function answerOf(id) {
	for (const end = Date.now() + ANSWER_MS; Date.now() < end; await new Promise(done => setTimeout(done, 250))) {
		const found = (await (await fetch(`/_sandbox/telegram/presses?id=${id}`)).json())[0];
		if (found && found.text !== null) return found;
	}
	return null;
}

async function press(message, button, node) {
	node.disabled = true;
	notice(words.pressing, false);
	const answer = await post("press", {bot_id: message.bot_id, chat_id: message.chat_id, message_id: message.message_id,
		user_id: message.chat_id > 0 ? message.chat_id : 1, data: button.callback_data});
	const told = answer.ok ? await answerOf((await answer.json()).callback_query_id) : null;
	if (told) notice(told.text, told.alert);
	else notice(answer.ok ? words.unanswered : words.refused, true);
	node.disabled = false;
}

async function write(event) {
	event.preventDefault();
	const chat = chats.get(selected), text = $("write-text").value.trim();
	if (!chat || text === "") return;
	$("write-text").value = "";
	const answer = await post("write", {bot_id: chat.botId, chat_id: chat.chatId, user_id: chat.chatId > 0 ? chat.chatId : 1, text});
	if (!answer.ok) notice(words.refused, true);
}

/* -- chats -------------------------------------------------------------------------------------- */

const keyOf = message => message.chat_id < 0 ? `g${message.chat_id}` : `${message.bot_id}:${message.chat_id}`;
const titleOf = chat => `${chat.chatId < 0 ? words.group : words.user} ${chat.chatId}`;
const colourOf = chat => `c${Math.abs(chat.chatId) % 7}`;
const initials = chat => (chat.chatId < 0 ? "#" : "") + String(Math.abs(chat.chatId)).slice(-2);

function take(message) {
	const key = keyOf(message);
	let chat = chats.get(key);
	if (!chat) {
		chat = {key, chatId: message.chat_id, botId: message.bot_id, messages: new Map(), unread: 0};
		chats.set(key, chat);
	}
	chat.messages.set(message.message_id, message);
	if (chat.messages.size > SHOWN * 2) chat.messages.delete(chat.messages.keys().next().value);
	chat.last = message;
	chat.unread++;
	return chat;
}

function row(chat) {
	const item = element("li", "chat");
	item.id = `chat-${chat.key.replace(/[^0-9a-z-]/gi, "_")}`;
	item.setAttribute("role", "option");
	item.setAttribute("aria-selected", String(chat.key === selected));
	item.dataset.chatId = chat.chatId;
	const text = element("div", "chat-text"), head = element("div", "chat-head"), last = element("div", "chat-last");
	head.append(element("span", "chat-name", titleOf(chat)), element("time", "chat-time", clock(chat.last.edited_at_ms || chat.last.sent_at_ms)));
	last.append(element("span", "", chat.last.deleted ? words.deleted : chat.last.plain.replace(/\n/g, " · ")));
	if (chat.unread > 0 && chat.key !== selected) last.append(element("em", "unread", chat.unread > 99 ? "99+" : chat.unread));
	text.append(head, last);
	item.append(element("span", `avatar ${colourOf(chat)}`, initials(chat)), text);
	item.addEventListener("click", () => select(chat.key, true));
	return item;
}

const byNewest = () => [...chats.values()].sort((a, b) => b.last.revision - a.last.revision);

function showChats() {
	const list = $("chats");
	list.replaceChildren(...byNewest().slice(0, SHOWN).map(row));
	const chosen = list.querySelector("[aria-selected=true]");
	if (chosen) list.setAttribute("aria-activedescendant", chosen.id);
	$("empty").hidden = chats.size > 0;
}

function select(key, open) {
	const chat = chats.get(key);
	selected = key;
	chat.unread = 0;
	const wall = $("messages");
	wall.replaceChildren();
	delete wall.dataset.day;
	const inOrder = [...chat.messages.values()].sort((a, b) => a.message_id - b.message_id).slice(-SHOWN);
	for (const message of inOrder) {
		addDay(wall, message);
		wall.append(bubbleOf(chat, message));
	}
	wall.scrollTop = wall.scrollHeight;
	$("chat-title").textContent = titleOf(chat);
	$("chat-note").textContent = `${words.bot} sandbox_${chat.botId}_bot`;
	$("avatar").className = `avatar ${colourOf(chat)}`;
	$("avatar").textContent = initials(chat);
	$("write").hidden = false;
	notice("", false);
	if (open) {
		$("app").classList.add("open");
		history.replaceState(null, "", `#${chat.key}`);
	}
	showChats();
}

function selectByHash() {
	const wanted = decodeURIComponent(location.hash.slice(1));
	const found = byNewest().find(chat => chat.key === wanted || String(chat.chatId) === wanted);
	if (found) select(found.key, true);
	return Boolean(found);
}

function clear() {
	chats.clear();
	selected = null;
	$("messages").replaceChildren();
	$("chat-title").textContent = words.pick;
	$("chat-note").textContent = "";
	$("avatar").className = "avatar";
	$("avatar").textContent = "";
	$("write").hidden = true;
	showChats();
}

/* -- news --------------------------------------------------------------------------------------- */

function onMessages(event) {
	for (const message of JSON.parse(event.data)) {
		const chat = take(message);
		if (chat.key !== selected) continue;
		chat.unread = 0;
		showBubble(chat, message);
	}
	if (selected === null && chats.size > 0 && !selectByHash()) select(byNewest()[0].key, false);
	showChats();
}

function onStats(event) {
	const stats = JSON.parse(event.data);
	for (const name of ["messages", "calls", "violations"])
		$(`count-${name}`).textContent = stats[name].toLocaleString(lang);
	$("violations").hidden = stats.violations === 0;
}

function say(live) {
	$("status").classList.toggle("live", live);
	$("status").lastElementChild.textContent = live ? words.live : words.lost;
}

function listen() {
	const source = new EventSource("/_sandbox/events");
	source.addEventListener("open", () => { clear(); say(true); });
	source.addEventListener("error", () => say(false));
	source.addEventListener("reset", clear);
	source.addEventListener("messages", onMessages);
	source.addEventListener("stats", onStats);
}

function moveBy(step) {
	const order = byNewest();
	if (order.length === 0) return;
	const at = order.findIndex(chat => chat.key === selected);
	select(order[Math.min(Math.max(at + step, 0), order.length - 1)].key, false);
}

function start() {
	for (const node of document.querySelectorAll("[data-t]")) node.textContent = words[node.dataset.t];
	for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", words[node.dataset.tLabel]);
	for (const node of document.querySelectorAll("[data-t-placeholder]")) node.placeholder = words[node.dataset.tPlaceholder];
	$("write").addEventListener("submit", write);
	const other = document.querySelector("[data-lang-switch]");
	other.textContent = words.other;
	other.href = `?lang=${lang === "ru" ? "en" : "ru"}`;
	$("back").addEventListener("click", () => { $("app").classList.remove("open"); $("chats").focus(); });
	$("chats").addEventListener("keydown", event => {
		if (event.key === "ArrowDown" || event.key === "ArrowUp") {
			event.preventDefault();
			moveBy(event.key === "ArrowDown" ? 1 : -1);
		} else if (event.key === "Enter" && selected !== null) {
			select(selected, true);
			$("messages").focus();
		}
	});
	clear();
	say(false);
	listen();
}

start();
