"""speech speaks and hears: four languages, narrow questions in English, and nothing where nothing was said (P29)."""
import base64
import concurrent.futures
import http.client
import json
import time

import pytest
import requests

import voices
from process import ASAN_OPTIONS

MENU = ["opening hours", "information", "operator", "leave a message", "yes", "no"]


@pytest.fixture(scope="module")
def speech(module_stack):
    # What a sanitizer keeps of freed memory would hide what is never given back.
    return module_stack(("speech",), settings={"ASAN_OPTIONS": ASAN_OPTIONS + ":quarantine_size_mb=1"}).start_all()


def speak(speech, accept="audio/basic", **order):
    return requests.post(speech.url("speech") + "/speak", json=order, headers={"Accept": accept}, timeout=20)


def recognise(speech, audio, **question):
    answer = requests.post(speech.url("speech") + "/recognise", timeout=30, json={
        "audio": base64.b64encode(audio).decode(), **question})
    assert answer.status_code == 200, answer.text
    return answer.json()


def said(text, voice="slt"):
    return voices.silence(200) + voices.flite(text, voice) + voices.silence(300)


# -- speaking ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language, text", [
    ("en", "Good day. How can I help you?"), ("fr", "Bonjour. Que puis-je faire pour vous ?"),
    ("ru", "Добрый день. Чем я могу помочь?"), ("he", "שלום. איך אפשר לעזור?")])
def test_it_speaks_four_languages(speech, language, text):
    answer = speak(speech, text=text, language=language)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "audio/basic"
    assert 8000 < len(answer.content) < 60000  # one to seven seconds
    assert voices.rms(answer.content) > 500 and voices.clipped(answer.content) < 0.001


def test_a_wave_file_is_whole(speech, tmp_path):
    answer = speak(speech, "audio/wav", text="One. Two.", language="en")
    assert answer.headers["Content-Type"] == "audio/wav" and answer.content[:4] == b"RIFF"
    assert int.from_bytes(answer.content[4:8], "little") == len(answer.content) - 8
    assert int.from_bytes(answer.content[20:22], "little") == 7  # mu-law
    assert int.from_bytes(answer.content[24:28], "little") == 8000


def test_the_first_sentence_does_not_wait_for_the_last(speech):
    connection = http.client.HTTPConnection("127.0.0.1", speech.services["speech"].port, timeout=20)
    text = "Hello. " + " ".join("This is a sentence that goes on for quite a while, number nine." for _ in range(30))
    began = time.monotonic()
    connection.request("POST", "/speak", json.dumps({"text": text[:1990], "language": "en"}))
    answer = connection.getresponse()
    assert answer.read(800)
    first = time.monotonic() - began
    answer.read()
    assert first < (time.monotonic() - began) / 2
    connection.close()


def test_what_cannot_be_spoken_is_told(speech):
    for order, words in (({"text": " "}, "text: empty"), ({}, "text: missing"),
                         ({"text": "x" * 2001}, "longer than 2000"),
                         ({"text": "x", "language": "de"}, 'no voice for "de"'),
                         ({"text": "x", "rate": 1000}, "rate: 80"),
                         ({"text": "x", "voice": "../../etc/passwd"}, "not a name"),
                         ({"text": "x", "voice": "quatsch"}, 'no "quatsch"')):
        answer = speak(speech, **order)
        assert answer.status_code == 422 and words in answer.json()["detail"], answer.text


# -- hearing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("voice", voices.FLITE)
def test_a_menu_is_understood(speech, voice):
    for place, phrase in enumerate(MENU):
        heard = recognise(speech, said(phrase, voice), phrases=MENU)
        assert (heard["text"], heard["phrase"]) == (phrase, place) and heard["confidence"] > 0.35, (phrase, heard)


def test_yes_no_and_digits(speech):
    assert recognise(speech, said("yes please", "rms"), yes_no=True)["text"] == "yes"
    assert recognise(speech, said("no", "kal16"), yes_no=True)["phrase"] == 1
    heard = recognise(speech, said("nine four zero seven", "rms"), digits=4)
    assert heard["text"] == "9407" and "phrase" not in heard


@pytest.mark.parametrize("voice", ["slt", "awb"])
def test_p29_other_words_are_no_answer(speech, voice):
    for text in ("banana split", "the weather is nice today", "nine four zero seven", "thank you"):
        heard = recognise(speech, said(text, voice), phrases=MENU)
        assert (heard["text"], heard["confidence"]) == ("", 0), (text, heard)


def test_p29_noise_and_silence_are_no_answer(speech):
    for audio in (voices.silence(2000), b"\x00\x80" * 4000, voices.noise(1500, 30), voices.noise(1500, 300),
                  voices.silence(300) + voices.noise(1200, 3000) + voices.silence(300)):
        for question in ({"yes_no": True}, {"phrases": MENU}, {"digits": 3}):
            heard = recognise(speech, audio, **question)
            assert (heard["text"], heard["confidence"]) == ("", 0), (len(audio), question, heard)


def test_it_hears_through_noise(speech):
    audio = voices.mixed(said("opening hours", "rms"), voices.noise(3000, 100))
    assert recognise(speech, audio, phrases=MENU)["text"] == "opening hours"


def test_what_cannot_be_asked_is_told(speech):
    audio = base64.b64encode(b"\xff" * 800).decode()
    for body, words in (({"audio": audio}, "one of phrases"), ({"audio": audio, "yes_no": True, "digits": 3}, "one of"),
                        ({"yes_no": True}, "audio: missing"), ({"audio": "!", "yes_no": True}, "base64"),
                        ({"audio": "", "yes_no": True}, "base64"),
                        ({"audio": audio, "phrases": ["oui!"]}, "phrases[0]"),
                        ({"audio": audio, "phrases": ["yes", "brblx"]}, '"brblx" is not in the English dictionary'),
                        ({"audio": base64.b64encode(b"\xff" * 80001).decode(), "yes_no": True}, "at most 10 s")):
        answer = requests.post(speech.url("speech") + "/recognise", json=body, timeout=10)
        assert answer.status_code == 422 and words in answer.json()["detail"], answer.text


def test_many_at_once_are_bounded(speech):
    """Each is answered or told to come back; nobody waits for ever, and it goes on afterwards."""
    audio = said("operator", "rms")
    body = {"audio": base64.b64encode(audio).decode(), "phrases": MENU}

    def ask(_):
        return requests.post(speech.url("speech") + "/recognise", json=body, timeout=60).status_code
    with concurrent.futures.ThreadPoolExecutor(48) as pool:
        codes = list(pool.map(ask, range(48)))
    assert set(codes) <= {200, 503} and codes.count(200) >= 32
    assert recognise(speech, audio, phrases=MENU)["text"] == "operator"
    speech.assert_healthy()


def test_memory_stays_where_it_was(speech):
    """Grammars and voices are set for each request, and none of them stays."""
    def once(round):
        recognise(speech, voices.flite("yes", "kal16"), phrases=["yes", "no", "operator", "order"][:2 + round % 3])
        speak(speech, text="One moment, please.", language=("en", "fr", "ru", "he")[round % 4])
    for round in range(10):
        once(round)
    before = speech.services["speech"].resident_kib()
    for round in range(30):
        once(round)
    assert speech.services["speech"].resident_kib() - before < 8192
