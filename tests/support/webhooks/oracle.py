"""The libraries with which receivers check Standard Webhooks (npm), and a receiver that keeps what came.

They are installed once a lockfile, into ~/.cache/callweave: `npm ci` compares each with its checksum.
"""
import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from npm_folder import npm_folder

HERE = Path(__file__).resolve().parent


def verify(questions):
    """For each {"secret", "headers", "body"}: {library: "" or why it refuses}."""
    lines = "\n".join(json.dumps(question) for question in questions) + "\n"
    done = subprocess.run(["node", "verify.mjs"], cwd=npm_folder(HERE, "verify.mjs"), input=lines, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(questions)
    return answers


class Receiver:
    """`with Receiver() as crm:` keeps path, headers and the very bytes of each request; answers `crm.plan`."""

    def __init__(self):
        self.came = []
        self.plan = {"status": 200, "headers": {}, "body": b""}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                plan = owner.plan  # one for the whole answer, whatever a story says meanwhile
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                owner.came.append({"path": self.path, "headers": headers, "body": body.decode()})
                self.send_response(plan["status"])
                for name, value in plan["headers"].items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(plan["body"])))
                self.end_headers()
                self.wfile.write(plan["body"])

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *reason):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, status, body=b"", **headers):
        self.plan = {"status": status, "headers": {name.replace("_", "-"): value for name, value in headers.items()},
                     "body": body}
