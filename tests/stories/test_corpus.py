"""Every sequence of the corpus through the whole suite becomes exactly its calls, at any speed and in any company."""
from concurrent.futures import ThreadPoolExecutor

import pytest

import corpus
from stack import UNLIMITED
from waiting import wait_until

SCENARIOS = corpus.scenarios()
EXPECTED = corpus.expected()
# How fast, and whether all go on at once between the same extensions and lines of one enterprise.
WAYS = {"hundredfold": (0.01, False), "real speed": (1, False), "one tenant": (0.05, True)}


# Two rows were taken over from the captures of the same calls; the emulator's own dial names other phones, and no other event
# of the sequence names 150 in 2-23. A call rang who was dialled.
DIALLED = {"2-18/emulator": ["151", "152", "150"], "2-23/emulator": ["300", "151", "152"]}


class Play:
    """One scenario, sent once and looked at by many tests."""

    def __init__(self, stack, number, name, shared):
        self.stack = stack
        self.name = name
        self.enterprise = "C000" if shared else f"C{number:03d}"
        self.token = f"token-{self.enterprise}"
        self.owner, self.group = (500_000, -700_000) if shared else (500_000 + number, -(700_000 + number))
        self.instance = corpus.Instance(name, SCENARIOS[name], self.token, number)
        self.unique_ids = {body["UniqueId"] for _, _, body in self.instance.events if body.get("UniqueId")}

    def insert(self):
        self.stack.enterprise(self.enterprise, name2=self.token, chat_id=self.owner, subscribers=[self.group],
                              bot_token=f"{self.owner}:AA{self.enterprise:_>33}")

    def send(self, scale):
        self.instance.send(self.stack.post, scale)

    def calls(self):
        """Those that have any UniqueId of ours: another scenario's call must have none."""
        return [call for call in self.stack.calls(self.enterprise) if self.unique_ids & set(call["unique_ids"])]

    def shown(self, chat):
        """The texts of our calls that stand in a chat."""
        ids = [call["call_id"] for call in self.calls()]
        rows = self.stack.sql("SELECT message_id FROM telegram_messages WHERE chat_id = %s AND call_id = ANY (%s)", [chat, ids])
        ours = {row["message_id"] for row in rows}
        return [message["text"] for message in self.stack.messages(chat) if message["message_id"] in ours]


@pytest.fixture(scope="module", params=WAYS)
def plays(module_stack, request):
    """All scenarios at once; gives {name: Play} when everything has come to rest."""
    scale, shared = WAYS[request.param]
    stack = module_stack(settings=UNLIMITED)
    played = {name: Play(stack, number, name, shared) for number, name in enumerate(SCENARIOS)}
    for play in list(played.values())[:1 if shared else None]:
        play.insert()
    stack.start_all()
    stack.no_limits()
    with ThreadPoolExecutor(len(played)) as pool:
        list(pool.map(lambda play: play.send(scale), played.values()))
    stack.wait_quiet(120)
    return played


@pytest.mark.parametrize("name", EXPECTED)
def test_the_calls_are_exactly_as_expected(plays, name):
    play = plays[name]
    wanted = play.instance.expects(EXPECTED[name])["calls"]
    if name in DIALLED:
        wanted[0]["rang"] = DIALLED[name]
    wait_until(lambda: all(call["state"] == "ended" for call in play.calls()), 30, lambda: f"all ended: {play.calls()}")
    reports = play.calls()
    assert len(reports) == len(wanted), reports
    found = [corpus.differences(call, report) for call, report in zip(wanted, reports)]
    assert not any(found), found


@pytest.mark.parametrize("name", EXPECTED)
def test_each_chat_has_exactly_the_final_messages(plays, name):
    play = plays[name]
    wanted = EXPECTED[name]["final_messages_per_chat"]
    final = "✅" if EXPECTED[name]["calls"][0]["answered"] else "❌"
    for chat in (play.owner, play.group):
        wait_until(lambda: all(text.startswith(final) for text in play.shown(chat)), 30,
                   lambda: f"only final texts: {play.shown(chat)}")
        assert len(play.shown(chat)) == wanted, play.shown(chat)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_event_is_kept_and_no_chat_has_more_messages_than_calls(plays, name):
    play = plays[name]
    stored = play.stack.sql("SELECT event_type FROM call_events WHERE enterprise_number = %s"
                            " AND unique_id = ANY (%s) ORDER BY tx, id", [play.enterprise, list(play.unique_ids)])
    assert [row["event_type"] for row in stored] == [event for event, _, body in play.instance.events if body.get("UniqueId")]
    assert len(play.shown(play.owner)) <= max(1, len(play.calls()))


def test_services_are_healthy_after_the_whole_corpus(plays):
    stack = next(iter(plays.values())).stack
    wait_until(lambda: stack.assert_healthy() or True, 5)
    dead = stack.sql("SELECT * FROM outbox WHERE state IN ('dead', 'unknown')")
    assert not dead, dead
    messages = sum(EXPECTED[name]["final_messages_per_chat"] for name in EXPECTED) + len(set(SCENARIOS) - set(EXPECTED))
    owners = {play.owner for play in plays.values()}
    assert sum(len(stack.messages(owner)) for owner in owners) == messages
