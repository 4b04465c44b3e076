"""Users and roles over REST: both families, every body shape, custom roles that are enforced, the last administrator."""

import bisect
import json
import socket
import threading
import time
import urllib.parse
import uuid

import pytest

from support.issuer import Issuer
from support.node import retry_until
from support.rest import Rest, tls_context


@pytest.fixture
def person(node, identities):
    """A fresh certificate and its client; nothing is assigned yet."""
    identity = identities.make()
    rest = Rest(node, identity)
    rest.user_id = identity.user_id
    yield rest
    rest.close()


class HalfSent:
    """A call of which only the head and some of the body have arrived."""

    def __init__(self, node, identity, method: str, path: str, body):
        body = json.dumps(body).encode()
        self._rest = body[5:]
        self._socket = tls_context(node.service_certificate, identity.combined_file).wrap_socket(
            socket.create_connection(("127.0.0.1", node.port)), server_hostname="127.0.0.1")
        self._socket.settimeout(20)
        self._socket.sendall(
            f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n".encode() + body[:5])
        time.sleep(1)

    def finish(self) -> int:
        """Sends the rest; the status."""
        self._socket.sendall(self._rest)
        answer = b""
        while piece := self._socket.recv(65536):
            answer += piece
        self._socket.close()
        return int(answer.split(b" ", 2)[1])


def role_name() -> str:
    return "role-" + uuid.uuid4().hex[:8]


def test_user_list_pages_through_everyone(admin, identities):
    answer = admin.get("/app/users")
    assert answer.status == 200
    listed = {item["userId"]: item["assignedRole"] for item in answer.json()["ledgerUsers"]}
    assert listed[identities.admin.user_id] == "Administrator"
    assert listed[identities.reader.user_id] == "Reader"
    assert answer.json().get("nextLink", None) != ""


def test_colons_escaped_and_not(admin, person):
    assert admin.set_user(person.user_id, "Reader").status == 200
    for path in (person.user_id, urllib.parse.quote(person.user_id, safe="")):
        answer = admin.get(f"/app/users/{path}")
        assert (answer.status, answer.json()["userId"]) == (200, person.user_id)


def test_both_families_show_one_store(admin, person):
    name = role_name()
    assert admin.request("PUT", "/app/roles", [{"roleName": name, "roleActions": ["/transactions/get"]}]).status == 200
    answer = admin.set_roles(person.user_id, ["Reader", name])
    assert answer.status == 200
    assert sorted(answer.json()["assignedRoles"]) == sorted(["Reader", name])
    assert admin.get(f"/app/users/{person.user_id}").json()["assignedRole"] == "Reader"
    assert admin.request("DELETE", f"/app/ledgerUsers/{person.user_id}").status == 204
    assert admin.get(f"/app/users/{person.user_id}").status == 404


def test_deleting_a_user_twice_is_fine(admin, person):
    admin.set_user(person.user_id, "Reader")
    for _ in range(2):
        assert admin.request("DELETE", f"/app/users/{person.user_id}").status == 204


def test_unknown_role_for_a_user(admin, person):
    answer = admin.set_user(person.user_id, "NoSuchRole")
    assert answer.status in (400, 404)
    assert "NoSuchRole" in answer.message
    assert admin.get(f"/app/users/{person.user_id}").status == 404


@pytest.mark.parametrize("body", [
    {}, {"assignedRole": 5}, {"assignedRole": None}, {"assignedRole": ""}, {"assignedRoles": "Reader"},
    {"assignedRoles": []}, [], "Reader", {"assignedRoles": ["Reader"] * 1000 + [7]},
])
def test_bad_user_bodies(admin, person, body):
    for family in ("users", "ledgerUsers"):
        answer = admin.request("PATCH", f"/app/{family}/{person.user_id}", body)
        assert answer.status == 400, answer
        assert answer.code
    assert admin.get(f"/app/users/{person.user_id}").status == 404


@pytest.mark.parametrize("version, wrapped_body, snake", [
    ("2024-12-09-preview", False, False), ("2026-02-23", True, False), ("2026-07-31-preview", True, False),
    ("2024-12-09-preview", True, True),
])
def test_role_shapes_by_version(admin, version, wrapped_body, snake):
    name = role_name()
    keys = ("role_name", "role_actions") if snake else ("roleName", "roleActions")
    role = {keys[0]: name, keys[1]: ["/transactions/get"]}
    body = {"roles": [role]} if wrapped_body else [role]
    call = lambda method, **options: admin.request(method, "/app/roles", api_version=version, **options)
    assert call("PUT", body=body).status == 200
    assert call("PUT", body=body).status == 409
    answer = call("GET", query={"roleName": name})
    assert answer.status == 200
    found = answer.json() if version == "2024-12-09-preview" else answer.json()["role"]
    assert found == [{"roleName": name, "roleActions": ["/transactions/get"]}]
    role[keys[1]] = ["/transactions/post"]
    assert call("PATCH", body={"roles": [role]} if wrapped_body else [role]).status == 200
    answer = call("GET", query={"roleName": name})
    found = answer.json() if version == "2024-12-09-preview" else answer.json()["role"]
    assert found[0]["roleActions"] == ["/transactions/post"]
    everything = call("GET").json()
    everything = everything if isinstance(everything, list) else everything["role"]
    assert name in [item["roleName"] for item in everything]
    assert call("DELETE", query={"roleName": name}).status == (204 if version == "2026-07-31-preview" else 200)
    assert call("GET", query={"roleName": name}).status == 404
    assert call("DELETE", query={"roleName": name}).status == 404


@pytest.mark.parametrize("actions, allowed", [
    (["Microsoft.ConfidentialLedger/ledger/transactions/read"], {"read"}),
    (["Microsoft.ConfidentialLedger/ledger/transactions/write"], {"write"}),
    (["/transactions/get", "/transactions/post"], {"read", "write"}),
    (["/users/get"], {"users"}),
    (["/governance/get"], {"governance"}),
    (["/nothing/real"], set()),
    (["Microsoft.ConfidentialLedger/ledger/*"], {"read", "write", "users", "governance", "set-user"}),
])
def test_custom_roles_are_enforced(admin, person, actions, allowed):
    name = role_name()
    assert admin.request("PUT", "/app/roles", [{"roleName": name, "roleActions": actions}]).status == 200
    assert admin.set_roles(person.user_id, [name]).status == 200
    target = str(uuid.uuid4())
    attempts = {
        "read": lambda: person.get("/app/transactions"),
        "write": lambda: person.append("by a custom role"),
        "users": lambda: person.get("/app/users"),
        "governance": lambda: person.get("/app/governance/constitution"),
        "set-user": lambda: person.set_user(target, "Reader"),
    }
    for what, attempt in attempts.items():
        answer = attempt()
        assert answer.status == (200 if what in allowed else 403), (what, answer)
        if answer.status == 403:
            assert answer.code == "NotAllowed"
            assert person.user_id in answer.message and name in answer.message
    # A role's change holds at once.
    assert admin.request("PATCH", "/app/roles", [{"roleName": name, "roleActions": ["/collections/get"]}]).status == 200
    assert person.get("/app/collections").status == 200
    assert person.append("no longer").status == 403
    # A role that someone holds stays.
    assert admin.request("DELETE", "/app/roles", query={"roleName": name}).status == 409
    assert admin.request("DELETE", f"/app/users/{person.user_id}").status == 204
    assert person.get("/app/collections").status == 403
    assert admin.request("DELETE", "/app/roles", query={"roleName": name}).status == 200


def test_role_names_are_case_sensitive_but_built_in_ones_are_not(admin, person):
    name = role_name()
    admin.request("PUT", "/app/roles", [{"roleName": name, "roleActions": ["/transactions/get"]}])
    assert admin.set_roles(person.user_id, [name.upper()]).status in (400, 404)
    assert admin.set_roles(person.user_id, ["reader"]).json()["assignedRoles"] == ["Reader"]


@pytest.mark.parametrize("name", ["Administrator", "reader", "CONTRIBUTOR"])
def test_built_in_roles_stay_as_they_are(admin, name):
    role = {"roleName": name, "roleActions": ["*"]}
    assert admin.request("PUT", "/app/roles", [role]).status in (400, 409)
    assert admin.request("PATCH", "/app/roles", [role]).status in (400, 404, 409)
    assert admin.request("DELETE", "/app/roles", query={"roleName": name}).status in (400, 404, 409)


@pytest.mark.parametrize("body", [
    {}, [], [{}], [{"roleName": "x"}], [{"roleName": 5, "roleActions": []}], [{"roleName": "x", "roleActions": "y"}],
    [{"roleName": "", "roleActions": ["y"]}], "x", {"roles": {}},
])
def test_bad_role_bodies(admin, body):
    answer = admin.request("PUT", "/app/roles", body)
    assert answer.status == 400, answer


def test_several_roles_all_or_nothing(admin):
    good, taken = role_name(), role_name()
    admin.request("PUT", "/app/roles", [{"roleName": taken, "roleActions": ["*"]}])
    answer = admin.request("PUT", "/app/roles", [
        {"roleName": good, "roleActions": ["*"]}, {"roleName": taken, "roleActions": ["*"]}])
    assert answer.status == 409
    assert admin.get("/app/roles", query={"roleName": good}).status == 404


def test_the_last_administrator_stays(new_node, identities):
    node = new_node("public", users=False)
    rest = Rest(node, identities.admin)
    me = identities.admin.user_id
    before = rest.committed()
    refusals = [
        rest.request("DELETE", f"/app/users/{me}"),
        rest.request("DELETE", f"/app/ledgerUsers/{me}"),
        rest.set_user(me, "Reader"),
        rest.set_roles(me, ["Contributor"]),
    ]
    for answer in refusals:
        assert answer.status in (400, 403, 409), answer
        assert "administrator" in answer.message.lower()
    assert rest.committed() == before, "a refused change must not reach the ledger"
    # With a second one the first may go, and then the second may not.
    second = identities.make()
    assert rest.set_user(second.user_id, "Administrator").status == 200
    other = Rest(node, second)
    assert other.request("DELETE", f"/app/users/{me}").status == 204
    assert rest.get("/app/users").status == 403
    assert other.request("DELETE", f"/app/users/{second.user_id}").status in (400, 403, 409)
    node.restart()
    assert Rest(node, second).get("/app/users").status == 200


def test_users_and_roles_survive_a_restart(new_node, identities):
    node = new_node("private", options=["--snapshot-interval", "20"])
    rest = Rest(node, identities.admin)
    rest.request("PUT", "/app/roles", [{"roleName": "trader", "roleActions": ["/transactions/post"]}])
    people = [identities.make() for _ in range(3)]
    for one in people:
        assert rest.set_roles(one.user_id, ["trader"]).status == 200
    for number in range(60):  # past a snapshot or two
        rest.append(str(number))
    assert rest.request("DELETE", f"/app/users/{people[0].user_id}").status == 204
    node.kill()
    node.start()
    rest = Rest(node, identities.admin)
    assert rest.get(f"/app/ledgerUsers/{people[0].user_id}").status == 404
    assert rest.get(f"/app/ledgerUsers/{people[1].user_id}").json()["assignedRoles"] == ["trader"]
    assert Rest(node, people[1]).append("still a trader").status == 200
    assert Rest(node, people[0]).append("not any more").status == 403


def newest_snapshot(node) -> int:
    """The sequence number of the newest committed one; 0 when there is none."""
    names = [path.name for path in (node.directory / "snapshots").glob("snapshot_*_*.committed")]
    return max((int(name.split("_")[1]) for name in names), default=0)


def fill_until_snapshot(node, rest, after: str):
    """Appends until a snapshot holds the state after that transaction."""
    def step():
        assert rest.append("filler").status == 200
        return newest_snapshot(node) > int(after.split(".")[1])

    retry_until(step, seconds=60, pause=0)


@pytest.mark.parametrize("taken_away", ["before the snapshot", "after the snapshot"])
def test_rights_taken_away_do_not_come_back_from_a_snapshot(new_node, identities, taken_away):
    node = new_node("private", options=["--snapshot-interval", "60"])
    rest = Rest(node, identities.admin)

    def roles(method, actions: dict):
        body = [{"roleName": name, "roleActions": list(paths)} for name, paths in actions.items()]
        assert rest.request(method, "/app/roles", body).status == 200

    people = {name: identities.make() for name in ("removed", "reader now", "without a role", "of a smaller role", "untouched")}
    ids = {name: person.user_id for name, person in people.items()}
    roles("PUT", {"writes": ["/transactions/post"], "lists": ["/collections/get"], "shrinks": ["/transactions/post"], "leaves": ["*"]})
    for name in ("removed", "reader now", "untouched"):
        assert rest.set_user(ids[name], "Contributor").status == 200
    assert rest.set_roles(ids["without a role"], ["writes", "lists"]).status == 200
    given = rest.set_roles(ids["of a smaller role"], ["shrinks"])

    def may_write() -> dict:
        found = {}
        for name, person in people.items():
            one = Rest(node, person)
            found[name] = one.append(name).status
            one.close()
        return found

    assert set(may_write().values()) == {200}
    fill_until_snapshot(node, rest, given.transaction_id)
    assert rest.request("DELETE", f"/app/users/{ids['removed']}").status == 204
    assert rest.set_user(ids["reader now"], "Reader").status == 200
    assert rest.set_roles(ids["without a role"], ["lists"]).status == 200
    roles("PATCH", {"shrinks": ["/collections/get"]})
    last = rest.request("DELETE", "/app/roles?roleName=leaves")
    assert last.status in (200, 204)
    left = {"removed": 403, "reader now": 403, "without a role": 403, "of a smaller role": 403, "untouched": 200}
    assert may_write() == left

    for end in (node.stop, node.kill, node.stop):
        if taken_away == "before the snapshot":
            fill_until_snapshot(node, rest, last.transaction_id)
        rest.close()
        end()
        gone = int(last.transaction_id.split(".")[1])
        assert 0 < newest_snapshot(node)
        assert (newest_snapshot(node) > gone) == (taken_away == "before the snapshot")
        node.start()
        assert may_write() == left
        assert rest.get(f"/app/ledgerUsers/{ids['removed']}").status == 404
        assert rest.get("/app/roles?roleName=leaves").status == 404
        if taken_away == "after the snapshot":
            break  # by now there is a newer one
        last = rest.append("the next snapshot is one of the restarted node")


# Authentication over REST

def test_no_credentials(node):
    answer = Rest(node).get("/app/transactions")
    assert answer.status == 401
    assert "bearer" in answer.headers["www-authenticate"].lower()
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "rsa"])
def test_certificate_algorithms(node, admin, identities, kind):
    person = identities.make(kind=kind)
    admin.set_user(person.user_id, "Contributor")
    assert Rest(node, person).append(kind).status == 200


