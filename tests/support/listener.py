"""Who listens to a call's audio and knows what may be said there: which of it was it?"""
import functools

import requests

import voices


class Listener:
    """`texts`: what may be heard, each a tuple of what is said in one go. It knows the words by how `speech` says them."""

    def __init__(self, speech, texts, filler, language="en"):
        self.speech, self.texts, self.filler, self.language = speech, texts, filler, language

    @functools.lru_cache(maxsize=None)
    def spoken(self, words):
        answer = requests.post(self.speech + "/speak", json={"text": words, "language": self.language}, timeout=20)
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "audio/basic", answer.text
        return answer.content

    def words(self, audio):
        """What a listener understands: which of all that may be said, or nothing of it. On a busy machine an answer
        may take so long that a filler is said before it."""
        likeness = {texts: max(voices.alike(audio, b"".join(map(self.spoken, said)))
                               for said in (texts, (self.filler, *texts))) for texts in self.texts}
        best = max(likeness, key=likeness.get)
        return best if likeness[best] > 0.75 else (likeness[best], best)
