"""SIGTERM, most of it over HTTP/2: what has begun is answered, nothing new is taken, and nobody holds up the end."""

import signal
import socket
import time

import pytest

from support.http2_wire import Http2Wire
from support.rest import Rest, tls_context

JSON = ("content-type", "application/json")
EVERYTHING = 2**31 - 1
END = 12  # seconds for an orderly end: whatever is held up takes the 15 of the limit


@pytest.fixture
def alone(new_node, identities):
    return new_node(users=False, options=["--chunk-size", 200_000])


def stop(node) -> float:
    node.process.send_signal(signal.SIGTERM)
    return time.monotonic()


def chunk_path(node, identities) -> str:
    """A committed file of about 200 kB."""
    rest = Rest(node, identities.admin)
    assert rest.append("small").status == 200
    for _ in range(3):
        last = rest.append("x" * 180_000)
        assert last.status == 200
    path = rest.get(f"/node/ledger-chunk?since={int(last.transaction_id.split('.')[1]) - 4}").headers["location"]
    rest.close()
    return path


@pytest.mark.parametrize("answers_pings", [True, False])
def test_a_request_in_progress_is_answered(alone, identities, answers_pings):
    wire = Http2Wire(alone, identities.admin, answers_pings=answers_pings)
    wire.call(1, "POST", "/app/transactions", JSON, ends=False)
    wire.data(1, b'{"contents"', ends=False)
    time.sleep(1)
    stop(alone)
    assert wire.read_until(lambda wire: wire.goaways == [EVERYTHING, EVERYTHING, 1][: 2 + answers_pings])
    assert not wire.read_until(lambda wire: wire.closed, 0.5), "an answer was in progress"
    wire.data(1, b':"x"}')
    assert wire.read_until(lambda wire: wire.streams[1].ended), wire.streams
    assert wire.streams[1].status == 200 and wire.streams[1].is_whole
    written = dict(wire.streams[1].fields)["x-ms-ccf-transaction-id"]
    begun = time.monotonic()
    assert wire.read_until(lambda wire: wire.closed)
    wire.close()
    alone.process.wait(END)
    assert time.monotonic() - begun < END
    alone.start()
    assert Rest(alone, identities.admin).get(f"/app/transactions/{written}").json()["entry"]["contents"] == "x"


def test_every_write_in_progress_is_answered(alone, identities):
    wire = Http2Wire(alone, identities.admin)
    wire.call(1, "GET", "/node/state")
    assert wire.read_until(lambda wire: wire.streams[1].ended)
    numbers = range(3, 123, 2)
    for number in numbers:
        wire.call(number, "POST", "/app/transactions?waitForCommit=true", JSON, ends=False)
        wire.data(number, b'{"contents":"%d"}' % number)
    # One answer says that they are being worked on.
    assert wire.read_until(lambda wire: any(wire.streams[number].ended for number in numbers))
    stop(alone)
    wire.read_until(lambda wire: wire.closed)
    wire.close()
    taken = [number for number in numbers if number <= wire.goaways[-1]]
    assert len(taken) > 1
    answers = {number: (wire.streams[number].status, wire.streams[number].is_whole) for number in taken}
    assert set(answers.values()) == {(200, True)}, answers
    alone.process.wait(END)


@pytest.mark.parametrize("answers_pings", [True, False])
def test_a_download_in_progress_comes_to_its_end(alone, identities, answers_pings):
    path = chunk_path(alone, identities)
    wire = Http2Wire(alone, identities.admin, window=10_000, answers_pings=answers_pings)
    wire.call(1, "GET", path)
    assert wire.read_until(lambda wire: len(wire.streams[1].body) == 10_000), wire.streams
    stop(alone)
    assert wire.read_until(lambda wire: wire.goaways)
    # In steps, so that the end of the body is handed to the library long before the client lets it through.
    while not wire.closed and not wire.streams[1].ended and wire.streams[1].reset is None:
        wire.grant(1, 20_000)
        wire.read_until(lambda wire: wire.streams[1].ended, 0.1)
    stream = wire.streams[1]
    assert stream.is_whole and len(stream.body) == int(dict(stream.fields)["content-length"]) > 100_000, stream
    assert wire.read_until(lambda wire: wire.closed)
    wire.close()
    alone.process.wait(END)


@pytest.mark.parametrize("ends_before", [True, False])
def test_the_end_of_an_answer_waits_for_the_client(alone, identities, ends_before):
    """The node has written all of it; the client lets the last bytes through when the node is stopping."""
    path = chunk_path(alone, identities)
    wire = Http2Wire(alone, identities.admin, window=10_000)
    wire.call(1, "GET", path)
    assert wire.read_until(lambda wire: len(wire.streams[1].body) == 10_000)
    length = int(dict(wire.streams[1].fields)["content-length"])
    if not ends_before:
        stop(alone)
    wire.grant(1, length - 10_000 - 100)
    assert wire.read_until(lambda wire: len(wire.streams[1].body) == length - 100)
    if ends_before:
        stop(alone)
    # All of the farewell is over, and only the answer is left.
    assert wire.read_until(lambda wire: wire.goaways[-1:] == [1])
    assert not wire.read_until(lambda wire: wire.closed or wire.streams[1].reset is not None, 0.5), wire.streams
    wire.grant(1, 100)
    assert wire.read_until(lambda wire: wire.streams[1].ended), wire.streams
    assert wire.streams[1].is_whole and len(wire.streams[1].body) == length
    wire.close()
    alone.process.wait(END)