def test_open_endpoints_need_no_credentials(node):
    rest = Rest(node)
    for path in ("/node/state", "/node/network", "/node/commit", "/ledgerIdentity/indelible", "/health", "/metrics",
                 "/app/commit", "/node/version", "/node/api", "/app/api", "/node/quotes/self", "/node/ready/app"):
        answer = rest.get(path)
        assert answer.status in (200, 204), (path, answer)


def test_tokens(node, admin, issuer):
    user = str(uuid.uuid4())
    admin.set_user(user, "Contributor")
    good = Rest(node, token=issuer.token(user))
    assert good.append("by token").status == 200
    assert good.get("/app/users").status == 403
    assert user in good.get("/app/users").message


@pytest.mark.parametrize("method, path, body", [
    ("POST", "/app/transactions", {"contents": "after the removal"}),
    ("PATCH", "/app/users/{other}", {"assignedRole": "Reader"}),
    ("PATCH", "/app/ledgerUsers/{other}", {"assignedRoles": ["Reader"]}),
    ("PUT", "/app/roles", {"roles": [{"roleName": "{other}", "roleActions": []}]}),
    ("PATCH", "/app/roles", {"roles": [{"roleName": "{other}", "roleActions": []}]}),
])
@pytest.mark.parametrize("removed", [True, False])
def test_rights_count_when_a_write_is_made(node, admin, identities, person, method, path, body, removed):
    """Not only when its head arrives: the body may take a minute."""
    other = "other-" + uuid.uuid4().hex
    body = json.loads(json.dumps(body).replace("{other}", other))
    if (method, path) == ("PATCH", "/app/roles"):
        answer = admin.request("PUT", path, [{"roleName": other, "roleActions": ["/transactions/get"]}])
        assert answer.status == 200
    admin.set_user(person.user_id, "Administrator")
    call = HalfSent(node, identities.by_user[person.user_id], method, path.replace("{other}", other), body)
    if removed:
        assert admin.request("DELETE", f"/app/users/{person.user_id}").status == 204
    else:
        assert admin.set_user(person.user_id, "Reader").status == 200
    before = admin.committed()
    assert call.finish() == 403
    assert admin.committed() == before


