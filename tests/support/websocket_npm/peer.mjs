// The media bench's peer: npm's ws as a media bridge that echoes: parse, decode, encode, send. Prints its port.
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket) => {
  let streamSid = "";
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.event === "start") streamSid = message.start.streamSid;
    if (message.event !== "media") return;
    const audio = Buffer.from(message.media.payload, "base64");
    const answer = { event: "media", streamSid, media: { payload: audio.toString("base64") } };
    socket.send(JSON.stringify(answer));
  });
});
server.on("listening", () => console.log(server.address().port));
process.on("SIGTERM", () => process.exit(0));
