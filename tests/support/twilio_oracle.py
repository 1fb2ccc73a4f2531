"""Twilio's own npm library, asked in bulk: how it signs, what it takes for genuine, and what TwiML it writes."""
import json
import subprocess
import xml.etree.ElementTree as tree
from pathlib import Path

from npm_folder import npm_folder

HERE = Path(__file__).resolve().parent / "twilio_npm"
PROLOG = '<?xml version="1.0" encoding="UTF-8"?>'


def ask(program, questions):
    folder = npm_folder(HERE, "sign.mjs", "twiml.mjs")
    lines = "\n".join(json.dumps(question) for question in questions) + "\n"
    done = subprocess.run(["node", program], cwd=folder, input=lines, text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(questions)
    return answers


def sign(questions):
    return ask("sign.mjs", questions)


def _node(element):
    return {"name": element.tag, "attributes": dict(element.attrib), "text": element.text or "",
            "children": [_node(child) for child in element]}


def rewritten(documents):
    """Each document of ours, as npm's VoiceResponse writes the same verbs."""
    return ask("twiml.mjs", [[_node(verb) for verb in tree.fromstring(document)] for document in documents])