def test_a_half_sent_call_with_rights_is_done(node, admin, identities, person):
    admin.set_user(person.user_id, "Contributor")
    call = HalfSent(
        node, identities.by_user[person.user_id], "POST", "/app/transactions", {"contents": "x"})
    admin.set_user("somebody-" + uuid.uuid4().hex, "Reader")
    assert call.finish() == 200


def test_reads_name_the_state_that_was_read(node, admin, identities):
    """While others write: the newest change up to the state that is named is what was read."""
    user = "state-" + uuid.uuid4().hex
    number = lambda name: int(name.split(".")[1])
    changes, entries, stop = [], [], threading.Event()

    def write(make):
        rest = Rest(node, identities.admin)
        while not stop.is_set():
            make(rest)
        rest.close()

    def set_role(rest):
        role = ["Reader", "Contributor"][len(changes) % 2]
        changes.append((number(rest.set_user(user, role).transaction_id), role))

    def append(rest):
        entries.append(number(rest.append("x", collection=user).transaction_id))

    set_role(admin)
    append(admin)
    threads = [threading.Thread(target=write, args=(make,)) for make in (set_role, append, append, append)]
    seen = []
    for thread in threads:
        thread.start()
    limit = time.monotonic() + 3
    while time.monotonic() < limit:
        one, many = admin.get(f"/app/users/{user}"), admin.get(f"/app/transactions/current?collectionId={user}")
        seen.append((number(one.transaction_id), one.json()["assignedRole"]))
        seen.append((number(many.transaction_id), number(many.json()["transactionId"])))
    stop.set()
    for thread in threads:
        thread.join()
    entries.sort()
    for state, value in seen:
        if isinstance(value, int):
            assert entries[bisect.bisect_right(entries, state) - 1] == value, (state, value)
        else:
            assert changes[bisect.bisect_right(changes, (state, "~")) - 1][1] == value, (state, value)


