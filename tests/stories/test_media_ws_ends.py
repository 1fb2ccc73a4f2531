"""Ends that nobody planned: PostgreSQL or Redis away, a drain, kill -9; and what a stricter proof asks for."""
import asyncio
import os

import pytest
import requests
import websockets

import raw_http
from fake_twilio import signature
from media_world import PATH, TWILIO_TOKEN, MediaWorld, token
from waiting import wait_until
from websocket_frames import handshake

HOST = "wss://voice.example.com"


def test_a_database_that_goes_away_holds_no_caller(make_stack):
    """Without an outcome hooks asks the caller to leave a message; he must not wait for it in silence. P24: meanwhile
    it is alive and not ready, and says what is away."""
    world = MediaWorld(make_stack(("media-ws",), own_postgres=True))
    call, late = world.call("ws-audio"), world.call("ws-audio")
    with world.stream(call) as stream, world.engine(call) as engine:
        engine.wait_told("hello")
        world.stack.stop_pg()
        before = stream.now_ms()
        engine.tell("hangup")
        assert stream.wait_closed() == 1000
        assert stream.now_ms() - before < 3000
    assert world.metric("callweave_media_unstored_total") >= 1
    with world.stream(late) as stream:
        assert stream.wait_closed(8) == 1011
    ready = requests.get(world.media.url + "/readyz", timeout=5)
    assert ready.status_code == 503 and ready.json()["checks"]["postgresql"] != "ok"
    assert requests.get(world.media.url + "/livez", timeout=1).status_code == 200
    assert world.refused("upstream") == 1
    world.idle()
    world.stack.start_pg()
    wait_until(world.media.ready, 10, "media-ws has its database back")
    assert world.row(call)["outcome"] is None


def test_p21_a_database_that_is_too_old_is_told(make_stack):
    """Not ready until scripts/migrate has run; then it is, without a restart."""
    world = MediaWorld(make_stack(("media-ws",)))
    world.stack.stop("media-ws")
    row = world.stack.sql("DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM "
                          "schema_migrations) RETURNING version, name, checksum")[0]
    world.stack.start("media-ws", wait=False)
    wait_until(lambda: "run scripts/migrate" in world.media.text(), 10, "it says what is to be done")
    ready = requests.get(world.media.url + "/readyz", timeout=5)
    assert ready.status_code == 503 and "run scripts/migrate" in ready.json()["checks"]["postgresql"]
    world.stack.sql("INSERT INTO schema_migrations (version, name, checksum) VALUES (%s, %s, %s)", list(row.values()))
    world.media.wait_ready()
    assert asyncio.run(attempt(world, (call := world.call()), token=token(call))) is None


def test_a_slow_handshake_is_cut(make_stack):
    """Ten seconds for all of it, whether a byte comes now and then or none any more."""
    world = MediaWorld(make_stack(("media-ws",)))
    before = len(os.listdir(f"/proc/{world.media.child.pid}/fd"))
    halves = [raw_http.connect(world.media.port) for _ in range(2)]
    for half, sent in zip(halves, (b"GET " + PATH.encode(), handshake(PATH)[:-2])):
        half.sendall(sent)
    with raw_http.connect(world.media.port) as slow:
        assert raw_http.drip(slow, handshake(PATH)[:-2] + b"X: ", 16) == "cut"
    for half in halves:
        assert raw_http.closed_within(half, 5)
        half.close()
    wait_until(lambda: len(os.listdir(f"/proc/{world.media.child.pid}/fd")) <= before, 5, "descriptors are given back")


async def attempt(world, call, headers=None, **parameters):
    """None when the call is taken, else the close."""
    async with world.raw(call=call, headers=headers) as stream:
        await stream.start(**parameters)
        await stream.media(b"\x55" * 160)
        try:
            await stream.answer()
            return None
        except websockets.ConnectionClosed:
            return stream.socket.close_code, stream.socket.close_reason


def test_p13_without_redis_a_token_is_still_used_once(make_stack):
    world = MediaWorld(make_stack(("media-ws",)))
    world.stack.redis.close()
    call = world.call()
    once = token(call)
    assert asyncio.run(attempt(world, call, token=once)) is None
    assert asyncio.run(attempt(world, call, token=once)) == (1008, "the token was used before")


def test_a_drain_ends_calls_with_a_message(make_stack):
    world = MediaWorld(make_stack(("media-ws",), settings={"CALLWEAVE_MEDIA_WS_DRAIN_MS": "300"}))
    call = world.call("tone")
    with world.stream(call) as stream:
        stream.wait_speaking()
        assert world.media.stop() == 0
        assert stream.wait_closed() == 1001
    assert world.row(call)["outcome"] == {"end": "message", "to": "", "reason": "media-ws ends"}


def test_after_kill_9_there_is_no_outcome_and_the_next_stream_is_taken(make_stack):
    world = MediaWorld(make_stack(("media-ws",)))
    call = world.call("tone")
    with world.stream(call) as stream:
        stream.wait_speaking()
        world.stack.kill9("media-ws")
        assert stream.wait_closed() == 1006
    assert world.row(call)["outcome"] is None
    world.stack.start("media-ws")
    with world.stream(call) as stream:
        stream.wait_speaking()


def test_p13_both_proofs_when_the_settings_ask_for_both(make_stack):
    world = MediaWorld(make_stack(("media-ws",), settings={
        "CALLWEAVE_MEDIA_WS_PROOF": "both", "CALLWEAVE_MEDIA_WS_PUBLIC_URL": HOST}))
    right = {"x-twilio-signature": signature(HOST + PATH, TWILIO_TOKEN)}
    wrong = {"x-twilio-signature": signature(HOST + PATH, "x")}
    call = world.call()
    with pytest.raises(websockets.InvalidStatusCode, match="403"):
        asyncio.run(attempt(world, call, token=token(call)))
    assert asyncio.run(attempt(world, call, right)) == (1008, "no token")
    assert asyncio.run(attempt(world, call, wrong, token=token(call)))[0] == 1008
    assert asyncio.run(attempt(world, call, right, token=token(call))) is None
    assert world.refused("signature") == 2


def test_too_many_streams_are_told_to_come_back(make_stack):
    world = MediaWorld(make_stack(("media-ws",), settings={"CALLWEAVE_MEDIA_WS_MAX_STREAMS": "2"}))

    async def story():
        async with world.raw(), world.raw():
            with pytest.raises(websockets.InvalidStatusCode, match="503"):
                await world.raw().__aenter__()
    asyncio.run(story())
    world.idle()
    assert asyncio.run(attempt(world, (call := world.call()), token=token(call))) is None
