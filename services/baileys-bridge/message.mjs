/*
 * message: people and texts of WhatsApp as hooks wants them. Pure.
 */

const WRAPPERS = ["ephemeralMessage", "viewOnceMessage", "viewOnceMessageV2", "documentWithCaptionMessage", "editedMessage"];
/* What has a text of its own, and what is only named. */
const TEXTS = [
	(m) => m.conversation,
	(m) => m.extendedTextMessage?.text,
	(m) => m.imageMessage?.caption,
	(m) => m.videoMessage?.caption,
	(m) => m.documentMessage?.caption,
	(m) => m.buttonsResponseMessage?.selectedDisplayText,
	(m) => m.templateButtonReplyMessage?.selectedDisplayText,
	(m) => m.listResponseMessage?.title,
];
const KINDS = {
	imageMessage: "image", videoMessage: "video", audioMessage: "audio", documentMessage: "document",
	stickerMessage: "sticker", locationMessage: "location", contactMessage: "contact", pollCreationMessage: "poll",
};

/* "whatsapp:+972 50-123" and JIDs alike; "" is nobody. */
export function jidOf(to) {
	const text = String(to).trim();
	if (/^[0-9]+@(s\.whatsapp\.net|lid)$/.test(text)) return text;
	const digits = text.replace(/^whatsapp:/i, "").replace(/@.*$/, "").replace(/[^0-9]/g, "");
	return digits.length >= 7 && digits.length <= 15 ? `${digits}@s.whatsapp.net` : "";
}

/* Without the device: "972501234567:12@s.whatsapp.net" is one phone. */
export function plainJid(jid) {
	return String(jid ?? "").replace(/:[0-9]+@/, "@");
}

export function textOf(message) {
	let inner = message ?? {};
	for (let depth = 0; depth < WRAPPERS.length; depth++) {
		const wrapper = WRAPPERS.find((name) => inner[name]?.message);
		if (!wrapper) break;
		inner = inner[wrapper].message;
	}
	for (const read of TEXTS) {
		const text = read(inner);
		if (text) return String(text);
	}
	const kind = Object.keys(KINDS).find((name) => inner[name]);
	return kind ? `[${KINDS[kind]}]` : "";
}

/* Only people: no groups, broadcasts, channels. */
const isPerson = (jid) => /@(s\.whatsapp\.net|lid)$/.test(jid);

/* What hooks is told of a message; null: nothing. */
export function inbound(item, ownJid) {
	const from = plainJid(item?.key?.remoteJid);
	const text = textOf(item?.message);
	if (!item?.key?.id || item.key.fromMe || !isPerson(from) || text === "") return null;
	return {
		from,
		from_pn: plainJid(item.key.remoteJidAlt ?? item.key.senderPn ?? ""),
		to: plainJid(ownJid),
		text,
		name: String(item.pushName ?? ""),
		provider: "baileys",
		message_id: item.key.id,
		timestamp: Number(item.messageTimestamp ?? 0) || Math.floor(Date.now() / 1000),
	};
}
