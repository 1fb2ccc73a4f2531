/*
 * The audio thread's part: frames of the microphone out, what the line says in. It keeps 60 ms ahead, so
 * that a late frame is no hole, and drops what is older than half a second.
 */
"use strict";

const FRAME = 160;
const AHEAD = 480;
const MOST = 4000;

class Line extends AudioWorkletProcessor {
	constructor() {
		super();
		this.said = new Float32Array(FRAME);
		this.filled = 0;
		this.heard = [];
		this.waiting = true;
		this.port.onmessage = event => {
			this.heard.push(...event.data);
			if (this.heard.length > MOST) this.heard.splice(0, this.heard.length - AHEAD);
		};
	}

	speak(samples) {
		for (const sample of samples) {
			this.said[this.filled++] = sample;
			if (this.filled < FRAME) continue;
			this.port.postMessage(this.said.slice());
			this.filled = 0;
		}
	}

	process(inputs, outputs) {
		const out = outputs[0][0];
		this.speak(inputs[0][0] || new Float32Array(out.length));
		if (this.heard.length >= AHEAD) this.waiting = false;
		if (this.waiting || this.heard.length < out.length) {
			this.waiting = true;
			return true;
		}
		out.set(this.heard.splice(0, out.length));
		return true;
	}
}

registerProcessor("line", Line);