@pytest.mark.parametrize("change", [
    lambda id: id[:-1], lambda id: id[1:], lambda id: id + "0", lambda id: id[:31] + id[32:], lambda id: id[:2] + id[3:],
    lambda id: id[:-1] + "G", lambda id: id.replace(":", "-"), lambda id: "SHA256:" + id,
    lambda id: "sha256 Fingerprint=" + id,
], ids=["cut", "cut in front", "longer", "digit missing", "colon missing", "no digit", "hyphens", "hash", "openssl"])
def test_a_mistyped_fingerprint_is_no_user(admin, person, change):
    admin.set_user(person.user_id, "Reader")
    name = urllib.parse.quote(change(person.user_id), safe=":")
    for method, body in [("DELETE", None), ("PATCH", {"assignedRole": "Reader"})]:
        answer = admin.request(method, f"/app/users/{name}", body)
        assert (answer.status, answer.code) == (400, "InvalidResourceName"), (method, answer)


@pytest.mark.parametrize("form", ["{0}", "{0}.{0}", "tenant/{0}"])
def test_ids_of_tokens_are_no_fingerprints(admin, form):
    name = urllib.parse.quote(form.format(uuid.uuid4()), safe="")
    assert admin.request("PATCH", f"/app/users/{name}", {"assignedRole": "Reader"}).status == 200
    assert admin.request("DELETE", f"/app/users/{name}").status == 204


