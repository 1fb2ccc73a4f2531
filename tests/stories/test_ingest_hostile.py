"""A hundred thousand random and mutated requests, and clients that are slow, half open or too many."""
import random
import socket
import threading
import time
from pathlib import Path

import pytest

import raw_http
from process import ROOT
from waiting import wait_until

TOKEN = "375290000367"
REQUESTS = 100_000
A_CONNECTION = 30
PATHS = ("start", "dial", "bridge", "hangup", "bridge_create", "bridge_leave", "bridge_destroy", "new_callerid",
         "", "nothing", "metrics", "readyz", "openapi.json", "dial/../x", "%64ial", "dial?x=1")


@pytest.fixture(scope="module")
def world(module_stack):
    stack = module_stack(services=("ingest",)).start_all()
    stack.enterprise("0367", name2=TOKEN)
    return stack


def bodies():
    """Bodies of real events, to be spoiled."""
    lines = Path(ROOT / "tests" / "corpus" / "calls.jsonl").read_text().splitlines()
    return [line.encode()[:4000] for line in lines[:200]] + [
        b'{"Token": "375290000367", "UniqueId": "1757840723.6", "Extensions": ["151"], "CallType": 0}',
        b'{"Token": "nobody", "UniqueId": "1757840723.6"}']


def mutate(chance, data):
    data = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        kind = chance.randrange(6)
        at = chance.randrange(len(data)) if data else 0
        if kind == 0 and data:
            data[at] = chance.randrange(256)
        elif kind == 1:
            data[at:at] = chance.choice((b'"', b"{", b"[", b"\\u0000", b"\xff", b"}", b",,", b"1e999", b"\r\n\r\n"))
        elif kind == 2:
            del data[at:at + chance.randrange(1, 40)]
        elif kind == 3:
            data += data[:chance.randrange(1, 200)]
        elif kind == 4:
            data = data[:at]
        else:
            data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 30)))
    return bytes(data)


def one_request(chance, seeds):
    """Mostly a spoiled body in a sound request; now and then a spoiled request."""
    kind = chance.random()
    body = chance.choice(seeds)
    if kind > 0.15:
        body = mutate(chance, body)
    headers = [b"Host: x"]
    if kind > 0.9:
        headers.append(b"Idempotency-Key: " + bytes(chance.randrange(32, 256) for _ in range(chance.randrange(0, 12))))
    length = len(body) if kind < 0.99 else chance.choice((0, 10**9, -1, len(body) + 7, 2**70))
    method = chance.choice((b"POST",) * 20 + (b"GET", b"HEAD", b"OPTIONS", b"BREW"))
    head = b"%s /%s HTTP/1.1\r\n%s\r\nContent-Length: %d\r\n\r\n" % (
        method, chance.choice(PATHS).encode(), b"\r\n".join(headers), length)
    data = head + body
    return mutate(chance, data) if kind < 0.02 else data


def exchange(port, data):
    """Send it all and read until the server has said all; how many answers came."""
    answers = 0
    try:
        with raw_http.connect(port) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            while received := sock.recv(1 << 20):
                answers += received.count(b"HTTP/1.1 ")
    except OSError:
        pass  # a spoiled request ends its connection
    return answers


def throw(port, seed, answers, seeds):
    """Requests in a row on one connection after another, until so many were answered."""
    chance = random.Random(seed)
    while answers > 0:
        got = exchange(port, b"".join(one_request(chance, seeds) for _ in range(A_CONNECTION)))
        assert got > 0, "the server answers nothing any more"
        answers -= got


def test_a_hundred_thousand_random_and_mutated_requests(world, request):
    seed = request.config.getoption("--seed")
    seed = random.randrange(2**32) if seed is None else seed
    print(f"--seed {seed}")
    service = world.services["ingest"]
    seeds = bodies()
    threads = [threading.Thread(target=throw, args=(service.port, seed + i, REQUESTS // 8, seeds)) for i in range(8)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{REQUESTS} requests in {time.monotonic() - began:.1f} s")
    world.assert_healthy()
    answer = world.post("dial", {"Token": TOKEN, "UniqueId": "after.1"})
    assert answer.status_code == 200
    assert len(world.sql("SELECT 1 FROM call_events WHERE unique_id = 'after.1'")) == 1
    committed = service.metric("callweave_events_committed_total")
    assert committed == world.sql("SELECT count(*) AS n FROM call_events")[0]["n"]


HALVES = (b"PO", b"POST /dial HTTP/1.1\r\n", b"POST /dial HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")


def test_clients_that_do_not_go_on_or_drip_are_cut(world):
    """After 10 s in all, whatever they send meanwhile."""
    port = world.services["ingest"].port
    halves = [raw_http.connect(port) for _ in HALVES]
    with raw_http.connect(port) as slow:
        for sock, data in zip(halves, HALVES):
            sock.sendall(data)
        assert raw_http.drip(slow, b"POST /dial HTTP/1.1\r\nHost: x\r\nX: ", 16) == "cut"
    for sock, data in zip(halves, HALVES):
        assert raw_http.closed_within(sock, 5), f"{data} holds its place"
        sock.close()


def test_an_event_whose_client_goes_away_is_stored_all_the_same(world):
    body = b'{"Token": "375290000367", "UniqueId": "gone.1"}'
    with raw_http.connect(world.services["ingest"].port) as sock:
        sock.sendall(raw_http.request("/dial", body))
    wait_until(lambda: world.sql("SELECT 1 FROM call_events WHERE unique_id = 'gone.1'"), 10, "it is stored")


def test_many_open_connections_leave_room_for_work(world):
    port = world.services["ingest"].port
    idle = [raw_http.connect(port) for _ in range(500)]
    try:
        assert world.post("dial", {"Token": TOKEN, "UniqueId": "crowd.1"}).ok
    finally:
        for sock in idle:
            sock.close()
