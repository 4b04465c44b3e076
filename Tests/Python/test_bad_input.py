"""Hostile and broken input over real sockets: the right answer, a message, and a ledger that did not change."""

import concurrent.futures
import json
import socket
import ssl
import struct
import time
import urllib.parse
import uuid

import httpx
import pytest

from support.http2_wire import Http2Wire
from support.node import run_cli
from support.rest import Rest, tls_context


@pytest.fixture(autouse=True)
def unchanged_and_healthy(request, node, identities):
    """After each test: same committed id as before unless the test says it wrote, and a write still works at the end."""
    rest = Rest(node, identities.admin)
    before = rest.committed()
    yield
    if "writes" not in request.keywords.get("usefixtures", pytest.mark.usefixtures()).args:
        assert rest.committed() == before
    assert node.is_running
    assert rest.get("/health").status == 200
    assert rest.append("still well").status == 200
    rest.close()


@pytest.fixture
def writes():
    """Marks a test that appends on purpose."""


def post(rest, body, **options):
    return rest.request("POST", "/app/transactions", body, **options)


# Bodies

@pytest.mark.parametrize("body", [
    b"", b" ", b"{", b"}", b"[]", b"null", b"5", b'"text"', b"{}", b'{"contents":5}', b'{"contents":null}',
    b'{"contents":["a"]}', b'{"contents":{}}', b'{"content":"x"}', b'{"contents":"x"', b'{"contents":"x"}}',
    b'{"contents":"x"} trailing', b'{"contents":"x",}', b"{'contents':'x'}", b'{"contents":"\x01"}',
    b'{"contents":"\\ud800"}', b'{"contents":"\\u12"}', b'{"contents":"\\x"}', b'{"contents":"\xff\xfe"}',
    b'{"contents":"\xc0\x80"}', b'{"contents":"\xed\xa0\x80"}', b'{"contents":tru}', b"\x00\x01\x02",
    b'{"contents":"a","contents":5}', b"[" * 100_000, b'{"contents":' * 5_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b'\xef\xbb\xbf{"contents":', b'{"contents":1e999}', b"<xml/>", b"contents=x", b"-", b'{"contents":"x"}{"contents":"y"}',
], ids=lambda body: repr(body[:24]))
def test_bad_json(node, admin, body):
    answer = post(admin, body)
    assert answer.status == 400, answer
    assert answer.code == "InvalidInput"
    assert answer.message


@pytest.mark.usefixtures("writes")
@pytest.mark.parametrize("body, contents", [
    (b'{"contents":""}', ""), (b' {\n"contents" :\t"x" } \r\n', "x"), (b'{"contents":"\\u00e9\\n\\"\\\\\\/"}', 'é\n"\\/'),
    (b'{"contents":"\\ud83d\\ude00"}', "😀"), (b'{"other":{"a":[1,2,{"b":null}]},"contents":"x"}', "x"),
    (b'{"contents":"\\u0000"}', "\u0000"), ('{"contents":"é日本"}'.encode(), "é日本"),
    (b'{"collectionId":"ignored","transactionId":"9.9","contents":"x"}', "x"), (b'{"contents":"x","preHooks":[]}', "x"),
])
def test_odd_but_good_json(node, admin, body, contents):
    answer = post(admin, body)
    assert answer.status == 200, answer
    assert answer.json()["collectionId"] == "subledger:0"
    entry = admin.get(f"/app/transactions/{answer.transaction_id}").json()["entry"]
    assert entry["contents"] == contents


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/app/nothing/here", 404), ("GET", "/app/transactions/nonsense", 404), ("PUT", "/app/transactions", 405),
    ("POST", "/app/transactions", 400), ("GET", "/app/users/nobody", 404), ("GET", "/node/version", 200),
])
def test_every_answer_says_which_state_it_is_of(node, admin, method, path, status):
    body = b"{}" if method == "POST" else None
    for rest, want in ((admin, status), (Rest(node), 401)):
        answer = rest.request(method, path, body)
        assert answer.status in (want, status), answer
        assert answer.transaction_id == admin.committed(), answer