@pytest.mark.parametrize("path", ["users", "ledgerUsers"])
def test_a_fingerprint_without_colons_is_no_user(admin, person, path):
    """No certificate would match it: who removes it would be told that somebody has no access any more."""
    admin.set_user(person.user_id, "Reader")
    bare = person.user_id.replace(":", "")
    body = {"users": {"assignedRole": "Reader"}, "ledgerUsers": {"assignedRoles": ["Reader"]}}[path]
    for name in (bare, bare.lower(), person.user_id[:-3]):
        for method in ("PATCH", "DELETE"):
            answer = admin.request(method, f"/app/{path}/{name}", body if method == "PATCH" else None)
            assert answer.status == 400 and "colons" in answer.message, (method, answer)
    assert admin.get(f"/app/users/{person.user_id}").status == 200


def test_role_names_that_differ_in_their_bytes_only(admin):
    base = role_name()
    names = [base + "\u00e9", base + "e\u0301"]
    roles = [{"roleName": name, "roleActions": []} for name in names]
    assert admin.request("PUT", "/app/roles", roles).status == 200
    for name in names:
        assert admin.request("DELETE", "/app/roles?roleName=" + urllib.parse.quote(name)).status == 200


def wrong_tokens(issuer, user):
    """Every token here must be refused with 401 and a reason."""
    import jwt
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public_pem = issuer.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    good = issuer.token(user)
    head, body, signature = good.split(".")
    import base64
    import hashlib
    import hmac
    import json

    encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    confused_head = encode(json.dumps({"alg": "HS256", "typ": "JWT", "kid": issuer._current}).encode())
    confused = f"{confused_head}.{body}"
    confused += "." + encode(hmac.new(public_pem, confused.encode(), hashlib.sha256).digest())
    none_head = encode(json.dumps({"alg": "none", "typ": "JWT"}).encode())
    return {
        "expired": issuer.token(user, lifetime=-3600),
        "not yet valid": issuer.token(user, nbf=4_000_000_000, exp=4_000_000_100),
        "no expiry": issuer.token(user, exp=None),
        "wrong audience": issuer.token(user, aud="https://somewhere.else"),
        "no audience": issuer.token(user, aud=None),
        "wrong issuer": issuer.token(user, iss="https://evil.example"),
        "no issuer": issuer.token(user, iss=None),
        "no user": issuer.token(user, oid=None, sub=None),
        "stranger's key": issuer.token(user, key=stranger),
        "unknown key id": issuer.token(user, headers={"kid": "unknown"}, key=stranger),
        "alg none": f"{none_head}.{body}.",
        "alg none with signature": f"{none_head}.{body}.{signature}",
        "HMAC with the public key": confused,
        "cut signature": good[:-8],
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "changed payload": f"{head}.{encode(json.dumps({'oid': 'x'}).encode())}.{signature}",
        "not base64": "a.b.c",
        "empty": "",
        "text": "hello",
        "very long": good + "A" * 20_000,
    }


