/*
 * The browser's side of a line: mu-law (ITU-T G.711) at 8 kHz over a WebSocket, microphone and speaker
 * through an AudioWorklet. Without a microphone one can still listen, press keys and play files.
 */
"use strict";

const RATE = 8000;

function mulawOf(sample) {
	const clipped = Math.max(-32635, Math.min(32635, Math.round(sample * 32767)));
	const sign = clipped < 0 ? 0x80 : 0;
	const biased = Math.abs(clipped) + 132;
	const exponent = Math.max(0, Math.floor(Math.log2(biased)) - 7);
	return ~(sign | exponent << 4 | biased >> exponent + 3 & 0x0f) & 0xff;
}

function sampleOf(code) {
	const plain = ~code & 0xff;
	const size = ((plain & 0x0f) << 3 | 0x84) << (plain >> 4 & 7);
	return (plain & 0x80 ? 132 - size : size - 132) / 32767;
}

const DECODED = Float32Array.from({length: 256}, (_, code) => sampleOf(code));
const encode = samples => Uint8Array.from(samples, mulawOf);
const decode = bytes => Float32Array.from(bytes, code => DECODED[code]);
const loudness = samples => Math.min(1, 3 * Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length));

/* Any audio file that the browser can read, as mu-law. */
async function mulawOfFile(file) {
	const context = new OfflineAudioContext(1, 1, RATE);
	const audio = await context.decodeAudioData(await file.arrayBuffer());
	return encode(audio.getChannelData(0));
}

class Line {
	/* told: {state(text), said(level), heard(level), microphone(on), over()} */
	constructor(told) {
		this.told = told;
	}

	/* In the click itself: a browser lets a page sound and listen for no other reason. */
	async prepare() {
		this.context = new AudioContext({sampleRate: RATE});
		await this.context.audioWorklet.addModule("/static/telephone-worklet.js");
		this.node = new AudioWorkletNode(this.context, "line", {outputChannelCount: [1]});
		this.node.connect(this.context.destination);
		try {
			this.microphone = await navigator.mediaDevices.getUserMedia({audio: {echoCancellation: true, noiseSuppression: true}});
			this.context.createMediaStreamSource(this.microphone).connect(this.node);
		} catch (error) {
			this.microphone = null; /* none, or not allowed */
		}
		this.told.microphone(this.microphone !== null);
	}

	open(sid) {
		this.socket = new WebSocket(`${location.origin.replace("http", "ws")}/_sandbox/twilio/phone?call=${sid}`);
		this.socket.binaryType = "arraybuffer";
		this.socket.onmessage = event => this.hear(event.data);
		this.socket.onclose = () => this.close();
		this.node.port.onmessage = event => this.speak(event.data);
	}

	hear(data) {
		if (typeof data === "string") {
			this.told.state(JSON.parse(data).state);
			return;
		}
		const samples = decode(new Uint8Array(data));
		this.told.heard(loudness(samples));
		this.node.port.postMessage(samples);
	}

	speak(samples) {
		if (this.socket.readyState !== WebSocket.OPEN) return;
		this.told.said(loudness(samples));
		if (this.microphone) this.socket.send(encode(samples));
	}

	tell(what) {
		if (this.socket && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(what));
	}

	close() {
		if (!this.context) return;
		if (this.microphone) this.microphone.getTracks().forEach(track => track.stop());
		this.context.close();
		this.context = null;
		this.told.over();
	}
}
