"""Random histories against a model of the service (support/model.py), by seed.

A history is a list of steps; each carries a seed of its own, so that steps can be left out and the others stay what they
were. A failure says the seed and the shortest list of steps that still fails.

    MODEL_SEEDS=1-500     more seeds than the few of the smoke run
    MODEL_STEPS=200       longer histories (default 50)
    MODEL_ONLY=17:3,8,21  one history, these steps of it only
"""

import base64
import concurrent.futures
import datetime
import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
import uuid
from pathlib import Path

import httpx
import pytest

from support.judge import judge
from support.model import BUILT_IN, DEFAULT, PATHS, Entry, Model, sequence
from support.node import Node
from support.receipts import verify_cose_with_ccf, verify_with_sdk
from support.rest import Answer, Rest, fields, tls_context

SMOKE = [1, 3, 4]
STEPS = int(os.environ.get("MODEL_STEPS", "50"))
ID = re.compile(r"^[1-9][0-9]*\.[1-9][0-9]*$")
FIVE_VERSIONS = ["2022-05-13", "2024-12-09-preview", "2026-02-23", "2026-07-31-preview", None]

COLLECTIONS = [
    None, None, DEFAULT, "a", "a b/ü", "A", "日本 語", "?&=#+%", "%41", "..", "current", "x" * 1024, "é" * 512, "\u0001\r\n",
    "subledger:1", "😀", "\ufeff", "'; DROP TABLE names; --", " ",
    "e\u0301 ", "\u00e9 ",
]
TAGS = ["a", "b", "A", "ü", "x" * 64, "日本", "a b", "+", "%2C", "😀" * 64, "'", "\u0001", "e\u0301", "\u00e9"]
CONTENTS = [
    "", "x", "é\n\"\\/", "\u0000", "a\u0000b", "😀", "\u2028\u2029\u007f\ufeff\uffff", "\\u0041", '{"contents":"inner"}', "\r\n\t\b\f",
    "e\u0301 is not \u00e9", "\U0010ffff", "y" * 5000, "日" * 4000,
]
ROLE_NAMES = ["writer", "Writer", "r w/ü", "auditor", "*", "e\u0301", "\u00e9"]
ACTIONS = [
    *("Microsoft.ConfidentialLedger/ledger/" + action for action in PATHS), *(path for list in PATHS.values() for path in list),
    "/app/transactions/get", "/transactions/*", "/app/*", "/users/*", "*", "Microsoft.ConfidentialLedger/ledger/*",
    "/nothing/real", "transactions/read", "/Transactions/get", "/transactions/", "/transactions*",
]


class Mismatch(AssertionError):
    pass


def due(condition, *words):
    if not condition:
        raise Mismatch(" ".join(map(str, words))[:1500])


def escape(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def micros(text: str) -> int:
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    since = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(value: int, rng) -> str:
    """The same time in one of the forms of RFC 3339."""
    offset = rng.choice([0, 0, 90, -330])
    then = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=value) + datetime.timedelta(minutes=offset)
    text = then.strftime("%Y-%m-%d") + rng.choice("Tt ") + then.strftime("%H:%M:%S.%f") + rng.choice(["", "9", "000"])
    return text + (rng.choice("Zz") if offset == 0 else f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}")


class Http2:
    """The same calls as Rest, over HTTP/2."""

    def __init__(self, node, identity=None, token=None):
        self._node, self._identity, self._token, self._client = node, identity, token, None

    def request(self, method, path, body=None, headers=None, **_):
        if self._client is None:
            context = tls_context(self._node.service_certificate, self._identity.combined_file if self._identity else None)
            self._client = httpx.Client(http1=False, http2=True, verify=context, timeout=30)
        content = body.encode() if isinstance(body, str) else body
        answer = self._client.request(
            method, self._node.url + "/", content=content, headers=fields(body, self._token, headers), extensions={"target": path.encode()})
        return Answer(answer.status_code, answer.headers.items(), answer.content)

    def close(self):
        if self._client:
            self._client.close()
            self._client = None


class Actor:
    def __init__(self, name, user, identity=None, token=None, good=True):
        self.name, self.user, self.identity, self.token, self.good = name, user, identity, token, good
        self.wires: dict = {}

    def wire(self, node, http2: bool):
        made = self.wires.get(http2)
        if made is None:
            made = self.wires[http2] = (Http2 if http2 else Rest)(node, self.identity, self.token)
        return made

    def close(self):
        for wire in self.wires.values():
            wire.close()
        self.wires = {}