@pytest.mark.parametrize("hooks", [{"preHooks": [{"functionId": "f"}]}, {"postHooks": [{"functionId": "f"}]}])
def test_hooks_are_refused_clearly(admin, hooks):
    answer = post(admin, {"contents": "x", **hooks})
    assert answer.status in (400, 404, 501)
    assert "ook" in answer.message or "unction" in answer.message


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded",
                                          "multipart/form-data; boundary=x", "application/cose", "", "nonsense", "a/b/c"])
def test_wrong_content_types(admin, content_type):
    answer = post(admin, b'{"contents":"x"}', headers={"content-type": content_type})
    assert answer.status == 415, answer
    assert answer.code == "UnsupportedMediaType"


@pytest.mark.usefixtures("writes")
@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON",
                                          "application/json;charset=UTF-8"])
def test_right_content_types(admin, content_type):
    assert post(admin, b'{"contents":"x"}', headers={"content-type": content_type}).status == 200


@pytest.mark.usefixtures("writes")
def test_body_just_below_the_limit(admin):
    contents = "x" * (1_048_576 - 100)
    answer = post(admin, {"contents": contents})
    assert answer.status == 200
    entry = admin.get(f"/app/transactions/{answer.transaction_id}").json()["entry"]
    assert entry["contents"] == contents
    assert admin.get(f"/app/transactions/{answer.transaction_id}/receipt").json()["state"] == "Ready"


@pytest.mark.parametrize("size", [1_048_577, 3_000_000])
def test_oversized_body_with_a_length(node, identities, size):
    reply = raw(node, identities.admin, (
        f"POST /app/transactions?api-version=2022-05-13 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: {size}\r\n\r\n").encode() + b'{"contents":"' + b"x" * 70_000, end=False)
    assert b" 413 " in reply.split(b"\r\n")[0], reply[:200]


