// npm `ws` as Twilio: echo mode gives each frame back byte for byte. One JSON line of what came.
import WebSocket from "ws";

const [url, frames, offered] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const sid = "MZ" + "7".repeat(32);
const socket = new WebSocket(url, offered ? offered.split(",") : [], { perMessageDeflate: true });
const sent = [];
const came = [];
let sequence = 0;

const numbered = (event, members) => JSON.stringify({ event, sequenceNumber: String(++sequence), ...members, streamSid: sid });

function done(code, reason) {
  const echoed = came.filter((text) => JSON.parse(text).event === "media").map((text) => JSON.parse(text).media.payload);
  console.log(JSON.stringify({
    code, reason: String(reason), protocol: socket.protocol, extensions: socket.extensions,
    same: JSON.stringify(echoed) === JSON.stringify(sent), echoed: echoed.length,
    marks: came.map((text) => JSON.parse(text)).filter((message) => message.event === "mark").map((message) => message.mark.name),
    exact: came.every((text) => text === JSON.stringify(JSON.parse(text))),
    keys: [...new Set(came.map((text) => Object.keys(JSON.parse(text)).join()))],
  }));
}

socket.on("open", () => {
  socket.send(JSON.stringify({ event: "connected", protocol: "Call", version: "1.0.0" }));
  socket.send(numbered("start", { start: {
    accountSid: "AC" + "2".repeat(32), streamSid: sid, callSid: "CA" + "7".repeat(32), tracks: ["inbound"],
    mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 }, customParameters: { mode: "echo" } } }));
  for (let frame = 1; frame <= frames; frame++) {
    const payload = Buffer.alloc(1 + (frame * 37) % 320, frame).toString("base64");
    sent.push(payload);
    socket.send(numbered("media", { media: { track: "inbound", chunk: String(frame), timestamp: String(frame * 20), payload } }));
  }
  socket.ping("there?");
});
let pongs = 0;
socket.on("pong", (data) => { pongs += String(data) === "there?"; });
socket.on("message", (data, binary) => {
  if (binary) throw new Error("a binary message");
  came.push(String(data));
  if (came.length === frames + Math.floor(frames / 50))
    socket.send(numbered("stop", { stop: { accountSid: "AC1", callSid: "CA1" } }));
});
socket.on("close", (code, reason) => { done(code, reason); if (!pongs) process.exitCode = 3; });
socket.on("error", (error) => { console.log(JSON.stringify({ error: error.message })); process.exitCode = 2; });
