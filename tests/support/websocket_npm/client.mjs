// Connects as npm's ws does: arguments are a URL and the offered sub-protocols; prints one line of JSON.
import WebSocket from "ws";

const [url, ...offered] = process.argv.slice(2);
const socket = new WebSocket(url, offered, { perMessageDeflate: true });
const told = { offered, messages: [] };
const end = () => {
  console.log(JSON.stringify(told));
  process.exit(0);
};
socket.on("open", () => {
  told.protocol = socket.protocol;
  told.extensions = socket.extensions;
  socket.send("héllo");
  socket.send(Buffer.from([0, 255, 7]));
  socket.ping("are you there");
});
socket.on("pong", (data) => (told.pong = data.toString()));
socket.on("message", (data, binary) => {
  told.messages.push(binary ? [...data] : data.toString());
  if (told.messages.length === 2) socket.close(4321, "seen");
});
socket.on("close", (code, reason) => {
  told.closed = [code, reason.toString()];
  end();
});
socket.on("error", (error) => {
  told.error = error.message;
  end();
});
setTimeout(end, 10000).unref();