def test_oversized_body_in_chunks(node, identities):
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    reply = raw(node, identities.admin, (
        b"POST /app/transactions?api-version=2022-05-13 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"transfer-encoding: chunked\r\n\r\n") + b'd\r\n{"contents":"\r\n' + piece * 20 + b"2\r\n\"}\r\n0\r\n\r\n")
    assert b" 413 " in reply.split(b"\r\n")[0], reply[:200]


# Names and parameters

BAD_IDS = ["abc", "2", "2.", ".2", "2.1.1", "-2.1", "+2.1", "2.-1", "0x2.1", "2,1", "2.1%20", "%202.1", "2.1e3", "2.1\u0661",
           "2.18446744073709551616", "99999999999999999999.1", "2" * 500 + ".1", "..", "2..1", "%00", "2.1%00", "02.1x"]


@pytest.mark.parametrize("bad", BAD_IDS, ids=lambda bad: bad[:20])
@pytest.mark.parametrize("suffix", ["", "/status", "/receipt"])
def test_malformed_ids(admin, bad, suffix):
    path = urllib.parse.quote(bad, safe="%")
    answer = admin.get(f"/app/transactions/{path}{suffix}")
    assert answer.status in (400, 404), answer
    assert answer.code in ("InvalidTransactionId", "InvalidResourceName", "ResourceNotFound"), answer
    assert "retry-after" not in answer.headers


def test_ids_not_reached_yet(admin):
    view, seqno = admin.committed().split(".")
    answer = admin.get(f"/app/transactions/{view}.{int(seqno) + 1000}/status")
    assert (answer.status, answer.code) == (404, "TransactionPendingOrUnknown")
    answer = admin.get(f"/app/transactions/{int(view) - 1}.{seqno}/status")
    assert answer.status == 404
    assert answer.code in ("TransactionInvalid", "InvalidTransactionId")


@pytest.mark.parametrize("version", ["2099-01-01", "banana", "2022-05-13'--", "%00", "2022-05-13,2022-05-13"])
def test_unknown_api_version(admin, version):
    answer = admin.get("/app/collections", api_version=version)
    assert answer.status == 400, answer
    assert answer.code
    assert "2022-05-13" in answer.message, "the message lists what is known"


@pytest.mark.parametrize("version", [
    "0.1-preview", "2022-04-20-preview", "2022-20-04-preview", "2022-05-13", "2023-01-18-preview", "2024-01-26-preview",
    "2024-08-22-preview", "2024-12-09-preview", "2026-02-23", "2026-07-31-preview", None])
def test_known_api_versions(admin, version):
    assert admin.get("/app/collections", api_version=version).status == 200


@pytest.mark.parametrize("query", [
    {"fromTransactionId": "abc"}, {"toTransactionId": "2"}, {"fromTransactionId": "2.-1"},
    {"limit": "0"}, {"limit": "-1"}, {"limit": "x"}, {"limit": "99999999999999999999"}, {"fromTime": "yesterday"},
    {"toTime": "2026-13-45T99:99:99Z"}, {"cursor": "%%%"}, {"cursor": "AAAA"}, {"cursor": "../../etc/passwd"},
], ids=str)
def test_hostile_range_parameters(admin, query):
    answer = admin.get("/app/transactions", query=query)
    if "cursor" in query:  # whatever it is called, a name the server does not use may be ignored
        assert answer.status in (200, 400)
    else:
        assert answer.status in (400, 404), answer
        assert answer.code and answer.message


def follow(admin, answer):
    return admin.request("GET", answer.json()["nextLink"], api_version=None)


@pytest.mark.usefixtures("writes")
def test_damaged_next_links(admin):
    name = uuid.uuid4().hex
    for number in range(130):
        assert admin.append(str(number), collection=name).status == 200
    answer = admin.get("/app/transactions", query={"collectionId": name})
    link = answer.json()["nextLink"]
    assert "+" not in link and "%2B" not in link
    assert follow(admin, answer).status == 200
    parts = urllib.parse.urlsplit(link)
    pairs = urllib.parse.parse_qsl(parts.query)
    for index, (key, value) in enumerate(pairs):
        if key in ("api-version", "collectionId"):
            continue
        for bad in ("", value + "x", "A" * 5000, "\u0000", "99999999999999999999999.1", value[::-1] + "!"):
            changed = list(pairs)
            changed[index] = (key, bad)
            answer = admin.request(
                "GET", parts.path + "?" + urllib.parse.urlencode(changed), api_version=None)
            assert answer.status in (200, 400, 404, 414, 431), (key, bad[:20], answer)
            if answer.status == 200:
                json.loads(answer.body)["entries"]


@pytest.mark.parametrize("tags", [
    ["a", "b", "c", "d", "e", "f"], ["x" * 65], ["a", ""], [",".join("ab")] * 4,
], ids=lambda tags: str(tags)[:20])
def test_bad_tags(admin, tags):
    answer = post(admin, {"contents": "x"}, query={"tags": ",".join(tags)})
    assert answer.status == 400, answer
    assert "tag" in answer.message.lower()


@pytest.mark.parametrize("collection", ["x" * 1025, "é" * 513, "\u0000"], ids=lambda text: repr(text)[:12])
def test_bad_collection_ids(admin, collection):
    answer = post(admin, {"contents": "x"}, query={"collectionId": collection})
    if collection == "\u0000" and answer.status == 200:
        pytest.skip("free text, and allowed")
    assert answer.status == 400, answer
    assert "collection" in answer.message.lower()


@pytest.mark.parametrize("value", ["yes", "2", "TRUEE"])
def test_bad_wait_for_commit(admin, value):
    assert post(admin, {"contents": "x"}, query={"waitForCommit": value}).status == 400


# Paths and methods

@pytest.mark.parametrize("path", [
    "/", "/app", "/app/", "/app/nothing", "/node/nothing", "/../../etc/passwd", "/app/..%2f..%2fetc",
    "/%00", "/app/transactions/current/x", "/gov/members", "/app/%ff%fe", "/node/ledger-chunk/../keys",
    "/node/ledger-chunk/..%2fkeys%2fledger_secret", "/node/ledger-chunk/node.json", "/node/snapshot/..%2f..%2fnode.json",
    "/app/userDefinedFunctions", "/app/userDefinedEndpoints", "/app/operations/x", "/app/queue/status",
])
def test_paths_that_are_not_there(admin, path):
    answer = admin.get(path)
    assert answer.status in (400, 404), answer
    if answer.status == 404:
        assert answer.code, answer


@pytest.mark.parametrize("method, path", [
    ("DELETE", "/app/transactions"), ("PUT", "/app/transactions"), ("POST", "/app/users"), ("POST", "/app/collections"),
    ("DELETE", "/app/governance/members"), ("POST", "/node/state"), ("BREW", "/app/transactions"),
])
def test_methods_that_are_not_allowed(admin, method, path):
    answer = admin.request(method, path)
    if method == "BREW":  # not a method at all: refused before any route is looked up
        assert answer.status in (400, 405, 501)
        return
    assert answer.status == 405, answer
    assert answer.headers["allow"].split(",")[0].strip() == "OPTIONS" or "GET" in answer.headers["allow"]


def test_options(admin):
    answer = admin.request("OPTIONS", "/app/transactions")
    assert answer.status == 204
    assert "GET" in answer.headers["allow"] and "POST" in answer.headers["allow"]


# Sockets

def connect(node, identity=None, **context_options):
    context = tls_context(node.service_certificate, identity.combined_file if identity else None)
    for name, value in context_options.items():
        setattr(context, name, value)
    plain = socket.create_connection(("127.0.0.1", node.port), timeout=40)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def raw(node, identity, request: bytes, end: bool = True, seconds: float = 15) -> bytes:
    """Sends bytes as they are; what comes back until the answer is complete or the connection ends."""
    with connect(node, identity) as wire:
        wire.settimeout(seconds)
        try:
            wire.sendall(request)
        except OSError:
            pass  # the server may close before it has read all of it
        reply = b""
        try:
            while True:
                piece = wire.recv(65536)
                if not piece:
                    break
                reply += piece
                head, separator, body = reply.partition(b"\r\n\r\n")
                if separator:
                    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                    if not length or len(body) >= int(length[0].split(b":")[1]):
                        break
        except (OSError, ssl.SSLError):
            pass
        return reply


@pytest.mark.parametrize("request_bytes", [
    b"GARBAGE\r\n\r\n", b"\x00" * 100, b"GET / HTTP/9.9\r\nhost: x\r\n\r\n", b"GET /\r\n\r\n",
    b"GET /node/state HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n",
    b"POST /app/transactions HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
    b"POST /app/transactions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
    b"POST /app/transactions HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n",
    b"POST /app/transactions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"POST /app/transactions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nabc",
    b"GET /node/state HTTP/1.1\r\nhost: x\r\nx: \x00\r\n\r\n",
], ids=lambda data: repr(data[:30]))
def test_broken_http(node, identities, request_bytes):
    reply = raw(node, identities.admin, request_bytes, seconds=5)
    status = reply.split(b" ")[1:2]
    assert not status or status[0].startswith(b"4") and b'{"error":{"code":"' in reply, reply[:200]


def test_header_flood(node, identities):
    many = b"".join(b"x-h-%d: %s\r\n" % (number, b"v" * 100) for number in range(5000))
    reply = raw(node, identities.admin, b"GET /node/state HTTP/1.1\r\nhost: x\r\n" + many + b"\r\n")
    assert reply == b"" or b" 431 " in reply or b" 400 " in reply, reply[:200]


def test_one_enormous_header(node, identities):
    reply = raw(node, identities.admin, b"GET /node/state HTTP/1.1\r\nhost: x\r\nx: " + b"v" * 2_000_000 + b"\r\n\r\n")
    assert reply == b"" or b" 431 " in reply or b" 400 " in reply, reply[:200]


def test_what_was_refused_is_counted(node, identities, admin):
    def errors():
        return admin.get("/node/metrics").json()["sessions"]["interfaces"]["primary_rpc_interface"]["errors"]

    before = errors()
    raw(node, identities.admin, (
        b"POST /app/transactions?api-version=2022-05-13 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"content-length: 3000000\r\n\r\n"), end=False)
    raw(node, identities.admin, b"GET /node/state HTTP/1.1\r\nhost: x\r\nx: " + b"v" * 200_000 + b"\r\n\r\n")
    raw(node, identities.admin, b"this is not HTTP\r\n\r\n")
    after = errors()
    assert {name: after[name] - before[name] for name in after} == {
        "parsing": 1, "request_payload_too_large": 1, "request_header_too_large": 1}


def test_service_configuration_is_the_row_of_the_ledger(admin):
    configuration = admin.get("/node/service/configuration").json()
    assert configuration["recovery_threshold"] == 0
    assert configuration["maximum_node_certificate_validity_days"] > 0


def test_enormous_path(node, identities):
    reply = raw(node, identities.admin, b"GET /app/" + b"a" * 1_000_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n")
    assert reply == b"" or reply.split(b" ")[1] in (b"400", b"404", b"414", b"431"), reply[:200]


def test_body_that_never_comes(node, identities, admin):
    """Half a body, then the connection goes away: nothing is written."""
    with connect(node, identities.admin) as wire:
        wire.sendall(b"POST /app/transactions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                     b"content-length: 100\r\n\r\n{\"contents\":\"half")
        time.sleep(0.3)


def test_slow_clients_do_not_block_others(node, identities, admin):
    """Forty clients that send one byte of a header and stop, forty that stop inside the handshake."""
    slow, half = [], []
    try:
        for _ in range(40):
            wire = connect(node, identities.admin)
            wire.sendall(b"G")
            slow.append(wire)
            plain = socket.create_connection(("127.0.0.1", node.port))
            plain.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
            half.append(plain)
        began = time.monotonic()
        assert admin.get("/node/state").status == 200
        assert Rest(node, identities.admin).get("/node/state").status == 200
        assert time.monotonic() - began < 5
    finally:
        for wire in slow + half:
            wire.close()


@pytest.mark.timeout(150)
def test_stalled_clients_are_dropped(node, identities):
    """A client that stops inside the handshake, or inside its headers, is closed by the server in bounded time."""
    def until_closed(wire):
        wire.settimeout(120)
        began = time.monotonic()
        try:
            while wire.recv(4096):
                pass
        except socket.timeout:
            return None
        except OSError:
            pass
        return time.monotonic() - began

    silent = socket.create_connection(("127.0.0.1", node.port))
    half = socket.create_connection(("127.0.0.1", node.port))
    half.sendall(b"\x16\x03\x01\x02\x00\x01")
    slow = connect(node, identities.admin)
    slow.sendall(b"GET /node/state HTTP/1.1\r\nhost: x\r\nx-slow: ")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        times = list(pool.map(until_closed, [silent, half, slow]))
    assert None not in times, f"still open after 120 s: silent, half handshake, half headers = {times}"


def test_plain_http_on_the_tls_port(node):
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as plain:
        plain.sendall(b"GET /node/state HTTP/1.1\r\nhost: x\r\n\r\n")
        try:
            reply = plain.recv(4096)
        except OSError:
            reply = b""
        assert b"200" not in reply and b"node_id" not in reply


def test_garbage_on_the_tls_port(node):
    for garbage in (b"\x00" * 1000, b"\x16\x03\x01\xff\xff" + b"A" * 70_000, struct.pack(">BHH", 22, 0x0303, 0) * 100):
        with socket.create_connection(("127.0.0.1", node.port), timeout=10) as plain:
            try:
                plain.sendall(garbage)
                plain.recv(100)
            except OSError:
                pass


def test_old_tls_is_refused(node, identities):
    for version in (ssl.TLSVersion.TLSv1_2,):
        with pytest.raises((ssl.SSLError, OSError)):
            connect(node, identities.admin, maximum_version=version).close()
    with connect(node, identities.admin) as wire:
        assert wire.version() == "TLSv1.3"


def test_certificate_without_its_key(node, identities, admin):
    """Knowing someone's certificate is not being them: the handshake must prove the key."""
    other = identities.make()
    mixed = other.combined_file.with_name("mixed.pem")
    key = other.combined_file.read_text().split("-----BEGIN PRIVATE KEY-----")[1]
    mixed.write_text(identities.admin.certificate_file.read_text() + "-----BEGIN PRIVATE KEY-----" + key)
    with pytest.raises(ssl.SSLError):
        tls_context(node.service_certificate, mixed)


@pytest.mark.usefixtures("writes")
def test_certificates_of_all_kinds(node, identities, admin):
    """Unknown ones get 403 with their fingerprint, expired ones that are users are let in (API spec B.1)."""
    for kind in ("p256", "p384", "p521", "rsa"):
        person = identities.make(kind=kind)
        answer = Rest(node, person).get("/app/transactions")
        assert (answer.status, answer.code) == (403, "NotAllowed")
        assert person.user_id in answer.message
    expired = identities.make(days=-1)
    admin.set_user(expired.user_id, "Reader")
    assert Rest(node, expired).get("/app/transactions").status == 200


# HTTP/2

def h2_client(node, identity):
    return httpx.Client(
        http2=True, http1=False, verify=tls_context(node.service_certificate, identity.combined_file),
        base_url=node.url, timeout=30)


@pytest.mark.usefixtures("writes")
def test_http2_works_and_knows_the_caller(node, identities):
    with h2_client(node, identities.contributor) as client:
        answer = client.post("/app/transactions?api-version=2022-05-13", json={"contents": "over h2"})
        assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
        name = answer.headers["x-ms-ccf-transaction-id"]
        assert client.get(f"/app/transactions/{name}").json()["entry"]["contents"] == "over h2"
        assert client.get("/app/users").status_code == 403
    with h2_client(node, identities.stranger) as client:
        answer = client.get("/app/transactions")
        assert answer.status_code == 403 and identities.stranger.user_id in answer.text


def test_http2_bad_bodies(node, identities):
    with h2_client(node, identities.admin) as client:
        for body in (b"{", b"", b'{"contents":5}'):
            answer = client.post("/app/transactions", content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 400
        try:
            answer = client.post(
                "/app/transactions", content=b'{"contents":"' + b"x" * 2_000_000,
                headers={"content-type": "application/json"})
            assert answer.status_code == 413
        except httpx.HTTPError:
            pass  # the stream may be reset while the body is still going out


@pytest.mark.parametrize("authority, hosts, status", [
    ("a", [], 200), (None, ["a"], 200), ("a", ["a"], 200), ("a", ["A"], 200), ("a:443", ["a"], 200), ("a", ["a:443"], 200),
    ("a", ["b"], 400), ("k", ["\u212a"], 400), ("a", ["a:80"], 400), ("a", [""], 400), ("a", ["a", "a"], 400), ("a", ["a", "b"], 400),
    (None, ["a", "a"], 400), (None, ["a", "b"], 400), (None, [""], 400), (None, [], 400), ("", [], 400), ("", ["a"], 400),
])
def test_http2_one_host(node, identities, authority, hosts, status):
    wire = Http2Wire(node, identities.admin)
    named = [] if authority is None else [(":authority", authority)]
    wire.head(1, [(":method", "GET"), (":scheme", "https"), *named, (":path", "/node/state"), *[("host", host) for host in hosts]])
    assert wire.read_until(lambda wire: wire.streams[1].ended)
    answer = wire.streams[1]
    wire.close()
    assert answer.status == status, answer.body
    if status == 400:
        assert json.loads(answer.body)["error"]["code"] == "InvalidHeaderValue"


@pytest.mark.usefixtures("writes")
@pytest.mark.parametrize("path, more, body", [
    ("/health", [("connection", "close")], None), ("", [], None), ("/health", [("x-a", "a\0")], None),
    ("/app/transactions", [("content-type", "application/json"), ("content-length", "5")], b'{"contents":"z"}'),
])
def test_http2_a_malformed_request_is_only_its_own_end(node, identities, path, more, body):
    """It closed the connection: writes on other streams took place and were never answered."""
    wire = Http2Wire(node, identities.admin)
    wire.call(1, "POST", "/app/transactions", ("content-type", "application/json"), ends=False)
    wire.call(3, "GET" if body is None else "POST", path, *more, ends=body is None)
    if body is not None:
        wire.data(3, body)
    assert wire.read_until(lambda wire: wire.streams[3].reset is not None), wire.streams
    wire.data(1, b'{"contents":"whole"}')
    assert wire.read_until(lambda wire: wire.streams[1].is_whole) and wire.streams[1].status == 200, wire.streams
    wire.call(5, "GET", "/app/transactions")
    assert wire.read_until(lambda wire: wire.streams[5].is_whole) and wire.streams[5].status == 200, wire.streams
    assert not wire.goaways
    wire.close()


def test_http2_broken_frames_end_the_connection(node, identities):
    wire = Http2Wire(node, identities.admin)
    wire.call(1, "POST", "/app/transactions", ("content-type", "application/json"), ends=False)
    wire.data(7, b"of no stream")
    wire.read_until(lambda wire: wire.closed)
    assert wire.closed and wire.goaways
    wire.close()


def test_http2_garbage(node, identities):
    context = tls_context(node.service_certificate, identities.admin.combined_file)
    context.set_alpn_protocols(["h2"])
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for frames in (b"\xff" * 1000, b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" * 5000,
                   b"\x00\x40\x01\x01\x04\x00\x00\x00\x01" + b"\x82" * 0x4001,
                   b"\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08" * 2000):
        with socket.create_connection(("127.0.0.1", node.port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as wire:
                assert wire.selected_alpn_protocol() == "h2"
                try:
                    wire.sendall(preface + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + frames)
                    wire.settimeout(1)
                    while wire.recv(4096):
                        pass
                except OSError:
                    pass


# What the caller wants

@pytest.mark.usefixtures("writes")
@pytest.mark.parametrize("accept, is_cose", [
    ("application/cose", True), ("APPLICATION/COSE", True), ("application/json;q=0.5, application/cose", True),
    ("application/json, application/cose;q=0.1", False), ("application/json, application/cose;q=0", False),
    ("application/json, application/cose-x", False), ("application/*", False), ("*/*;q=0.5, application/cose;q=0", False),
])
def test_the_form_of_a_receipt(admin, accept, is_cose):
    id = admin.append("x", wait=True).transaction_id
    for path, query in ((f"/app/transactions/{id}/receipt", {}), ("/app/receipt", {"transaction_id": id})):
        answer = admin.get(path, query=query, headers={"accept": accept})
        assert answer.status == 200
        assert answer.headers["content-type"] == ("application/cose" if is_cose else "application/json"), answer


@pytest.mark.usefixtures("writes")
def test_next_links_stay_with_the_host(admin, identities):
    for name in ("a", "b"):
        admin.append("x", collection=name, tags=[name])
        admin.set_user(identities.make().user_id, "Reader")
    for path in ("/app/collections", "/app/collections/tags", "/app/users", "/app/ledgerUsers"):
        for written in (path, "/" + path, path.removeprefix("/app")):
            answer = admin.get(written, query={"limit": "1"})
            assert answer.json()["nextLink"].startswith(path + "?"), answer


def test_a_range_of_another_file_is_not_sent(new_node, identities):
    node = new_node("private", options=["--snapshot-interval", "10"])
    rest = Rest(node, identities.admin)
    for _ in range(12):
        rest.append("x", wait=True)
    place = rest.get("/node/ledger-chunk").headers["location"]
    whole = rest.get(place)
    tag = whole.headers["etag"]
    for condition, status in ((tag, 206), ('"other"', 200), ("W/" + tag, 200), ("Sun, 22 Nov 2026 00:00:00 GMT", 200)):
        answer = rest.get(place, headers={"range": "bytes=0-9", "if-range": condition})
        assert answer.status == status and whole.body.startswith(answer.body), answer
        assert len(answer.body) == (10 if status == 206 else len(whole.body))


def test_the_address_is_the_bound_one(new_node, identities):
    node = new_node("private", start=False)
    command = node.command
    port = node.port
    node.command = lambda: [part.replace("127.0.0.1", "0.0.0.0") if part == f"127.0.0.1:{port}" else part for part in command()]
    node.start()
    rest = Rest(node, identities.admin)
    address = f"127.0.0.1:{port}"
    listed = rest.get("/node/network/nodes").json()["nodes"]
    assert [item["rpc_interfaces"]["primary_rpc_interface"]["published_address"] for item in listed] == [address]
    assert [item["address"] for item in rest.get("/node/config").json().values()] == [address]
    assert rest.get("/node/network/nodes", query={"port": str(port)}).json()["nodes"]


@pytest.mark.parametrize("option", ["--oidc-audience", "--oidc-user-claim"])
def test_empty_options_are_refused(tmp_path, option):
    done = run_cli("serve", "--data", tmp_path / "data", "--listen", "256.256.256.256:1", option, "", timeout=20)
    assert done.returncode == 2 and f"{option}: is empty" in done.stderr, done
    assert not (tmp_path / "data").exists()


# Repeats

@pytest.mark.usefixtures("writes")
def test_a_repeated_request_is_one_write(node, admin, identities):
    name, request_id = uuid.uuid4().hex, str(uuid.uuid4())
    answers = [admin.append("once", collection=name, request_id=request_id) for _ in range(4)]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.transaction_id for answer in answers}) == 1
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        request_id = str(uuid.uuid4())
        rests = [Rest(node, identities.admin) for _ in range(8)]
        answers = list(pool.map(lambda rest: rest.append("at once", collection=name, request_id=request_id), rests))
    assert len({answer.transaction_id for answer in answers}) == 1
    listed = admin.get("/app/transactions", query={"collectionId": name}).json()["entries"]
    assert [item["contents"] for item in listed] == ["once", "at once"]
    # Another body or another caller under the same id is another write.
    assert admin.append("other", collection=name, request_id=request_id).transaction_id != answers[0].transaction_id
    someone = Rest(node, identities.contributor).append("at once", collection=name, request_id=request_id)
    assert someone.transaction_id != answers[0].transaction_id


@pytest.mark.usefixtures("writes")
def test_a_repeat_after_a_restart_is_one_write(node, identities):
    name, request_id = uuid.uuid4().hex, str(uuid.uuid4())
    first = Rest(node, identities.admin).append("once", collection=name, request_id=request_id)
    node.kill()
    node.start()
    rest = Rest(node, identities.admin)
    assert rest.append("once", collection=name, request_id=request_id).transaction_id == first.transaction_id
    assert len(rest.get("/app/transactions", query={"collectionId": name}).json()["entries"]) == 1
