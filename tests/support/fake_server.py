"""What fake services share: an HTTP server on a port of its own that can go away and come back."""
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeServer:
    """`with Fake() as fake:` then fake.url. A subclass answers in serve(handler), one thread a connection."""

    METHODS = ("POST",)

    def __init__(self):
        self.lock = threading.Lock()
        self.connections = []
        self.server = None
        self.port = 0  # the system's choice, and the same from then on
        self._listen()

    def serve(self, handler):
        raise NotImplementedError

    @staticmethod
    def body(handler):
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))

    @staticmethod
    def reply(handler, status, body, headers=None):
        """Bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        usual = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        for name, value in {**usual, **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    # -- there and away -----------------------------------------------------------------------

    def _listen(self):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

        for method in self.METHODS:
            setattr(Handler, f"do_{method}", lambda handler: owner.serve(handler))

        class Server(ThreadingHTTPServer):
            request_queue_size = 256

            def process_request(self, request, client_address):
                with owner.lock:
                    owner.connections.append(request)
                super().process_request(request, client_address)

            def handle_error(self, request, client_address):
                if not isinstance(sys.exc_info()[1], OSError):  # who asked may have gone before the answer
                    super().handle_error(request, client_address)

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        if self.server is None:
            self._listen()
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """As a process that ended: nobody listens, open connections are closed. start() has the same port."""
        if self.server is None:
            return
        self.server.shutdown()
        self.server.server_close()
        self.server = None
        with self.lock:
            for connection in self.connections:  # kept alive, they would go on answering
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.connections.clear()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *problem):
        self.stop()
