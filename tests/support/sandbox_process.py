"""A sandbox on its own, for the tests that are about it."""
import requests

from process import Process

TOKEN = "1001:AAsandbox-test"
OTHER = "1002:AAsandbox-test"


class Sandbox(Process):
    def __init__(self, folder):
        super().__init__("sandbox", folder, {})

    def api(self, method, token=TOKEN, timeout=10, **parameters):
        return requests.post(f"{self.url}/bot{token}/{method}", json=parameters, timeout=timeout)

    def result(self, method, **parameters):
        answer = self.api(method, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def refused(self, method, **parameters):
        """The error's description; the code in the body is the status."""
        answer = self.api(method, **parameters)
        body = answer.json()
        assert body["ok"] is False and body["error_code"] == answer.status_code, answer.text
        return f"{answer.status_code} {body['description']}"

    def tell(self, what, **body):
        answer = requests.post(f"{self.url}/_sandbox/{what}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, what, **query):
        return requests.get(f"{self.url}/_sandbox/{what}", params=query, timeout=10).json()

    def messages(self, chat_id=None):
        return self.ask("telegram/messages", **({} if chat_id is None else {"chat_id": chat_id}))
