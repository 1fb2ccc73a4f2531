"""Asterisk's manager interface, scripted: it keeps what it is asked, and does with a call what the story says."""
import hashlib
import socketserver
import threading

USER, SECRET = "callweave", "what-the-pbx-and-callweave-share"
CHALLENGE = "840415273"
# Response and Reason of OriginateResponse.
OUTCOMES = {
    "answered": ("Success", 4),
    "no_answer": ("Failure", 3),
    "declined": ("Failure", 1),
    "busy": ("Failure", 5),
    "unavailable": ("Failure", 0),
    "congestion": ("Failure", 8),
}
NOISE = ("Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n"
         "Event: OriginateResponse\r\nActionID: of-another\r\nResponse: Failure\r\nReason: 0\r\n\r\n")


class FakeAmi:
    """`with FakeAmi() as pbx:` then pbx.port, pbx.calls (the Originate actions), pbx.behaviour.

    `behaviour` is one of OUTCOMES, or: "silent" (nothing after the banner), "mute" (not even that), "holds" (takes
    the call; says what became of it when the story calls release()), "refuses", "drops" (closes instead of an answer
    to the Originate), "floods" (text without end), "ssh" (is something else).
    """

    def __init__(self, behaviour="answered", user=USER, secret=SECRET):
        self.behaviour = behaviour
        self.user, self.secret = user, secret
        self.actions = []
        self.held = threading.Event()
        self.connections = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                owner.count(+1)
                try:
                    owner.serve(self)
                except OSError:
                    pass
                finally:
                    owner.count(-1)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *problem):
        self.held.set()
        self.server.shutdown()
        self.server.server_close()

    def settings(self, **more):
        """For enterprises.settings."""
        return {"ami": {"host": "127.0.0.1", "port": self.port, "user": USER, "secret": SECRET, **more}}

    @property
    def calls(self):
        with self.lock:
            return [action for action in self.actions if action.get("Action") == "Originate"]

    def release(self):
        self.held.set()

    # -- one connection -----------------------------------------------------------------------

    def count(self, change):
        with self.lock:
            self.connections += change
            self.most_at_once = max(self.most_at_once, self.connections)

    @staticmethod
    def read(handler):
        """One action, or None at the end."""
        action = {}
        for line in iter(handler.rfile.readline, b""):
            line = line.rstrip(b"\r\n").decode()
            if not line:
                return action
            name, _, value = line.partition(": ")
            action.setdefault(name, value)
        return None

    def serve(self, handler):
        say = handler.wfile.write
        if self.behaviour == "ssh":
            say(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        elif self.behaviour == "floods":
            while True:
                say(b"x" * 65536)
        elif self.behaviour != "mute":
            say(b"Asterisk Call Manager/5.0.2\r\n")
        while (action := self.read(handler)) is not None:
            with self.lock:
                self.actions.append(action)
            if self.behaviour not in ("silent", "mute", "ssh") and not self.answer(action, say):
                return

    def answer(self, action, say):
        """False: hang up."""
        identity = f"ActionID: {action.get('ActionID', '')}\r\n"

        def respond(response, rest=""):
            say(f"Response: {response}\r\n{identity}{rest}\r\n".encode())
        kind = action.get("Action")
        if kind == "Challenge":
            respond("Success", f"Challenge: {CHALLENGE}\r\n")
        elif kind == "Login":
            respond(*(("Success", "Message: Authentication accepted\r\n") if self.knows(action)
                      else ("Error", "Message: Authentication failed\r\n")))
            say(NOISE.encode())
        elif kind == "Originate":
            return self.originate(identity, respond, say)
        else:
            respond("Goodbye")
            return False
        return True

    def knows(self, action):
        key = hashlib.md5((CHALLENGE + self.secret).encode()).hexdigest()
        return action.get("Username") == self.user and (action.get("Key") == key
                                                        or action.get("Secret") == self.secret)

    def originate(self, identity, respond, say):
        if self.behaviour == "drops":
            return False
        if self.behaviour == "refuses":
            respond("Error", "Message: Permission denied\r\n")
            return True
        respond("Success", "Message: Originate successfully queued\r\n")
        if self.behaviour == "holds":
            self.held.wait(60)
        response, reason = OUTCOMES.get(self.behaviour, OUTCOMES["answered"])
        say((NOISE + f"Event: OriginateResponse\r\nPrivilege: call,all\r\n{identity}Response: {response}\r\n"
             f"Channel: SIP/150\r\nReason: {reason}\r\nUniqueid: 1763740800.7\r\n\r\n").encode())
        return True
