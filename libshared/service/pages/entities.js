/*
 * entities: a Telegram message's text on a page. Elements are made here from MessageEntity; what a
 * bot sent is only ever text. Shared by the sandbox's chats and the emulator's result.
 */
"use strict";

function element(tag, className, text) {
	const made = document.createElement(tag);
	if (className) made.className = className;
	if (text !== undefined) made.textContent = text;
	return made;
}

function activate(node, act) {
	node.tabIndex = 0;
	node.setAttribute("role", "button");
	node.addEventListener("click", act);
	node.addEventListener("keydown", event => {
		if (event.key !== "Enter" && event.key !== " ") return;
		event.preventDefault();
		act();
	});
}

function entityElement(entity) {
	switch (entity.type) {
	case "bold": return element("strong");
	case "italic": return element("em");
	case "underline": return element("u");
	case "strikethrough": return element("s");
	case "code": return element("code");
	case "pre": return element("pre");
	case "blockquote": return element("blockquote");
	case "expandable_blockquote": {
		const quote = element("blockquote", "folded");
		activate(quote, () => quote.classList.toggle("folded"));
		return quote;
	}
	case "spoiler": {
		const spoiler = element("span", "spoiler");
		activate(spoiler, () => spoiler.classList.toggle("open"));
		return spoiler;
	}
	case "text_link": {
		const link = element("a");
		const url = /^[a-z]+:/i.test(entity.url) ? entity.url : `http://${entity.url}`;
		if (/^(https?|tg|ton):/i.test(url)) link.href = url;
		link.rel = "noopener noreferrer";
		link.target = "_blank";
		return link;
	}
	default: return element("span");
	}
}

/* Entities come sorted, an outer one before those inside it. Offsets are UTF-16 units, as in JS. */
function fillRange(parent, text, start, end, entities) {
	let at = start;
	while (entities.length > 0) {
		const entity = entities.shift();
		const from = Math.max(entity.offset, at), to = Math.min(entity.offset + entity.length, end);
		if (to <= from) continue;
		const inside = [];
		while (entities.length > 0 && entities[0].offset < to) inside.push(entities.shift());
		parent.append(text.slice(at, from));
		const made = entityElement(entity);
		fillRange(made, text, from, to, inside);
		parent.append(made);
		at = to;
	}
	parent.append(text.slice(at, end));
}

function showText(parent, text, entities) {
	fillRange(parent, text, 0, text.length, [...entities]);
}