@pytest.mark.parametrize("name", [
    "expired", "not yet valid", "no expiry", "wrong audience", "no audience", "wrong issuer", "no issuer", "no user",
    "stranger's key", "unknown key id", "alg none", "alg none with signature", "HMAC with the public key",
    "cut signature", "no signature", "two parts", "changed payload", "not base64", "empty", "text", "very long",
])
def test_wrong_tokens(node, admin, issuer, name):
    user = str(uuid.uuid4())
    admin.set_user(user, "Administrator")
    token = wrong_tokens(issuer, user)[name]
    before = admin.committed()
    send = lambda: Rest(node).request(
        "POST", "/app/transactions", {"contents": "no"}, headers={"authorization": f"Bearer {token}"})
    answer = send()
    if name == "unknown key id":
        # While the issuer may not be asked again nobody knows; then the refusal is final.
        for _ in range(30):
            if answer.status != 503:
                break
            assert 1 <= int(answer.headers["retry-after"]) <= 10
            time.sleep(0.5)
            answer = send()
    assert answer.status == (431 if name == "very long" and answer.status == 431 else 401), answer
    if answer.status == 401:
        assert "www-authenticate" in answer.headers
        assert answer.message, "the refusal says what was wrong"
        assert token == "" or token not in answer.message, "never the token itself"
    assert admin.committed() == before