def test_nothing_new_is_taken_after_the_last_goaway(alone, identities):
    path = chunk_path(alone, identities)
    wire = Http2Wire(alone, identities.admin, window=10_000)
    wire.call(1, "GET", path)
    assert wire.read_until(lambda wire: len(wire.streams[1].body) == 10_000)
    stop(alone)
    assert wire.read_until(lambda wire: wire.goaways[-1:] == [1])
    wire.call(3, "GET", "/node/state")
    wire.read_until(lambda wire: wire.streams[3].ended, 0.5)
    wire.grant(1, 1 << 30)
    assert wire.read_until(lambda wire: wire.streams[1].ended)
    assert wire.streams[1].is_whole and wire.streams[3].status is None, wire.streams
    wire.close()
    alone.process.wait(END)


def test_a_request_that_was_on_its_way_is_answered(alone, identities):
    path = chunk_path(alone, identities)
    wire = Http2Wire(alone, identities.admin, window=10_000)
    wire.call(1, "GET", path)
    assert wire.read_until(lambda wire: len(wire.streams[1].body) == 10_000)
    stop(alone)
    assert wire.read_until(lambda wire: wire.goaways == [EVERYTHING])
    wire.call(3, "POST", "/app/transactions", JSON, ends=False)
    wire.data(3, b'{"contents":"just in time"}')
    assert wire.read_until(lambda wire: wire.streams[3].ended)
    assert wire.read_until(lambda wire: wire.goaways[-1:] == [3])
    wire.grant(1, 1 << 30)
    assert wire.read_until(lambda wire: wire.streams[1].ended)
    assert wire.streams[1].is_whole and wire.streams[3].is_whole and wire.streams[3].status == 200, wire.streams
    wire.close()
    alone.process.wait(END)


@pytest.mark.parametrize("answers_pings", [True, False])
@pytest.mark.parametrize("has_asked", [True, False])
def test_an_idle_connection_does_not_hold_up_the_end(alone, identities, answers_pings, has_asked):
    wire = Http2Wire(alone, identities.admin, answers_pings=answers_pings)
    if has_asked:
        wire.call(1, "GET", "/node/state")
        assert wire.read_until(lambda wire: wire.streams[1].ended)
    begun = stop(alone)
    wire.read_until(lambda wire: wire.closed)
    alone.process.wait(END)
    assert time.monotonic() - begun < END
    wire.close()


@pytest.mark.parametrize("answered_before", [True, False])
def test_a_body_that_nobody_reads_does_not_hold_up_the_end(new_node, identities, answered_before):
    node = new_node(users=False, options=["--max-body-size", 1024])
    wire = Http2Wire(node, identities.admin)
    wire.call(1, "POST", "/app/transactions", JSON, ends=False)
    if not answered_before:
        time.sleep(1)
        stop(node)
        assert wire.read_until(lambda wire: wire.goaways[-1:] == [1])
    wire.data(1, b'{"contents":"' + b"x" * 2000, ends=False)
    assert wire.read_until(lambda wire: wire.streams[1].ended), wire.streams
    assert wire.streams[1].status == 413 and b"error" in wire.streams[1].body
    if answered_before:
        stop(node)
    begun = time.monotonic()
    wire.read_until(lambda wire: wire.closed)
    wire.close()
    node.process.wait(END)
    assert time.monotonic() - begun < END


def test_a_client_that_takes_nothing_is_left_when_the_time_is_over(alone, identities):
    path = chunk_path(alone, identities)
    wire = Http2Wire(alone, identities.admin, window=10_000)
    wire.call(1, "GET", path)
    assert wire.read_until(lambda wire: len(wire.streams[1].body) == 10_000)
    begun = stop(alone)
    wire.read_until(lambda wire: wire.closed, 25)
    assert alone.process.wait(END) == 0
    assert 14 < time.monotonic() - begun < 24
    wire.close()


@pytest.mark.parametrize("begun_before", [b"", b"POST /app/trans"], ids=["idle", "half a head"])
def test_what_comes_too_late_over_http1_is_not_executed(alone, identities, begun_before):
    """The node says that the connection ends, but TLS waits for the client to agree: what comes meanwhile was executed,
    and could not be answered."""
    body = b'{"contents":"too late"}'
    request = b"POST /app/transactions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n" \
        b"content-length: %d\r\n\r\n%s" % (len(body), body)
    wire = tls_context(alone.service_certificate, identities.admin.combined_file).wrap_socket(
        socket.create_connection(("127.0.0.1", alone.port)), server_hostname="127.0.0.1", suppress_ragged_eofs=True)
    wire.settimeout(10)
    wire.sendall(request.replace(b"too late", b"in time!"))
    answer = b""
    while not answer.endswith(b"}"):
        answer += wire.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200")
    wire.sendall(begun_before)
    time.sleep(0.2)
    stop(alone)
    time.sleep(0.3)
    try:
        wire.sendall(request[len(begun_before):])
        assert wire.recv(65536) == b""
    except OSError:
        pass
    alone.process.wait(END)
    wire.close()
    alone.start()
    rest = Rest(alone, identities.admin)
    assert [entry["contents"] for entry in rest.get("/app/transactions").json()["entries"]] == ["in time!"]
    rest.close()