class History:
    """One node, one model, and the steps that both take."""

    STEPS = {
        "append": 14, "repeat": 3, "burst": 3, "bad_append": 2, "read": 5, "strange_id": 2, "current": 3, "range": 6,
        "lists": 3, "receipt": 3, "set_user": 6, "remove_user": 2, "users": 2, "set_roles": 5, "remove_role": 2, "roles": 1,
        "governance": 1, "node_calls": 1, "files": 1, "restart": 1, "kill": 1, "kill_in_burst": 1, "drop_index": 1,
        "pipeline": 1, "pieces": 2, "bad_wire": 2, "bad_calls": 2,
    }

    def __init__(self, seed, directory, identities, issuer, model=Model):
        rng = random.Random(seed)
        self.directory = directory
        self.node = Node(
            directory / "data", ledger_type=rng.choice(["public", "private"]), administrator=identities.admin,
            issuers=[issuer],
            options=["--chunk-size", rng.choice([4096, 20_000, 100_000]), "--snapshot-interval", rng.choice([10, 25, 60]),
                     "--max-body-size", 200_000])
        self.model = model(identities.admin.user_id)
        self.actors = [
            Actor("admin", identities.admin.user_id, identities.admin),
            Actor("contributor", identities.contributor.user_id, identities.contributor),
            Actor("reader", identities.reader.user_id, identities.reader),
            Actor("stranger", identities.stranger.user_id, identities.stranger),
            Actor("token-1", "token-1", token=issuer.token("token-1")),
            # A token counts before the certificate of its connection.
            Actor("token-2", "Token.2;K`", identities.reader, issuer.token("Token.2;K`")),
            Actor("somebody", "somebody", token=issuer.token("somebody")),
            Actor("a long name", "x" * 256, token=issuer.token("x" * 256)),
            Actor("nobody", None),
            Actor("bad token", None, identities.admin, issuer.token("token-1", lifetime=-1000), good=False),
        ]
        self.admin = self.actors[0]
        self.receipts: dict[str, dict] = {}
        self.done: list[str] = []
        self.node.start()
        self.pem = self.node.service_certificate.read_text()

    # Calls

    def call(self, rng, actor, method, path, query=(), body=None, headers=None, version="2026-02-23"):
        pairs = [(name, value) for name, value in query if value is not None]
        if version:
            pairs.insert(rng.randint(0, len(pairs)), ("api-version", version))
        target = path + ("?" + "&".join(f"{name}={escape(value)}" for name, value in pairs) if pairs else "")
        return self.target(rng, actor, method, target, body, headers)

    def target(self, rng, actor, method, target, body=None, headers=None):
        if isinstance(body, (dict, list)):
            body = json.dumps(body, ensure_ascii=rng.random() < 0.5)
        answer = actor.wire(self.node, rng.random() < 0.3).request(method, target, body, headers, **(
            {"api_version": None}))
        self.what = f"{actor.name}: {method} {target[:400]} {str(body)[:200] if body else ''} -> {answer}"
        due(self.node.is_running, "the node died:", self.what, self.node.log()[-500:])
        due(answer.status != 500, "internal error:", self.what, self.node.log()[-500:])
        found = answer.transaction_id
        due(found and ID.match(found), "no transaction id:", self.what)
        due(("retry-after" in answer.headers) <= (answer.status in (429, 503)), "retry-after:", self.what)
        due(sequence(found) >= self.model.last or answer.status == 200 and method == "POST", "an older state:", self.what)
        if sequence(found) > self.model.last:
            self.model.last = sequence(found)
        self.model.view = max(self.model.view, int(found.split(".")[0]))
        if answer.status >= 400 and method != "HEAD":
            due(answer.code and answer.message, "no error body:", self.what)
        return answer

    def expect(self, answer, status, code=None):
        due(answer.status == status and (not code or answer.code == code), f"due is {status} {code or ''}:", self.what)
        return answer

    def permitted(self, actor, action, answer) -> bool:
        """Whether the call went past the guards; else its refusal is checked."""
        if actor.user is None:
            self.expect(answer, 401, "InvalidAuthenticationInfo")
            return False
        if not self.model.allowed(actor.user, action):
            self.expect(answer, 403, "NotAllowed")
            due(actor.user in answer.message, "the refusal names nobody:", self.what)
            return False
        due(answer.status != 401 and (answer.status != 403 or action.endswith("write")), "refused:", self.what)
        return True

    def someone(self, rng, action):
        """Mostly somebody who may."""
        able = [actor for actor in self.actors if actor.user and self.model.allowed(actor.user, action)]
        return rng.choice(able if able and rng.random() < 0.8 else self.actors)

    # Entries

    def contents(self, rng):
        if rng.random() < 0.03:
            return "z" * rng.randint(50_000, 150_000)
        if rng.random() < 0.5:
            return rng.choice(CONTENTS)
        return "".join(chr(rng.choice([rng.randint(0, 127), rng.randint(128, 0xD7FF), rng.randint(0xE000, 0x10FFFF)]))
                       for _ in range(rng.randint(0, 60)))

    def entry_call(self, rng):
        collection, tags = rng.choice(COLLECTIONS), rng.sample(TAGS, rng.choice([0, 0, 1, 2, 5]))
        query = [("collectionId", collection), ("tags", ",".join(tags) if tags else None)]
        rng.shuffle(query)
        return query, self.contents(rng), collection or DEFAULT, tags

    def created(self, answer, actor, contents, collection, tags, request_id, wait):
        self.expect(answer, 200)
        body = answer.json()
        due(body["collectionId"] == collection, "another collection:", self.what)
        key = (actor.user, request_id, collection, tuple(tags), contents)
        if request_id and key in self.model.requests:
            due(answer.transaction_id == self.model.requests[key], "a repeat was another write:", self.what)
        else:
            entry = Entry(answer.transaction_id, collection, contents, tags, actor.user)
            due(not self.model.find(entry.id), "an id was given twice:", self.what)
            due(not self.model.entries or entry.seqno > self.model.entries[-1].seqno, "an older id:", self.what)
            self.model.added(entry)
            if request_id:
                self.model.requests[key] = entry.id
        if wait:
            due(body["transactionId"] == answer.transaction_id and body["state"] == "Committed", self.what)
            verify_with_sdk({**body, "state": "Ready"}, self.pem, contents=contents, collection=collection)

    def append(self, rng, actor=None, again=None):
        actor = actor or self.someone(rng, "transactions/write")
        query, contents, collection, tags = self.entry_call(rng)
        request_id = rng.choice([None, "", str(uuid.UUID(int=rng.getrandbits(128))), "same", "x" * 256])
        if again:
            request_id, collection, tags, contents = again
            query = [("collectionId", collection), ("tags", ",".join(tags) if tags else None)]
        wait = rng.random() < 0.2
        if wait:
            query.append(("waitForCommit", rng.choice(["true", "True", "TRUE"])))
        answer = self.call(
            rng, actor, "POST", "/app/transactions", query, {"contents": contents},
            None if request_id is None else {"x-ms-client-request-id": request_id}, rng.choice(FIVE_VERSIONS))
        if self.permitted(actor, "transactions/write", answer):
            self.created(answer, actor, contents, collection, tags, request_id, wait)

    def repeat(self, rng):
        known = [key for key in self.model.requests if any(actor.user == key[0] for actor in self.actors)]
        if known:
            user, *again = rng.choice(known)
            self.append(rng, next(actor for actor in self.actors if actor.user == user and actor.good), again)

    def burst(self, rng, kill=False):
        """Many at once, so that one batch holds several; with `kill` the node dies meanwhile and all are sent again."""
        able = [actor for actor in self.actors if actor.user and self.model.allowed(actor.user, "transactions/write")]
        if not able:
            return
        calls = []
        for number in range(rng.randint(4, 20)):
            query, contents, collection, tags = self.entry_call(rng)
            calls.append((rng.choice(able), query, contents[:2000], collection, tags, f"{rng.getrandbits(64)}-{number}"))

        def send(call):
            actor, query, contents, _, _, request_id = call
            wire = Rest(self.node, actor.identity, actor.token)
            items = [(name, value) for name, value in query if value is not None]
            target = "/app/transactions?" + "&".join(f"{name}={escape(value)}" for name, value in items)
            try:
                return wire.request("POST", target, {"contents": contents},
                                    {"x-ms-client-request-id": request_id}, api_version=None)
            except (OSError, Exception) as error:
                return error
            finally:
                wire.close()

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            futures = [pool.submit(send, call) for call in calls]
            if kill:
                time.sleep(rng.random() * 0.08)
                self.node.kill()
            answers = [future.result() for future in futures]
        if kill:
            self.again()
        for call, answer in zip(calls, answers):
            actor, _, contents, collection, tags, request_id = call
            self.what = f"{actor.name}: burst, {collection!r} {contents[:60]!r} -> {answer!r}"
            if not isinstance(answer, Answer) or answer.status == 503:
                due(kill, "no answer:", self.what)
                answer = send(call)
                self.what += f" and again {answer!r}"
            elif kill:
                repeated = send(call)
                due(repeated.transaction_id == answer.transaction_id, "a repeat was another write:", self.what, repeated)
            self.expect(answer, 200)
            entry = Entry(answer.transaction_id, collection, contents, tags, actor.user)
            due(not self.model.find(entry.id), "an id was given twice:", self.what)
            due(entry.seqno > max([item.seqno for item in self.model.entries if item.id not in self.fresh], default=0),
                "an older id:", self.what)
            self.fresh.add(entry.id)
            self.model.added(entry)
            self.model.requests[actor.user, request_id, collection, tuple(tags), contents] = entry.id
            self.model.last = max(self.model.last, entry.seqno)
        self.fresh.clear()

    fresh: set = set()

    def bad_append(self, rng):
        actor = self.someone(rng, "transactions/write")
        good = '{"contents":"x"}'
        query, body, headers, status, code = rng.choice([
            ([("collectionId", "x" * 1025)], good, {}, 400, "InvalidQueryParameterValue"),
            ([("collectionId", "é" * 513)], good, {}, 400, "InvalidQueryParameterValue"),
            ([("collectionId", "a\0b")], good, {}, 400, "InvalidInput"),
            ([("tags", "a,b,c,d,e,f")], good, {}, 400, "InvalidInput"), ([("tags", "x" * 65)], good, {}, 400, "InvalidInput"),
            ([("tags", "a,,b")], good, {}, 400, "InvalidInput"), ([("tags", "a,a")], good, {}, 400, "InvalidInput"),
            ([("waitForCommit", "yes")], good, {}, 400, "InvalidQueryParameterValue"),
            ([], '{"contents":"\\ud800"}', {}, 400, "InvalidInput"), ([], '{"contents":"\\udc00\\ud800"}', {}, 400, "InvalidInput"),
            ([], b'{"contents":"\xed\xa0\x80"}', {}, 400, "InvalidInput"), ([], b'{"contents":"\xc0\x80"}', {}, 400, "InvalidInput"),
            ([], '{"contents":"a","contents":"b"}', {}, 400, "InvalidInput"), ([], good + "x", {}, 400, "InvalidInput"),
            ([], '{"contents":"x","a":' + "[" * 40 + "]" * 40 + "}", {}, 400, "InvalidInput"),
            ([], '{"contents":"x","preHooks":[{"functionId":"f"}]}', {}, 400, "InvalidInput"),
            ([], '{"contents":"' + "x" * 200_000 + '"}', {}, 413, "RequestEntityTooLarge"),
            ([], good, {"content-type": "text/plain"}, 415, "UnsupportedMediaType"),
            ([], good, {"content-encoding": "gzip"}, 415, "UnsupportedMediaType"),
            ([], good, {"x-ms-client-request-id": "x" * 257}, 400, "InvalidHeaderValue"),
        ])
        answer = self.call(rng, actor, "POST", "/app/transactions", query, body, headers)
        if status == 413 and answer.status == 413:
            return  # what declares to be too large is refused before anybody is asked who they are
        if self.permitted(actor, "transactions/write", answer):
            self.expect(answer, status, code)

    def shown(self, found, entry):
        """An entry as the service shows it."""
        due(entry.collection == found["collectionId"], "collection:", repr(entry.collection), found)
        due(entry.contents == found["contents"], "contents:", repr(entry.contents[:200]), str(found)[:600])
        due(entry.id == found["transactionId"] and entry.author == found["author"], entry, str(found)[:600])
        due(sorted(entry.tags) == sorted(found.get("tags", [])), "tags:", entry.tags, str(found)[:600])
        when = micros(found["time"])
        due(entry.time in (None, when), "the time changed:", entry.time, found["time"])
        entry.time = when
        due(abs(when / 1e6 - time.time()) < 3600, "the time is wrong:", found["time"])

    def read(self, rng):
        if not self.model.entries:
            return
        actor, entry = self.someone(rng, "transactions/read"), rng.choice(self.model.entries)
        path = f"/app/transactions/{entry.id}"
        if rng.random() < 0.3:
            answer = self.call(rng, actor, "GET", path + "/status", version=rng.choice(FIVE_VERSIONS))
            if self.permitted(actor, "transactions/read", answer):
                due(self.expect(answer, 200).json() == {"state": "Committed", "transactionId": entry.id}, self.what)
            return
        collection = rng.choice([None, entry.collection, entry.collection, rng.choice(COLLECTIONS)])
        answer = self.call(rng, actor, "GET", path, [("collectionId", collection)], version=rng.choice(FIVE_VERSIONS))
        if not self.permitted(actor, "transactions/read", answer):
            return
        if collection not in (None, entry.collection):
            self.expect(answer, 404, "UnknownLedgerEntry")
            return
        due(self.expect(answer, 200).json()["state"] == "Ready", self.what)
        self.shown(answer.json()["entry"], entry)

    def strange_id(self, rng):
        actor, view, last = self.someone(rng, "transactions/read"), self.model.view, self.model.last
        known = rng.choice(self.model.entries).seqno if self.model.entries else 1
        name, code = rng.choice([
            (f"{view}.{last + 1000}", "TransactionPendingOrUnknown"), (f"{view + 5}.{last + 1000}", "TransactionPendingOrUnknown"),
            (f"{view + 1}.{known}", "TransactionInvalid"), (f"1.{known}", "TransactionInvalid"),
            (f"1.{last + 1000}", "TransactionInvalid"),
            ("2", "InvalidTransactionId"), ("2.", "InvalidTransactionId"), ("-2.1", "InvalidTransactionId"),
            ("2.1%20", "InvalidTransactionId"), ("2.18446744073709551616", "InvalidTransactionId"),
            ("%EF%BC%92.1", "InvalidTransactionId"), ("2%2F1", "InvalidTransactionId"), ("2.1%00", "InvalidTransactionId"),
        ])
        suffix = rng.choice(["", "/status", "/receipt", "/receipt/cose"])
        answer = self.call(rng, actor, "GET", f"/app/transactions/{name}{suffix}", headers={"accept": "*/*"})
        if self.permitted(actor, "transactions/read", answer):
            self.expect(answer, 404, code)
        if code != "InvalidTransactionId":
            answer = self.call(rng, actor, "GET", "/node/tx", [("transaction_id", name)])
            status = {"TransactionInvalid": "Invalid", "TransactionPendingOrUnknown": "Unknown"}[code]
            if actor.good:
                due(self.expect(answer, 200).json() == {"transaction_id": name, "status": status}, self.what)

    def current(self, rng):
        actor, collection = self.someone(rng, "transactions/read"), rng.choice(COLLECTIONS)
        answer = self.call(rng, actor, "GET", "/app/transactions/current", [("collectionId", collection)])
        if self.permitted(actor, "transactions/read", answer):
            entry = self.model.current(collection or DEFAULT)
            if entry is None:
                self.expect(answer, 404, "CollectionNotFound")
            else:
                self.shown(self.expect(answer, 200).json(), entry)

    def follow(self, rng, actor, answer, name, limit=None):
        """All items of a list, by its next links."""
        items = []
        for _ in range(1000):
            body = self.expect(answer, 200).json()
            page, link = body[name], body.get("nextLink")
            due(limit is None or len(page) <= limit, "a longer page:", self.what)
            items += page
            if link is None:
                return items
            due(link.startswith("/app/"), "next link:", self.what)
            answer = self.target(rng, actor, "GET", link)
        raise Mismatch("a list without end: " + self.what)

    def range(self, rng, collection=None, actor=None):
        actor = actor or self.someone(rng, "transactions/read")
        # The times of all entries are learnt first: by one plain read.
        collection = collection or rng.choice(COLLECTIONS)
        name = collection or DEFAULT
        every = self.model.range(name)
        answer = self.call(rng, actor, "GET", "/app/transactions", [("collectionId", collection)])
        if not self.permitted(actor, "transactions/read", answer):
            return
        found = self.follow(rng, actor, answer, "entries", 100)
        due([item["transactionId"] for item in found] == [entry.id for entry in every], f"entries of {name!r}:",
            [item["transactionId"] for item in found], "due:", [entry.id for entry in every])
        for item, entry in zip(found, every):
            self.shown(item, entry)
        times = [entry.time for entry in every]
        due(times == sorted(times), "times go back:", times)
        query, bounds = [("collectionId", collection)], {}
        ids = [entry.id for entry in every] + [f"2.{rng.randint(1, self.model.last + 50)}", "2.18446744073709551615"]
        for parameter, key, share in (("fromTransactionId", "low", 0.4), ("toTransactionId", "high", 0.4)):
            if rng.random() < share:
                chosen = rng.choice(ids)
                query.append((parameter, chosen))
                bounds[key] = sequence(chosen)
        if rng.random() < 0.35:
            bounds["tag"] = rng.choice(TAGS)
            query.append(("tag", bounds["tag"]))
        if rng.random() < 0.35:
            bounds["author"] = rng.choice([actor.user for actor in self.actors if actor.user])
            query.append(("author", rng.choice([bounds["author"], bounds["author"].lower()]) if ":" in bounds["author"]
                          else bounds["author"]))
        for parameter, key in (("fromTime", "start"), ("toTime", "end")):
            if every and rng.random() < 0.35:
                bounds[key] = rng.choice(times) + rng.choice([0, 0, 1, -1, 10**9, -(10**9)])
                query.append((parameter, moment(bounds[key], rng)))
        limit = rng.choice([None, 1, 2, 3, 7, 1000])
        if limit:
            query.append(("limit", str(limit)))
        rng.shuffle(query)
        answer = self.call(rng, actor, "GET", "/app/transactions", query, version=rng.choice(FIVE_VERSIONS))
        asked = self.what
        if self.model.entries and rng.random() < 0.2 and self.model.allowed(self.admin.user, "transactions/write"):
            due(answer.status == 200, self.what)
            bounds["high"] = min(bounds.get("high", self.model.last), self.model.last)
            self.append(rng, self.admin)  # the first page has fixed the upper bound
        found = self.follow(rng, actor, answer, "entries", limit or 100)
        wanted = self.model.range(name, **bounds)
        due([item["transactionId"] for item in found] == [entry.id for entry in wanted], "range:", asked[:700], "all pages:",
            [item["transactionId"] for item in found], "due:", [entry.id for entry in wanted])
        for item, entry in zip(found, wanted):
            self.shown(item, entry)

    def lists(self, rng):
        actor, limit = self.someone(rng, "collections/read"), rng.choice([None, 1, 2, 5, 1000])
        query = [("limit", str(limit) if limit else None)]
        answer = self.call(rng, actor, "GET", "/app/collections", query, version=rng.choice(FIVE_VERSIONS))
        if not self.permitted(actor, "collections/read", answer):
            return
        found = [item["collectionId"] for item in self.follow(rng, actor, answer, "collections", limit)]
        due(found == self.model.collections(), "collections:", found, "due:", self.model.collections())
        collection = rng.choice(COLLECTIONS)
        answer = self.call(rng, actor, "GET", "/app/collections/tags", query + [("collectionId", collection)])
        found = self.follow(rng, actor, answer, "tags", limit)
        due(found == self.model.tags(collection), f"tags of {collection!r}:", found, "due:", self.model.tags(collection))

    def receipt(self, rng, entry=None, actor=None):
        if not self.model.entries:
            return
        entry, actor = entry or rng.choice(self.model.entries), actor or self.someone(rng, "transactions/read")
        path = f"/app/transactions/{entry.id}/receipt"
        answer = self.call(rng, actor, "GET", path)
        if not self.permitted(actor, "transactions/read", answer):
            return
        document = self.expect(answer, 200).json()
        verify_with_sdk(document, self.pem, contents=entry.contents, collection=entry.collection)
        leaf = document["receipt"]["leafComponents"]
        before = self.receipts.setdefault(entry.id, document)
        due(before["receipt"]["leafComponents"] == leaf, "another leaf than before:", self.what)
        if rng.random() < 0.5:
            answer = self.call(rng, actor, "GET", path, headers={"accept": "application/cose"})
        else:
            answer = self.call(rng, actor, "GET", path + "/cose", headers={"accept": "*/*"})
        due(self.expect(answer, 200).headers["content-type"] == "application/cose", self.what)
        verify_cose_with_ccf(answer.body, self.pem, bytes.fromhex(leaf["claimsDigest"]))

    # Users and roles

    def user_path(self, rng, user):
        family = rng.choice(["users", "ledgerUsers"])
        text = user.lower() if rng.random() < 0.2 and ":" in user else user
        return family, f"/app/{family}/{escape(text) if rng.random() < 0.5 else urllib.parse.quote(text, safe=':;.')}"

    def anyone(self, rng):
        return rng.choice([actor.user for actor in self.actors if actor.user])

    def check_user(self, body, family, user):
        wanted = {"userId": user, "assignedRole": self.model.assigned(user)} if family == "users" else {
            "userId": user, "assignedRoles": self.model.users[user]}
        due(body == wanted, "user:", body, "due:", wanted, self.what)

    def set_user(self, rng):
        actor, user = self.someone(rng, "users/write"), self.anyone(rng)
        family, path = self.user_path(rng, user)
        every = [*BUILT_IN, *BUILT_IN, "reader", "ADMINISTRATOR", *self.model.roles, *self.model.roles, "NoSuchRole"]
        roles = [rng.choice(every) for _ in range(1 if family == "users" else rng.randint(1, 3))]
        body = {"assignedRole": roles[0]} if family == "users" else {"assignedRoles": roles}
        media = rng.choice(["application/json", "application/merge-patch+json"])
        answer = self.call(rng, actor, "PATCH", path, body=body, headers={"content-type": media})
        if self.permitted(actor, "users/write", answer):
            self.expect(answer, *self.model.set_user(actor.user, user, roles))
            if answer.status == 200:
                self.check_user(answer.json(), family, user)
                self.model.others.append(answer.transaction_id)

    def remove_user(self, rng):
        actor, user = self.someone(rng, "users/delete"), self.anyone(rng)
        answer = self.call(rng, actor, "DELETE", self.user_path(rng, user)[1])
        if self.permitted(actor, "users/delete", answer):
            self.expect(answer, *self.model.remove_user(user))
            due(answer.status != 204 or answer.body == b"", self.what)

    def users(self, rng):
        actor, user, limit = self.someone(rng, "users/read"), self.anyone(rng), rng.choice([None, 1, 2, 100])
        family, path = self.user_path(rng, user)
        answer = self.call(rng, actor, "GET", path)
        if not self.permitted(actor, "users/read", answer):
            return
        if user in self.model.users:
            self.check_user(self.expect(answer, 200).json(), family, user)
        else:
            self.expect(answer, 404, "UserNotFound")
        answer = self.call(rng, actor, "GET", f"/app/{family}", [("limit", str(limit) if limit else None)])
        found = self.follow(rng, actor, answer, "ledgerUsers", limit)
        due([item["userId"] for item in found] == sorted(self.model.users), "users:", found, "due:", self.model.users)
        for item in found:
            self.check_user(item, family, item["userId"])

    def role_list(self, version, body, reading=True):
        if version in ("2022-05-13", "2024-12-09-preview"):
            due(isinstance(body, list), "an array is due:", self.what)
            return body
        return body["role" if reading else "roles"]

    def set_roles(self, rng):
        actor, version, create = self.someone(rng, "roles/write"), rng.choice(FIVE_VERSIONS), rng.random() < 0.5
        names = rng.sample(ROLE_NAMES + ["reader"], rng.choice([1, 1, 2]))
        roles = [(name, rng.sample(ACTIONS, rng.randint(0, 3))) for name in names]
        snake = rng.random() < 0.3
        words = [{"role_name": name, "role_actions": list} if snake else {"roleName": name, "roleActions": list}
                 for name, list in roles]
        answer = self.call(
            rng, actor, "PUT" if create else "PATCH", "/app/roles", body=rng.choice([words, {"roles": words}]),
            version=version)
        if self.permitted(actor, "roles/write", answer):
            self.expect(answer, *self.model.set_roles(actor.user, roles, create))
            if answer.status == 200:
                due(self.role_list(version, answer.json(), False)
                    == [{"roleName": name, "roleActions": list} for name, list in roles], self.what)

    def remove_role(self, rng):
        actor, name, version = self.someone(rng, "roles/delete"), rng.choice(ROLE_NAMES + ["Reader"]), rng.choice(FIVE_VERSIONS)
        answer = self.call(rng, actor, "DELETE", "/app/roles", [("roleName", name)], version=version)
        if self.permitted(actor, "roles/delete", answer):
            status, code = self.model.remove_role(name)
            self.expect(answer, 204 if status == 200 and version == "2026-07-31-preview" else status, code)

    def roles(self, rng):
        actor, version, name = self.someone(rng, "roles/read"), rng.choice(FIVE_VERSIONS), rng.choice(ROLE_NAMES)
        answer = self.call(rng, actor, "GET", "/app/roles", version=version)
        if not self.permitted(actor, "roles/read", answer):
            return
        found = self.role_list(version, self.expect(answer, 200).json())
        due(sorted((item["roleName"], item["roleActions"]) for item in found)
            == sorted(self.model.roles.items()), "roles:", found, "due:", self.model.roles)
        answer = self.call(rng, actor, "GET", "/app/roles", [("roleName", name)], version=version)
        if name in self.model.roles:
            found = self.role_list(version, self.expect(answer, 200).json())
            due(found == [{"roleName": name, "roleActions": self.model.roles[name]}], self.what)
        else:
            self.expect(answer, 404, "RoleNotFound")

    # The node

    def governance(self, rng):
        for path, action in (("governance/constitution", "governance/read"), ("governance/members", "governance/read"),
                             ("enclaveQuotes", "enclaveQuotes/read")):
            actor = self.someone(rng, action)
            answer = self.call(rng, actor, "GET", f"/app/{path}")
            if not self.permitted(actor, action, answer):
                continue
            body = self.expect(answer, 200).json()
            if path.endswith("constitution"):
                due(hashlib.sha256(body["script"].encode()).hexdigest() == body["digest"], "constitution", body["digest"])
            elif path.endswith("members"):
                due(body["members"] and all(len(item["id"]) == 64 for item in body["members"]), body)
            else:
                due(body["currentNodeId"] in body["enclaveQuotes"], body)

    def node_calls(self, rng):
        nobody = next(actor for actor in self.actors if actor.name == "nobody")
        ask = lambda path, *query: self.expect(self.call(rng, nobody, "GET", path, query), 200)
        for path in ("state", "version", "network", "network/nodes", "network/nodes/self", "network/nodes/primary",
                     "config", "consensus", "quotes", "quotes/self", "attestations", "attestations/self", "metrics",
                     "service/configuration", "self_signed_certificate", "api"):
            ask(f"/node/{path}").json()
        due(ask("/node/state").json()["state"] == "PartOfNetwork", self.what)
        due(ask("/node/network").json()["service_certificate"].strip() == self.pem.strip(), self.what)
        for prefix in ("/app", "/node"):
            before = self.model.last
            answer = ask(f"{prefix}/commit", ("view_history", "true")).json()
            due(sequence(answer["transaction_id"]) >= before, self.what)
            due(answer["view_history"], self.what)
            if self.model.entries:
                entry = rng.choice(self.model.entries)
                answer = ask(f"{prefix}/tx", ("transaction_id", entry.id)).json()
                due(answer == {"transaction_id": entry.id, "status": "Committed"}, self.what)
                receipt = ask(f"{prefix}/receipt", ("transaction_id", entry.id)).json()
                due(receipt["leaf_components"]["commit_evidence"].startswith(f"ce:{entry.id}:"), self.what)
        for path in ("ready/app", "ready/gov"):
            self.expect(self.call(rng, nobody, "GET", f"/node/{path}"), 204)
        due(ask("/health").json()["status"] == "ok", self.what)
        due(b"# TYPE" in ask("/metrics").body, self.what)
        due(ask("/ledgerIdentity/127").json()["ledgerTlsCertificate"] == self.pem, self.what)
        due(ask("/failover/localhost").json()["failoverLedgers"] == [], self.what)
        self.expect(self.call(rng, nobody, "HEAD", "/node/primary"), 200)
        for id in rng.sample(self.model.others, min(2, len(self.model.others))):
            answer = self.call(rng, self.admin, "GET", f"/app/transactions/{id}")
            if self.permitted(self.admin, "transactions/read", answer):
                self.expect(answer, 404, "UnknownLedgerEntry")

    def files(self, rng):
        for kind, directory in (("ledger-chunk", self.node.ledger_directory), ("snapshot", self.node.directory / "snapshots")):
            actor = self.someone(rng, "transactions/read")
            since = rng.randint(0, max(1, self.model.last))
            answer = self.call(rng, actor, "GET", f"/node/{kind}", [("since", str(since))])
            if not self.permitted(actor, "transactions/read", answer):
                continue
            if answer.status == 404:
                continue
            path = self.expect(answer, 308).headers["location"]
            data = (directory / urllib.parse.unquote(path.rsplit("/", 1)[1])).read_bytes()
            answer = self.expect(self.call(rng, actor, "GET", path, headers={"want-repr-digest": "sha-256=1"}), 200)
            due(answer.body == data, "another file:", path)
            digest = "sha-256=:" + base64.b64encode(hashlib.sha256(data).digest()).decode() + ":"
            due(answer.headers.get("repr-digest") == digest and answer.headers["etag"] == f'"{digest}"', answer.headers)
            self.expect(self.call(rng, actor, "GET", path, headers={"if-none-match": answer.headers["etag"]}), 304)
            low = rng.randrange(len(data))
            high = rng.randint(low, len(data) + 10)
            answer = self.call(rng, actor, "GET", path, headers={"range": f"bytes={low}-{high}"})
            due(self.expect(answer, 206).body == data[low : high + 1], self.what[:300])
            answer = self.call(rng, actor, "GET", path, headers={"range": f"bytes=-{high}"})
            due(high == 0 or self.expect(answer, 206).body == data[-high:], self.what[:300])
            self.expect(self.call(rng, actor, "GET", path, headers={"range": f"bytes={len(data)}-"}), 416)
            answer = self.expect(self.call(rng, actor, "HEAD", path), 200)
            due(int(answer.headers["content-length"]) == len(data), self.what)

    def leave(self):
        for actor in self.actors:
            actor.close()

    def again(self):
        self.leave()
        self.node.start()

    def restart(self, rng):
        self.leave()
        due(self.node.stop() == 0, "exit code:", self.node.log()[-500:])
        self.again()

    def kill(self, rng):
        self.node.kill()
        self.again()

    def kill_in_burst(self, rng):
        self.burst(rng, kill=True)

    def drop_index(self, rng):
        self.leave()
        self.node.stop() if rng.random() < 0.5 else self.node.kill()
        shutil.rmtree(self.node.directory / "index")
        self.again()

    # Bytes

    def socket(self, identity):
        plain = socket.create_connection(("127.0.0.1", self.node.port), timeout=10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return tls_context(self.node.service_certificate, identity.combined_file).wrap_socket(
            plain, server_hostname="127.0.0.1")

    @staticmethod
    def answers(wire, count):
        """The next `count` answers of a connection; fewer when it ends."""
        stream, found = wire.makefile("rb"), []
        while len(found) < count:
            line = stream.readline()
            if not line:
                break
            status, headers = int(line.split()[1]), []
            while (field := stream.readline()) not in (b"\r\n", b""):
                name, _, value = field.decode().partition(":")
                headers.append((name, value.strip()))
            length = int(dict((name.lower(), value) for name, value in headers).get("content-length", 0))
            if status >= 200:
                found.append(Answer(status, headers, stream.read(length)))
        return found

    def pipeline(self, rng):
        wire, wanted, sent = self.socket(self.admin.identity), [], b""
        able = self.model.allowed(self.admin.user, "transactions/write")
        for number in range(rng.randint(2, 12)):
            if able and rng.random() < 0.4:
                body = json.dumps({"contents": f"pipelined {number}"}).encode()
                sent += (b"POST /app/transactions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                         b"content-length: %d\r\n\r\n" % len(body)) + body
                wanted.append(number)
            else:
                path, status = rng.choice([("/node/version", 200), ("/app/nothing", 404), ("https://x/node/state", 200)])
                sent += f"{'GET'} {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode()
                wanted.append((path, status))
        with wire:
            wire.sendall(sent)
            found = self.answers(wire, len(wanted))
        due(len(found) == len(wanted), "answers:", found, "due:", wanted)
        for answer, want in zip(found, wanted):
            self.what = f"pipelined {want} -> {answer}"
            if isinstance(want, tuple):
                self.expect(answer, want[1])
            else:
                self.created(answer, self.admin, f"pipelined {want}", DEFAULT, [], None, False)

    def pieces(self, rng):
        """One append whose bytes arrive in pieces, in chunks of any size."""
        contents, head = self.contents(rng)[:3000], b"POST /app/transactions?collectionId=%61 HTTP/1.1\r\nHost: x\r\n"
        head += b"cOnTeNt-TyPe:  application/json \r\n"
        body = json.dumps({"contents": contents}).encode()
        if rng.random() < 0.5:
            data, at = b"", 0
            while at < len(body):
                piece = body[at : at + rng.choice([1, 3, 50, 5000])]
                data += f"{len(piece):{rng.choice(['x', 'X', '04x'])}}{rng.choice(['', ';a=b', ';a'])}\r\n".encode() + piece + b"\r\n"
                at += len(piece)
            message = head + b"transfer-encoding: chunked\r\n\r\n" + data + b"0\r\n" + rng.choice([b"", b"x: y\r\n"]) + b"\r\n"
        else:
            message = head + b"content-length: %d\r\n\r\n" % len(body) + body
        with self.socket(self.admin.identity) as wire:
            cuts = sorted(rng.sample(range(1, len(message)), min(5, len(message) - 1)))
            for low, high in zip([0, *cuts], [*cuts, len(message)]):
                wire.sendall(message[low:high])
                time.sleep(rng.choice([0, 0.002]))
            found = self.answers(wire, 1)
        self.what = f"pieces {message[:300]!r} -> {found}"
        due(found, "no answer:", self.what)
        if self.permitted(self.admin, "transactions/write", found[0]):
            self.created(found[0], self.admin, contents, "a", [], None, False)

    def bad_wire(self, rng):
        """Never written; what follows on the connection is never taken for a request of its own."""
        post, body = b"POST /app/transactions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n", b'{"contents":"never"}'
        chunked = b"14\r\n" + body + b"\r\n0\r\n\r\n"
        message, statuses = rng.choice([
            (post + b"content-length: 20\r\ntransfer-encoding: chunked\r\n\r\n" + chunked, (400,)),
            (post + b"transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n" + chunked, (400,)),
            (post + b"transfer-encoding : chunked\r\n\r\n" + chunked, (400,)),
            (post + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n" + chunked, (400,)),
            (post + b"transfer-encoding: xchunked\r\n\r\n" + chunked, (400,)),
            (post + b"content-length: 20\r\ncontent-length: 20\r\n\r\n" + body, (400,)),
            (post + b"content-length: 20\r\ncontent-length: 21\r\n\r\n" + body, (400,)),
            (post + b"content-length: +20\r\n\r\n" + body, (400,)), (post + b"content-length: 0x14\r\n\r\n" + body, (400,)),
            (post + b"transfer-encoding: chunked\r\n\r\n14\n" + body + b"\n0\n\n", (400,)),
            (post + b"transfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n" + body, (400,)),
            (post + b"transfer-encoding: chunked\r\n\r\n-14\r\n" + body, (400,)),
            (b"POST /app/transactions HTTP/1.1\nhost: x\ncontent-type: application/json\ncontent-length: 20\n\n" + body, (400,)),
            (b"GET /node/state HTTP/1.1\r\nhost: x\nx: y\r\n\r\n", (400,)),
            (b"GET /node/state HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n", (400,)),
            (b"GET /node/state HTTP/1.1\r\nhost: x\r\nx: \0\r\n\r\n", (400,)),
            (b"GET /app/transactions/current?collectionId=\xff HTTP/1.1\r\nhost: x\r\n\r\n", (400,)),
            (b"GET /app/users/%ff HTTP/1.1\r\nhost: x\r\n\r\n", (400,)), (b"GET /app/%zz HTTP/1.1\r\nhost: x\r\n\r\n", (400,)),
            (b"GET /node/state HTTP/1.1\r\n\r\n", (400,)), (b"GET /node/state HTTP/7.3\r\nhost: x\r\n\r\n", (400,)),
            (b"GET /app/" + b"a" * rng.randint(33_000, 90_000) + b" HTTP/1.1\r\nhost: x\r\n\r\n", (431,)),
            (b"GET /node/state HTTP/1.1\r\nhost: x\r\nx: " + b"a" * rng.randint(33_000, 90_000) + b"\r\n\r\n", (431,)),
            (b"GET /node/state HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 130 + b"\r\n", (431,)),
            (b"GET /app/collections?limit=1&limit=1 HTTP/1.1\r\nhost: x\r\n\r\n", (400,)),
            (b"\x16\x03\x01" * 30 + b"\r\n\r\n", (400,)), (rng.randbytes(200) + b"\r\n\r\n", (400, 431)),
        ])
        with self.socket(self.admin.identity) as wire:
            wire.settimeout(5)
            try:
                wire.sendall(message)
                found = self.answers(wire, 1)
            except OSError as error:
                found = []
                due(len(message) > 30_000, "no answer:", repr(error), message[:200])
        self.what = f"{message[:300]!r} -> {found}"
        if not self.model.allowed(self.admin.user, "transactions/write"):
            statuses += (403,)  # comes first where only the body is wrong
        due(not found or found[0].status in statuses, f"due is {statuses}:", self.what)
        due(self.node.is_running, "the node died:", self.what)
        self.range(rng, DEFAULT, self.admin)

    def bad_calls(self, rng):
        method, target, headers, status, code = rng.choice([
            ("GET", "/app/collections?limit=1&limit=2", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/app/collections?l%69mit=1&limit=2", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/app/collections?limit=0", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/app/collections?limit=1001", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/app/collections?limit=%zz", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/app/collections?cursor=%21", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/app/collections?" + "&".join(f"a{i}=1" for i in range(65)), {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/app/collections?api-version=2019-01-01", {}, 400, "UnsupportedApiVersion"),
            ("GET", "/app/collections", {"accept": "text/html"}, 406, "UnsupportedContentType"),
            ("GET", "/app/transactions?fromTransactionId=2", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/app/transactions?fromTime=2026-02-30T00:00:00Z", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/app/transactions?toTime=now", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/app/transactions?tag=a,b", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/app/transactions?tag=" + "x" * 65, {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/app/transactions?limit=1e2", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/app/transactions/current?collectionId=" + "x" * 10_000, {}, 400, "InvalidQueryParameterValue"),
            ("DELETE", "/app/transactions", {}, 405, "UnsupportedHttpVerb"),
            ("POST", "/app/users/x", {}, 405, "UnsupportedHttpVerb"),
            ("OPTIONS", "/app/transactions", {}, 204, None),
            ("GET", "/app/nothing", {}, 404, "ResourceNotFound"), ("GET", "/", {}, 404, "ResourceNotFound"),
            ("GET", "/app/userDefinedFunctions", {}, 404, "NotOffered"), ("GET", "/app/%C0%80", {}, 400, "InvalidResourceName"),
            ("DELETE", "/app/roles", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/node/tx", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/node/commit?view_history=maybe", {}, 400, "InvalidQueryParameterValue"),
            ("GET", "/node/ledger-chunk/..%2Fkeys", {}, 404, "ResourceNotFound"),
            ("GET", "/ledgerIdentity/elsewhere", {}, 404, "ResourceNotFound"),
            ("PATCH", "/app/users/AB:CD", {}, 400, "InvalidResourceName"), ("PATCH", "/app/users/a%20b", {}, 400, "InvalidInput"),
            ("PATCH", "/app/users/" + "x" * 257, {}, 400, "InvalidResourceName"),
        ])
        body = '{"assignedRole":"Reader"}' if method == "PATCH" else None
        actor = next(actor for actor in self.actors if "Administrator" in self.model.users.get(actor.user, []))
        self.expect(self.target(rng, actor, method, target, body, headers), status, code)

    # Whole histories

    def take(self, step: int, name: str, seed: int):
        self.done.append(name)
        self.what = ""
        try:
            getattr(self, name)(random.Random(seed))
        except Mismatch as error:
            raise Mismatch(f"step {step} ({name}): {error}") from None
        except AssertionError as error:
            raise Mismatch(f"step {step} ({name}): {error}; {self.what}"[:1500]) from None
        except Exception as error:
            raise Mismatch(f"step {step} ({name}): {type(error).__name__}: {error}; {self.what}"[:1500]) from error

    def finish(self):
        """Every entry is there, with and without the index; every receipt verifies; both verifiers accept the files."""
        rng = random.Random(0)
        if "Administrator" not in self.model.users.get(self.admin.user, []):  # some other administrator puts that right
            other = next(actor for actor in self.actors if "Administrator" in self.model.users.get(actor.user, []))
            answer = self.call(rng, other, "PATCH", f"/app/users/{self.admin.user}", body={"assignedRole": "Administrator"})
            self.expect(answer, *self.model.set_user(other.user, self.admin.user, ["Administrator"]))
        for round in range(2):
            for collection in self.model.collections():
                self.range(rng, collection, self.admin)
            self.lists(rng)
            self.users(random.Random(1))
            self.roles(random.Random(1))
            if round == 0:
                self.drop_index(rng)
        for entry in self.model.entries:
            self.receipt(rng, entry, self.admin)
        for document in self.receipts.values():
            verify_with_sdk(document, self.pem)
        self.leave()
        judge(self.node)
        if self.receipts:
            newest = self.directory / "newest.json"
            newest.write_text(json.dumps(self.receipts[max(self.receipts, key=sequence)]))
            code, _, done = self.node.verify("--service-certificate", self.node.service_certificate, "--expect-receipt", newest)
            due(code == 0, "the newest receipt is not of this directory:", done.stdout, done.stderr)

    def close(self):
        self.leave()
        self.node.kill()
        if not os.environ.get("INDELIBLE_KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)


def plan(seed: int) -> list[tuple[int, str, int]]:
    rng = random.Random(seed)
    names, weights = zip(*History.STEPS.items())
    return [(number, rng.choices(names, weights)[0], rng.getrandbits(32)) for number in range(STEPS)]


def run(seed, steps, identities, issuer, model=Model) -> str | None:
    """`None`, or what was wrong."""
    history = History(seed, Path(tempfile.mkdtemp(prefix="indelible-model.")), identities, issuer, model)
    try:
        for step in steps:
            history.take(*step)
        try:
            history.finish()
        except AssertionError as error:
            raise Mismatch(f"at the end: {error}; {history.what}"[:1500]) from None
        return None
    except Mismatch as error:
        return str(error)
    finally:
        history.close()


def shrink(seed, steps, identities, issuer, model=Model, seconds=60):
    """Leaves out steps as long as something fails; bounded in time."""
    limit, size = time.monotonic() + seconds, max(1, len(steps) // 2)
    while size and time.monotonic() < limit:
        at = 0
        while at < len(steps) and time.monotonic() < limit:
            fewer = steps[:at] + steps[at + size :]
            if run(seed, fewer, identities, issuer, model):
                steps = fewer
            else:
                at += size
        size //= 2
    return steps


def examine(seed, steps, identities, issuer, model=Model):
    wrong = run(seed, steps, identities, issuer, model)
    if wrong is None:
        return
    fewest = shrink(seed, steps, identities, issuer, model)
    still = run(seed, fewest, identities, issuer, model) or f"(not every time) {wrong}"
    pytest.fail(f"MODEL_ONLY={seed}:{','.join(str(step[0]) for step in fewest)}\n{still}\n"
                + "\n".join(f"  {number} {name}" for number, name, _ in fewest), pytrace=False)


def seeds() -> list[int]:
    text = os.environ.get("MODEL_SEEDS")
    if os.environ.get("MODEL_ONLY"):
        return [int(os.environ["MODEL_ONLY"].split(":")[0])]
    if not text:
        return SMOKE
    low, _, high = text.partition("-")
    return list(range(int(low), int(high or low) + 1))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", seeds())
def test_history(seed, identities, issuer):
    steps = plan(seed)
    if os.environ.get("MODEL_ONLY"):
        chosen = {int(number) for number in os.environ["MODEL_ONLY"].split(":")[1].split(",") if number}
        steps = [step for step in steps if step[0] in chosen]
    examine(seed, steps, identities, issuer)


# A test that cannot fail is worthless: models that are wrong in one point are found out.

class ExclusiveEnd(Model):
    def range(self, *arguments, high=None, **bounds):
        return super().range(*arguments, high=None if high is None else high - 1, **bounds)


class ForgetsRepeats(Model):
    class Nothing(dict):
        def __contains__(self, key):
            return False

    def __init__(self, administrator):
        super().__init__(administrator)
        self.requests = self.Nothing()


class ReadersWrite(Model):
    def allowed(self, user, action):
        return super().allowed(user, action) or (action == "transactions/write" and super().allowed(user, "transactions/read"))


class LosesAnEntry(Model):
    def added(self, entry):
        if len(self.entries) != 5 or entry.collection == DEFAULT:
            super().added(entry)


@pytest.mark.parametrize("model", [ExclusiveEnd, ForgetsRepeats, ReadersWrite, LosesAnEntry])
def test_a_wrong_model_is_found_out(model, identities, issuer):
    wrong = next((found for seed in range(1, 9) if (found := run(seed, plan(seed)[:40], identities, issuer, model))), None)
    assert wrong, f"{model.__name__} passed for the service"


# What was found and mended.

@pytest.fixture
def lone(identities, issuer, data_directory):
    """A node that takes snapshots often, and a client of its administrator."""
    node = Node(data_directory, administrator=identities.admin, issuers=[issuer],
                options=["--chunk-size", 16384, "--snapshot-interval", 10]).start()
    yield node, Rest(node, identities.admin)
    node.kill()


def restarted_from_a_snapshot(node, rest):
    for number in range(15):
        assert rest.append(f"filler {number}").status == 200
    rest.close()
    node.restart()


def test_collections_that_differ_in_bytes_are_two(lone):
    node, rest = lone
    for name in ("caf\u00e9", "cafe\u0301"):
        assert rest.append(f"in {name}", collection=name).status == 200
    rest.close()
    node.stop()
    shutil.rmtree(node.directory / "index")  # what one batch indexes is mixed up; so it is by chance while the node runs
    node.start()
    found = {name: [item["contents"] for item in rest.get(f"/app/transactions?collectionId={escape(name)}").json()["entries"]]
             for name in ("caf\u00e9", "cafe\u0301")}
    assert found == {"caf\u00e9": ["in caf\u00e9"], "cafe\u0301": ["in cafe\u0301"]}


def test_an_entry_is_not_in_another_collection(lone):
    _, rest = lone
    made = rest.append("x", collection="caf\u00e9").transaction_id
    assert rest.get(f"/app/transactions/{made}?collectionId=cafe%CC%81").status == 404


def test_a_token_for_another_user_is_a_stranger(lone, issuer):
    node, rest = lone
    assert rest.set_user("Kim", "Contributor").status == 200
    other = Rest(node, token=issuer.token("\u212aim"))  # KELVIN SIGN, which Unicode calls equivalent to K
    assert other.append("not Kim").status == 403


def test_a_removed_user_stays_removed(lone):
    node, rest = lone
    assert rest.set_user("Kim", "Contributor").status == 200
    answer = rest.request("DELETE", "/app/users/%E2%84%AAim")
    before = rest.get("/app/users/Kim").status
    restarted_from_a_snapshot(node, rest)
    assert (before, answer.status) != (404, 204) or rest.get("/app/users/Kim").status == 404


def test_rights_that_were_taken_away_stay_away(lone, issuer):
    """Which of the two rows counts differs from start to start."""
    node, rest = lone
    user = Rest(node, token=issuer.token("user-1"))
    rest.request("PUT", "/app/roles", [{"roleName": "caf\u00e9", "roleActions": ["/transactions/post"]}])
    assert rest.set_roles("user-1", ["caf\u00e9"]).status == 200
    narrowed = rest.request("PATCH", "/app/roles", [{"roleName": "cafe\u0301", "roleActions": ["/collections/get"]}]).status
    seen = [user.append("x").status]
    for _ in range(12):
        user.close()
        restarted_from_a_snapshot(node, rest)
        seen.append(user.append("x").status)
        if seen[-1] != seen[0]:
            break
    user.close()
    assert (narrowed, set(seen)) in ((200, {403}), (404, {200}))


def test_a_removed_role_stays_removed(lone):
    node, rest = lone
    assert rest.request("PUT", "/app/roles", [{"roleName": "caf\u00e9", "roleActions": ["*"]}]).status == 200
    removed = rest.request("DELETE", "/app/roles?roleName=cafe%CC%81").status
    restarted_from_a_snapshot(node, rest)
    left = rest.get("/app/roles").json()
    assert (removed, left) in ((404, [{"roleName": "caf\u00e9", "roleActions": ["*"]}]), (200, []))


def test_a_tag_with_nul_is_another_tag(lone):
    _, rest = lone
    if rest.append("with NUL", tags=["a\u0000b"]).status == 400:
        return  # refusing such tags is as good
    assert rest.append("plain", tags=["a"]).status == 200
    assert [item["contents"] for item in rest.get("/app/transactions?tag=a").json()["entries"]] == ["plain"]


def test_request_ids_that_differ_in_bytes_are_two(lone, identities):
    node, _ = lone
    made, body = [], b'{"contents":"x"}'
    for name in (b"\xff", b"\xfe"):
        plain = socket.create_connection(("127.0.0.1", node.port), timeout=10)
        context = tls_context(node.service_certificate, identities.admin.combined_file)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as wire:
            wire.sendall(b"POST /app/transactions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                         b"x-ms-client-request-id: " + name + b"\r\ncontent-length: 16\r\n\r\n" + body)
            made.append(History.answers(wire, 1)[0])
    assert made[0].status == 400 or made[0].transaction_id != made[1].transaction_id


def test_a_time_is_found_at_once_after_the_index_was_rebuilt(lone):
    node, rest = lone
    for number in range(200):
        assert rest.append(str(number), collection="many").status == 200
    last = rest.get("/app/transactions/current?collectionId=many").json()
    rest.close()
    node.stop()
    shutil.rmtree(node.directory / "index")
    node.start()
    page = rest.get(f"/app/transactions?collectionId=many&limit=1&fromTime={escape(last['time'])}").json()
    assert [item["contents"] for item in page["entries"]] == ["199"], page.get("nextLink")


def test_an_idle_http2_connection_does_not_hold_up_the_end(lone, identities):
    node, _ = lone
    wire = Http2(node, identities.admin)
    assert wire.request("GET", "/node/state").status == 200
    node.process.send_signal(signal.SIGTERM)
    try:
        node.process.wait(4)
    except subprocess.TimeoutExpired:
        pytest.fail("still there after 4 s")
    finally:
        wire.close()


@pytest.mark.parametrize("name", ["R&D", "C#", "%41"])
def test_the_sdk_lists_the_collection_it_was_asked_for(lone, identities, name):
    from azure.confidentialledger import ConfidentialLedgerCertificateCredential, ConfidentialLedgerClient

    node, rest = lone
    for number in range(110):
        for collection in (name, "A"):
            assert rest.request("POST", f"/app/transactions?collectionId={escape(collection)}",
                                {"contents": f"{collection} {number}"}).status == 200
    with ConfidentialLedgerClient(
        endpoint=node.url, credential=ConfidentialLedgerCertificateCredential(str(identities.admin.combined_file)),
        ledger_certificate_path=str(node.service_certificate),
    ) as client:
        found = [item["contents"] for item in client.list_ledger_entries(collection_id=name)]
    assert found == [f"{name} {number}" for number in range(110)]


def test_a_cursor_is_checked_and_grants_nothing(lone, identities):
    node, rest = lone
    for number in range(4):
        assert rest.append(str(number), collection="R&D-%41-ü", tags=["C#"]).status == 200
    page = rest.get("/app/transactions?collectionId=R%26D-%2541-%C3%BC&tag=C%23&limit=2").json()
    link = urllib.parse.urlsplit(page["nextLink"])
    query = dict(urllib.parse.parse_qsl(link.query, strict_parsing=True))
    assert set(query) == {"api-version", "cursor"} and re.fullmatch(r"[A-Za-z0-9_-]+", query["cursor"])
    rest_of_it = rest.request("GET", page["nextLink"], api_version=None).json()
    assert [item["contents"] for item in page["entries"] + rest_of_it["entries"]] == ["0", "1", "2", "3"]
    for other in ("/app/collections", "/app/collections/tags", "/app/users", "/app/ledgerUsers"):
        refused = rest.request("GET", f"{other}?{link.query}", api_version=None)
        assert (refused.status, refused.code) == (400, "InvalidQueryParameterValue") and "'cursor'" in refused.message
    refused = rest.request("GET", page["nextLink"] + "&collectionId=A", api_version=None)
    assert refused.status == 400 and "'collectionId'" in refused.message
    made_up = b"\x01\x01" + b"\x01\x00\x03abc"  # fromTransactionId=abc
    cursor = base64.urlsafe_b64encode(made_up).decode().rstrip("=")
    refused = rest.get(f"/app/transactions?cursor={cursor}")
    assert refused.status == 400 and "'cursor'" in refused.message
    stranger = Rest(node, identities.stranger)
    assert stranger.request("GET", page["nextLink"], api_version=None).status == 403


@pytest.mark.parametrize("name", [b"\xff", "\ufffd".encode()])
def test_a_request_id_that_may_stand_for_others_is_refused_over_http2_too(lone, identities, name):
    node, _ = lone
    wire = Http2(node, identities.admin)
    answer = wire.request("POST", "/app/transactions", b'{"contents":"x"}', {b"x-ms-client-request-id": name})
    wire.close()
    assert (answer.status, answer.code) == (400, "InvalidHeaderValue")


def raw(node, identity, text: bytes) -> bytes:
    """Everything the node answers until it closes; at most 5 s of silence."""
    plain = socket.create_connection(("127.0.0.1", node.port), timeout=5)
    with tls_context(node.service_certificate, identity.combined_file).wrap_socket(plain, server_hostname="127.0.0.1") as wire:
        wire.sendall(text)
        found = b""
        while more := wire.recv(65_536):
            found += more
        return found


@pytest.mark.parametrize("fields", [b"connection: keep-alive, close", b"Connection: Close", b"connection: keep-alive\r\nconnection: close"])
def test_close_among_the_connection_options_closes(lone, identities, fields):
    found = raw(lone[0], identities.admin, b"GET /node/state HTTP/1.1\r\nhost: x\r\n" + fields + b"\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 200 ") and found.count(b"HTTP/1.1") == 1


def test_two_hosts_are_refused(lone, identities):
    found = raw(lone[0], identities.admin, b"GET /node/state HTTP/1.1\r\nhost: a\r\nHost: b\r\nconnection: close\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 400 ") and b"InvalidHeaderValue" in found


def test_an_answer_in_progress_is_finished_and_idle_http1_connections_end(lone, identities):
    node, rest = lone
    context = tls_context(node.service_certificate, identities.admin.combined_file)
    idle = context.wrap_socket(socket.create_connection(("127.0.0.1", node.port), timeout=10), server_hostname="127.0.0.1")
    busy = context.wrap_socket(socket.create_connection(("127.0.0.1", node.port), timeout=10), server_hostname="127.0.0.1")
    idle.sendall(b"GET /node/state HTTP/1.1\r\nhost: x\r\n\r\n")
    assert idle.recv(12) == b"HTTP/1.1 200"
    busy.sendall(b"POST /app/transactions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n"
                 b'{"contents"')
    time.sleep(1)
    node.process.send_signal(signal.SIGTERM)
    time.sleep(1)
    assert node.is_running, "an answer was in progress"
    busy.sendall(b':"x"}')
    assert busy.recv(12) == b"HTTP/1.1 200"
    busy.close()
    node.process.wait(12)  # what is held up ends after 15 s
    idle.close()
