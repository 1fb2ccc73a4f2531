"""Every sequence of the corpus through the whole suite; the simple ones become exactly their call."""
from concurrent.futures import ThreadPoolExecutor

import pytest

import corpus
from waiting import wait_until

SCENARIOS = corpus.scenarios()
EXPECTED = corpus.expected()
SIMPLE = [name for name in SCENARIOS if name in EXPECTED and corpus.SIMPLE.match(name)]
SCALE = 0.02  # 2 s become 40 ms


class Play:
    """One scenario with a tenant of its own: sent once, looked at by many tests."""

    def __init__(self, stack, number, name):
        self.stack = stack
        self.name = name
        self.enterprise = f"C{number:03d}"
        self.token = f"token-{self.enterprise}"
        self.owner, self.group = 500_000 + number, -(700_000 + number)
        self.instance = corpus.Instance(name, SCENARIOS[name], self.token, number)

    def insert(self):
        self.stack.enterprise(self.enterprise, name2=self.token, chat_id=self.owner, subscribers=[self.group],
                              bot_token=f"{self.owner}:AA{self.enterprise:_>33}")

    def send(self):
        self.instance.send(self.stack.post, SCALE)


@pytest.fixture(scope="module")
def plays(module_stack):
    """All scenarios at once, each a tenant; gives {name: Play} when everything has come to rest."""
    stack = module_stack()
    played = {name: Play(stack, number, name) for number, name in enumerate(SCENARIOS)}
    for play in played.values():
        play.insert()
    stack.start_all()
    stack.no_limits()
    with ThreadPoolExecutor(len(played)) as pool:
        list(pool.map(Play.send, played.values()))
    stack.wait_quiet(60)
    return played


@pytest.mark.parametrize("name", SIMPLE)
def test_the_call_is_exactly_as_expected(plays, name):
    play = plays[name]
    wanted = play.instance.expects(EXPECTED[name])["calls"]
    reports = play.stack.calls(play.enterprise)
    assert len(reports) == len(wanted), reports
    found = [corpus.differences(call, report) for call, report in zip(wanted, reports)]
    assert not any(found), found
    assert all(report["state"] == "ended" for report in reports), reports


@pytest.mark.parametrize("name", SIMPLE)
def test_each_chat_has_exactly_the_final_messages(plays, name):
    play = plays[name]
    wanted = EXPECTED[name]["final_messages_per_chat"]
    for chat in (play.owner, play.group):
        messages = play.stack.messages(chat)
        assert len(messages) == wanted, messages
        final = "✅" if EXPECTED[name]["calls"][0]["answered"] else "❌"
        assert all(message["text"].startswith(final) for message in messages), messages


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - set(SIMPLE)))
def test_any_other_sequence_is_kept_whole_and_tells_no_nonsense(plays, name):
    play = plays[name]
    stored = play.stack.sql("SELECT event_type FROM call_events WHERE enterprise_number = %s ORDER BY tx, id",
                            [play.enterprise])
    assert [row["event_type"] for row in stored] == [row["event"] for row in SCENARIOS[name]]
    calls = play.stack.calls(play.enterprise)
    assert len(play.stack.messages(play.owner)) <= max(1, len(calls))


def test_services_are_healthy_after_the_whole_corpus(plays):
    stack = next(iter(plays.values())).stack
    wait_until(lambda: stack.assert_healthy() or True, 5)
    dead = stack.sql("SELECT * FROM outbox WHERE state IN ('dead', 'unknown')")
    assert not dead, dead