def test_key_rotation_at_the_issuer(node, admin, issuer):
    user = str(uuid.uuid4())
    admin.set_user(user, "Contributor")
    assert Rest(node, token=issuer.token(user)).append("before").status == 200
    issuer.rotate()
    # Keys are fetched again for an unknown key id, but not more often than every ten seconds.
    retry_until(lambda: Rest(node, token=issuer.token(user)).append("after").status == 200, 15, 0.5)


def test_issuer_down_after_keys_were_read(node, admin, issuer):
    user = str(uuid.uuid4())
    admin.set_user(user, "Contributor")
    retry_until(lambda: Rest(node, token=issuer.token(user)).append("up").status == 200, 15, 0.5)
    issuer.down = True
    try:
        assert Rest(node, token=issuer.token(user, jti="fresh")).append("still").status == 200
    finally:
        issuer.down = False


def test_an_issuer_that_names_an_impossible_address_for_its_keys(new_node):
    """A port of more than 16 bits, chosen by the issuer, reached the HTTP library and ended the node."""
    issuer = Issuer()
    issuer.keys_url = "https://127.0.0.1:99999/keys"
    node = new_node("public", issuers=[issuer], users=False)
    rest = Rest(node, token=issuer.token("someone"))
    answer = rest.get("/app/collections")
    assert (answer.status, answer.json()["error"]["code"]) == (503, "IssuerUnavailable")
    assert node.is_running and node.says("the port must be 1 to 65535"), node.log()
    rest.close()
    issuer.close()


def test_an_issuer_that_drips_holds_nobody_up(new_node, issuer):
    dripping = Issuer()
    dripping.drips = True
    node = new_node("public", issuers=[dripping], users=False)
    answers = []

    def ask(name):
        rest = Rest(node, token=issuer.token(name, iss=dripping.url))
        answer = rest.get("/app/collections")
        answers.append((answer.status, answer.code, "retry-after" in answer.headers))
        rest.close()

    threads = [threading.Thread(target=ask, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    # All of them, not only the one that asked first.
    assert answers == [(503, "IssuerUnavailable", True)] * 3
    node.stop()
    dripping.close()


def test_so_many_roles_in_one_call(admin, identities):
    """Whoever may write roles held up all reads and writes for seconds, with a call that changed nothing."""
    roles = [{"roleName": f"many-{number}", "roleActions": ["a"]} for number in range(257)]
    for method in ("PUT", "PATCH"):
        answer = admin.request(method, "/app/roles", {"roles": roles})
        assert (answer.status, answer.code) == (400, "InvalidInput") and "256 roles" in answer.message, answer
    answer = admin.request("PUT", "/app/roles", [{"roleName": "long", "roleActions": ["a"] * 257}])
    assert (answer.status, answer.code) == (400, "InvalidInput") and "256 actions" in answer.message, answer
    answer = admin.set_roles(identities.make().user_id, ["Reader"] * 33)
    assert (answer.status, answer.code) == (400, "InvalidInput") and "32 roles" in answer.message, answer
    assert admin.request("PUT", "/app/roles", {"roles": roles[:256]}).status == 200
    listed = {role["roleName"] for role in admin.get("/app/roles", api_version="2026-02-23").json()["role"]}
    assert {role["roleName"] for role in roles[:256]} <= listed and "many-256" not in listed
    for role in roles[:256]:
        assert admin.request("DELETE", "/app/roles", query={"roleName": role["roleName"]}).status == 200
