"""A wire to PostgreSQL that can be made deaf: what goes up arrives, what comes back is swallowed, then it is cut.

So a commit happens and its answer is lost, every time and not only by luck.
"""
import socket
import threading
from urllib.parse import urlsplit


class CutProxy:
    def __init__(self, url):
        place = urlsplit(url)
        self.upstream = (place.hostname, place.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = url.replace(f":{place.port}", f":{self.listener.getsockname()[1]}")
        self.lock = threading.Lock()
        self.pairs = []
        self.deaf = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.upstream)
            except OSError:
                return
            with self.lock:
                self.pairs.append((client, server))
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source, target, downward):
        try:
            while data := source.recv(65536):
                if not (downward and self.deaf.is_set()):
                    target.sendall(data)
        except OSError:
            pass
        for sock in (source, target):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def swallow_answers(self):
        self.deaf.set()

    def cut(self):
        """End every connection; new ones work again."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for client, server in pairs:
            for sock in (client, server):
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.deaf.clear()

    def close(self):
        self.listener.close()
        self.cut()
