"""Examples/evidence-page/verify.html in a headless Chromium: the project's vectors, and bundles whose digests have
receipts of a real node."""

import base64
import copy
import hashlib
import importlib.util
import json
import random
import re
import sqlite3
import time
import uuid

import pytest

from support.browser import Browser, find_browser
from support.evidence import canonical, path as path_of, root as root_of, sample, sha as H
from support.evidence_lies import LIES, TEXT_LIES, apply
from support.node import ROOT, run_cli
from support.rest import Rest

PAGE = ROOT / "Examples/evidence-page/verify.html"
COLLECTION = "sqldbledgerdigests/shop/2026-11-21T00:00:00.000000Z"

BYTES = "Uint8Array.from(atob(text), (c) => c.charCodeAt(0))"
JUDGE_BUNDLE = f"""async (text, pin, own) => {{
  const r = await verifyBundle({BYTES}, pin, own === undefined ? null : utf8(own));
  return {{ verdict: r.verdict, codes: r.codes, reason: r.reason }};
}}"""
JUDGE_RECEIPT = f"async (text, pin, id) => judgeReceipt({BYTES}, pin, id)"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


def vectors(folder: str):
    return sorted((ROOT / "Vectors" / folder).glob("*.json"))


@pytest.fixture(scope="module")
def browser():
    assert find_browser(), "chromium is missing: run scripts/setup"
    made = Browser()
    yield made
    made.close()


@pytest.fixture
def page(browser):
    """The page, freshly opened. Whatever a test does, the page may ask for nothing and log nothing."""
    browser.emulate()
    browser.open(PAGE)
    yield browser
    assert browser.requests == [PAGE.as_uri()], "the page asked the network for something"
    assert browser.log == []


def wait_for_verdict(page) -> str:
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        verdict = page.evaluate("document.documentElement.dataset.verdict ?? null")
        if verdict:
            return verdict
        time.sleep(0.05)
    raise AssertionError("no verdict")


def verify_files(page, bundle, certificate=None) -> str:
    """As a person does it: opens the files and presses the button."""
    page.choose_file("#bundle-file", bundle)
    if certificate:
        page.choose_file("#certificate-file", certificate)
    page.evaluate("document.getElementById('verify').click()")
    return wait_for_verdict(page)


def text_of(page, selector="#result") -> str:
    return page.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")


# ------------------------------------------------------------------------------------------------------ vectors


@pytest.mark.parametrize("path", vectors("receipts"), ids=lambda p: p.stem)
def test_receipt_vectors(browser, path):
    if "verify.html" not in browser.evaluate("location.href"):
        browser.open(PAGE)
    vector = json.loads(path.read_text())
    found = browser.call(
        JUDGE_RECEIPT, encoded(vector["document"]), vector["serviceCertificate"], vector.get("transactionId"))
    assert (found["verdict"], found["codes"]) == (vector["verdict"], sorted(vector["codes"])), found


@pytest.mark.parametrize("path", vectors("sql/evidence"), ids=lambda p: p.stem)
def test_evidence_vectors(browser, path):
    """The same verdicts and codes as the Swift verifier, which reads the same files."""
    if "verify.html" not in browser.evaluate("location.href"):
        browser.open(PAGE)
    vector = json.loads(path.read_text())
    own = [vector["trustedDigests"]] if "trustedDigests" in vector else []
    found = browser.call(JUDGE_BUNDLE, encoded(vector["document"]), vector["serviceCertificate"], *own)
    assert (found["verdict"], sorted(found["codes"])) == (vector["verdict"], vector["codes"]), found


def test_there_are_vectors():
    assert len(vectors("sql/evidence")) >= 240 and len(vectors("receipts")) >= 150


# --------------------------------------------------------------------------------------- receipts of a real node


@pytest.fixture(scope="module")
def real(public_node, identities):
    """The sample ledger, with the digest of its last block in the collection of a running node."""
    ledger, rows = sample()
    cover = ledger.blocks[-1]
    contents = canonical(ledger.digest(cover))
    rest = Rest(public_node, identities.contributor)
    answer = rest.append(contents, collection=COLLECTION, wait=True)
    assert answer.status == 200, answer
    transaction = answer.transaction_id
    limit = time.monotonic() + 30
    while True:
        receipt = rest.get(f"/app/transactions/{transaction}/receipt").json()
        if receipt.get("state") == "Ready":
            break
        assert time.monotonic() < limit, receipt
        time.sleep(0.1)
    rest.close()
    anchor = {
        "source": f"{public_node.url}?collection={COLLECTION}",
        "entry": {"collection_id": COLLECTION, "contents": contents, "transaction_id": transaction},
        "receipt": receipt}

    class Real:
        certificate = public_node.service_certificate
        pem = public_node.service_certificate.read_text()

        @staticmethod
        def bundle(*names):
            return ledger.bundle([ledger.item(*rows[n]) for n in names or rows], cover, copy.deepcopy(anchor))

    return Real


def test_a_real_receipt_proves_every_kind_of_value(page, real, tmp_path):
    (tmp_path / "bundle.json").write_text(json.dumps(real.bundle()))
    assert verify_files(page, tmp_path / "bundle.json", real.certificate) == "verified"
    text = text_of(page)
    assert "valid, not proven current" in text and "that a version is still current" in text
    assert "customer 3" in text and "9223372036854775807" in text and "Failed" not in text
    assert text.count("✓ Passed") > 30


@pytest.mark.parametrize("lie", LIES, ids=lambda l: l[0])
def test_lies_about_a_real_receipt(browser, real, lie):
    if "verify.html" not in browser.evaluate("location.href"):
        browser.open(PAGE)
    name, _, verdict, steps, change = lie
    changed = apply(real.bundle("row", "ended row"), change)
    found = browser.call(JUDGE_BUNDLE, encoded(json.dumps(changed)), real.pem)
    assert found["verdict"] == verdict, found
    if verdict != "unreadable":
        assert sorted(found["codes"]) == sorted(steps), found


@pytest.mark.parametrize("lie", TEXT_LIES, ids=lambda l: l[0])
def test_texts_that_are_no_bundles(browser, real, lie):
    if "verify.html" not in browser.evaluate("location.href"):
        browser.open(PAGE)
    text = json.dumps(real.bundle("row", "ended row"), ensure_ascii=False, separators=(",", ":"))
    changed = lie[3](text)
    assert changed != text
    assert browser.call(JUDGE_BUNDLE, encoded(changed), real.pem)["verdict"] == lie[2]


def test_every_byte_of_a_real_bundle_counts(page, real):
    """Changes one character at a time, all over the file. Nothing that differs in meaning may be verified."""
    text = json.dumps(real.bundle("row", "ended row"), separators=(",", ":"))
    changes = []
    for at in range(0, len(text), 7):
        other = "1" if text[at] == "0" else "0" if text[at].isdigit() else "b" if text[at] == "a" else "a"
        changes.append(text[:at] + other + text[at + 1:])
    found = page.call(
        """async (texts, pin) => {
          const out = [];
          for (const t of texts) out.push((await verifyBundle(utf8(t), pin)).verdict);
          return out;
        }""", changes, real.pem, timeout=300)
    for changed, verdict in zip(changes, found, strict=True):
        if verdict == "verified":
            place = difference(proven(json.loads(text)), proven(json.loads(changed)))
            assert place is None, f"{place} was changed and still verifies"
    assert found.count("verified") < len(found) * 0.1


def proven(bundle):
    """What the specification says is proven: the rest is taken out. A response may have members that mean nothing, and
    two of those that have a meaning may be absent."""
    for name in ("service_certificate", "service_certificate_chain"):
        bundle.pop(name)
    for item in bundle["items"]:
        del item["table"], item["current"]
        for column in item["schema"]["columns"]:
            del column["default"]
        for value in item["values"]:
            if value["type"] == "real":
                del value["value"]
    for digest in bundle["digests"]:
        del digest["source"]
        response = digest["receipt"]
        known = {"cert", "leafComponents", "proof", "signature"}
        digest["receipt"] = {
            "receipt": {name: value for name, value in response["receipt"].items() if name in known},
            "applicationClaims": [
                {name: value for name, value in claim.items() if name in {"kind", "ledgerEntry"}}
                for claim in response["applicationClaims"]]}
    return bundle


def difference(a, b, place=()):
    """Where two values differ first; None when they are equal."""
    if a == b:
        return None
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return next(d for name in a if (d := difference(a[name], b[name], (*place, name))))
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return next(d for x, y in zip(a, b) if (d := difference(x, y, place)))
    return place or ("the whole",)


def test_another_service_vouches_for_nothing(page, real, new_node, tmp_path):
    other = new_node("public")
    (tmp_path / "bundle.json").write_text(json.dumps(real.bundle("row")))
    assert verify_files(page, tmp_path / "bundle.json", other.service_certificate) == "failed"
    assert "A node of the service that you trust signed it" in text_of(page, "li.failed")


def test_the_program_agrees_about_the_receipt(real, tmp_path):
    (tmp_path / "receipt.json").write_text(json.dumps(real.bundle("row")["digests"][0]["receipt"]))
    done = run_cli("receipt", "verify", tmp_path / "receipt.json", "--service-certificate", real.certificate)
    assert done.returncode == 0, done.stderr


# ----------------------------------------------------------------- bundles that the program wrote from a real database


@pytest.fixture(scope="module")
def exported(public_node, identities, tmp_path_factory):
    """Rows of a database whose digests are in a running node, as the program exports them."""
    folder = tmp_path_factory.mktemp("exported")
    database, out = folder / "app.db", folder / "rows.json"
    store = ["--store", f"{public_node.url}?collection=page/{uuid.uuid4()}",
             "--service-certificate", public_node.service_certificate,
             "--certificate", identities.contributor.combined_file]

    def run(*words):
        done = run_cli(*words, environment={"XDG_STATE_HOME": str(folder / "state")})
        assert done.returncode == 0, (words, done.stdout, done.stderr)

    plain = sqlite3.connect(database)
    plain.executescript("""
        CREATE TABLE accounts (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, amount REAL, photo BLOB,
                               upper TEXT AS (upper(owner)) VIRTUAL);
        INSERT INTO accounts VALUES (1, 'Ada "☕"', 10.5, x'00ff'), (2, 'Bob', 1e300, NULL), (3, 'Cleo', -1, x'');
        CREATE TABLE pairs (a TEXT, b ANY, PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID;
        INSERT INTO pairs VALUES ('x', 1), ('x', 'one');
        """)
    plain.close()
    run("sql", "init", database)
    run("sql", "enable", database, "accounts", "--principal", "setup")
    run("sql", "enable", database, "pairs")
    run("sql", "watch", database, "--once", *store)
    for number in range(3):
        run("sql", "exec", database, f"UPDATE accounts SET amount = amount + {number + 1} WHERE id = 1",
            "--principal", "alice")
        run("sql", "watch", database, "--once", *store)
    run("evidence", "export", database, "--table", "accounts", "--row", "1", "--row", "2", "--version", "all",
        "--with-schema", *store, "--out", out)
    return out


def both(page, path, certificate):
    """Verdict and failed steps: of the page, and of the program."""
    found = page.call(JUDGE_BUNDLE, base64.b64encode(path.read_bytes()).decode(), certificate.read_text())
    done = run_cli("evidence", "verify", path, "--service-certificate", certificate, "--json")
    if done.returncode == 2 and not done.stdout:
        return (found["verdict"],), ("unreadable",)
    report = json.loads(done.stdout)
    failed = {s["name"] for subject in report["subjects"] for s in subject["steps"] if s["outcome"] == "failed"}
    return (found["verdict"], sorted(found["codes"])), (report["verdict"], sorted(failed))


def test_what_the_program_exports_is_verified_by_the_page(page, exported, public_node):
    assert verify_files(page, exported, public_node.service_certificate) == "verified"
    text = text_of(page)
    assert 'Ada "☕"' in text and "alice" in text and "1e+300" in text and "proven as of transaction" in text
    assert "Cleo" not in text, "other rows are not disclosed"
    ours, theirs = both(page, exported, public_node.service_certificate)
    assert ours == theirs == ("verified", [])


@pytest.mark.parametrize("seed", range(12))
def test_the_program_and_the_page_agree_about_changed_files(page, exported, public_node, tmp_path, seed):
    """Each seed changes one character of a string or number somewhere in the file."""
    text = exported.read_text()
    chance = random.Random(seed)
    for attempt in range(2):
        at = chance.choice([m.start() for m in re.finditer(r"[0-9a-zA-Z]", text)])
        other = chance.choice([c for c in "0189abfzA" if c != text[at]])
        path = tmp_path / f"{attempt}.json"
        path.write_text(text[:at] + other + text[at + 1:])
        ours, theirs = both(page, path, public_node.service_certificate)
        assert ours == theirs, (at, text[max(0, at - 60):at + 20])


# ---------------------------------------------------------------------------------------------------- arithmetic


def test_signatures_out_of_range_are_refused(page):
    """A signature may not be made valid by adding the order, and zeros sign nothing."""
    assert page.evaluate("""(async () => {
        const out = [];
        for (const [name, c] of Object.entries(curves)) {
          // The public key is the generator itself: the private key is 1. With nonce 1, r is its x and s is z + r.
          const z = await H(utf8(name)), r = mod(c.g[0], c.n), s = mod(bigOf(z) + r, c.n);
          const ok = (r, s) => isSignatureOfDigest(c, c.g, z, { r, s });
          out.push(ok(r, s), ok(r, c.n - s), ok(r + c.n, s), ok(r, s + c.n), ok(0n, 0n), ok(r, 0n), ok(0n, s), ok(c.n, s), ok(r, s + 1n));
        }
        return out;
    })()""") == [True, True, *[False] * 7] * 3


def test_curves_are_those_of_the_browser(page):
    """What the page computes by itself agrees with the browser's own signatures: both ways, on each curve."""
    assert page.evaluate("""(async () => {
        const out = [];
        for (const name of Object.keys(curves)) {
          const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: name }, true, ["sign", "verify"]);
          const key = readKey(new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey)));
          for (let i = 0; i < 20; i++) {
            const text = utf8(`${name} ${i}`), raw = new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, text));
            const size = raw.length / 2, signature = { r: bigOf(raw.subarray(0, size)), s: bigOf(raw.subarray(size)) };
            out.push(isSignatureOfDigest(curves[key.curve], key.point, await H(text), signature));
            out.push(!isSignatureOfDigest(curves[key.curve], key.point, await H(text, u8(0)), signature));
          }
        }
        return out.length === 120 && out.every(Boolean);
    })()""") is True


def test_points_off_the_curve_are_refused(page):
    assert page.evaluate("""Object.entries(keyPrefix).map(([prefix, name]) => {
        const c = curves[name], key = (x, y) => concat(fromHex(prefix), u8(4), unsigned(x, c.size), unsigned(y, c.size));
        const code = (x, y) => { try { return readKey(key(x, y)).curve; } catch (error) { return error.code; } };
        return [code(...c.g) === name, code(c.g[0], c.g[1] + 1n), code(0n, 0n), code(c.g[0], c.p - c.g[1]) === name];
    })""") == [[True, "malformed", "malformed", True]] * 3


def test_paths_of_every_small_tree(page):
    """Against the recursive definition; a leaf that is not in the tree has no path at all."""
    trees = [[root_of([H(bytes([i])) for i in range(n)]).hex(), [
        [int(s[0] == "L") for s in path_of(i, [H(bytes([i])) for i in range(n)])] for i in range(n)]] for n in range(1, 34)]
    assert page.call("(trees) => trees.every(([, paths], n) => paths.every((p, i) => "
                     "p.map((l) => l ? 'L' : 'R').join('') === sides(BigInt(i), BigInt(n + 1))))", trees)
    assert page.evaluate("""(async () => {
        const z = new Uint8Array(32), path = (i, n) => [...sides(i, n)].map((side) => ({ side, hash: z }));
        const out = [];
        for (let n = 1n; n < 20n; n++) for (let i = n; i < 40n; i++) out.push(await fold(z, path(i, n), i, n));
        return out.every((x) => x === null) && await fold(z, path(3n, 5n), 3n, 5n) !== null;
    })()""") is True


def test_a_name_is_not_proven_by_a_later_event(page):
    assert page.evaluate("""(async () => {
        const row = (transaction, sequence, start) => ({ tableID: 1n, table: "a", columns: [], start, sequence, transaction: { id: transaction } });
        const events = [{ table: 1n, name: "a", schema: await schemaDigest(1n, []), transaction: 5n, after: 2n }];
        const proof = async (...r) => String(await nameProof(row(...r), events));
        return [await proof(4n, 9n, null), await proof(5n, 1n, null), await proof(5n, 2n, null), await proof(6n, 0n, null),
          await proof(6n, 0n, { transaction: 4n, sequence: 0n }), await proof(9n, 0n, { transaction: 5n, sequence: 2n })];
    })()""") == ["null", "null", "5", "5", "null", "5"]


# ------------------------------------------------------------------------------------------------- the page itself


def test_the_page_is_sealed():
    """One file; its policy allows exactly its own script and style; nothing is ever parsed as markup."""
    html = PAGE.read_text()
    specification = importlib.util.spec_from_file_location("seal", PAGE.parent / "seal.py")
    seal = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(seal)
    assert seal.sealed(html) == html, "run Examples/evidence-page/seal.py"
    assert "default-src 'none'" in html and "unsafe" not in html and "connect-src" not in html
    assert not re.search(r"https?://|//[a-z]+\.|\bsrc=|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", html)


def test_the_policy_stops_requests_and_foreign_scripts(browser, tmp_path):
    browser.emulate()
    browser.open(PAGE)
    assert browser.evaluate("fetch('https://example.invalid/x').then(() => 'sent', () => 'stopped')") == "stopped"
    assert browser.evaluate("""new Promise((done) => {
        const s = document.createElement('script'); s.textContent = 'window.hacked = 1'; document.head.append(s);
        const i = new Image(); i.onerror = () => done(window.hacked ?? 'stopped'); i.src = 'https://example.invalid/x.png';
    })""") == "stopped"
    assert not [u for u in browser.requests if u.startswith("https:") and "blocked" not in " ".join(browser.log)]


def test_markup_in_a_bundle_is_text(page, real, tmp_path):
    bundle = real.bundle("markup", "odd text")
    bundle["items"][0]["table"] = "<img src=x onerror=\"document.title='hacked'\">"
    bundle["digests"][0]["source"] = "javascript:document.title='hacked'"
    (tmp_path / "bundle.json").write_text(json.dumps(bundle))
    assert verify_files(page, tmp_path / "bundle.json", real.certificate) == "verified"
    text = text_of(page)
    assert "<b>bold</b><img src=x onerror=alert(1)>" in text and "<img src=x onerror=\"document" in text
    assert page.evaluate("document.title") == "Verify evidence"
    assert page.evaluate("document.querySelectorAll('#result img, #result b, #result a, #result script').length") == 0


def test_characters_that_deceive_are_shown_as_their_code(page, real, tmp_path):
    (tmp_path / "bundle.json").write_text(json.dumps(real.bundle("odd text", "markup")))
    assert verify_files(page, tmp_path / "bundle.json", real.certificate) == "verified"
    text = text_of(page)
    assert "\\u{202e}" in text and "\\u{7}" in text and "a\\u{0}b" in text
    assert "\u202e" not in text and "日本 e\u0301" in text
    # A text that is written like such a code is another one.
    shown = page.evaluate("JSON.stringify(['a\\\\u{a}b', 'a\\nb', 'a\\\\b'].map((t) => told(t).textContent))")
    assert json.loads(shown) == ["a\\\\u{a}b", "a\\u{a}b", "a\\\\b"]


def test_without_a_certificate_nothing_is_vouched_for(page, real, tmp_path):
    bundle = real.bundle("row")
    bundle["service_certificate"] = real.pem
    (tmp_path / "bundle.json").write_text(json.dumps(bundle))
    assert verify_files(page, tmp_path / "bundle.json") == "unanchored"
    assert "no service certificate was given" in text_of(page)


def test_a_digest_of_ones_own_stands_in_for_a_receipt(page, real, tmp_path):
    bundle = real.bundle("row")
    bundle["digests"][0] |= {"entry": None, "receipt": None}
    digest = bundle["digests"][0]["digest"]
    (tmp_path / "bundle.json").write_text(json.dumps(bundle))
    assert verify_files(page, tmp_path / "bundle.json", real.certificate) == "unanchored"
    (tmp_path / "own.json").write_text(canonical(dict(digest, block_id=3, block_count=4)) + "\n" + canonical(digest) + "\n")
    page.choose_file("#digests-file", tmp_path / "own.json")
    assert verify_files(page, tmp_path / "bundle.json", real.certificate) == "verified"
    (tmp_path / "own.json").write_text(canonical(dict(digest, hash="0x" + "AB" * 32)))
    page.choose_file("#digests-file", tmp_path / "own.json")
    assert verify_files(page, tmp_path / "bundle.json", real.certificate) == "failed"
    assert "your own digest of block 9 has another hash" in text_of(page, "li.failed")
    for change, told in ({"database_name": "other"}, "database name"), (
            {"last_transaction_commit_time": "1999-01-01T00:00:00.000000Z"}, "last commit time"):
        (tmp_path / "own.json").write_text(canonical(dict(digest, **change)))
        page.choose_file("#digests-file", tmp_path / "own.json")
        assert verify_files(page, tmp_path / "bundle.json", real.certificate) == "failed"
        assert f"your own digest of block 9 has another {told}" in text_of(page, "li.failed")
    (tmp_path / "own.json").write_text(canonical(dict(digest, digest_time="1999-01-01T00:00:00.000000Z")))
    page.choose_file("#digests-file", tmp_path / "own.json")
    assert verify_files(page, tmp_path / "bundle.json", real.certificate) == "verified"
    assert "when the digests were made, unless your own say the same time" in text_of(page)
    (tmp_path / "own.json").write_text("hello")
    page.choose_file("#digests-file", tmp_path / "own.json")
    assert verify_files(page, tmp_path / "bundle.json", real.certificate) == "unreadable"
    assert "list of your own digests" in text_of(page)


def test_the_name_of_a_table_is_proven_by_its_event(page, tmp_path):
    """The vector has the schema event of its table among its items."""
    vector = json.loads((ROOT / "Vectors/sql/evidence/good.json").read_text())
    (tmp_path / "bundle.json").write_text(vector["document"])
    (tmp_path / "pin.pem").write_text(vector["serviceCertificate"])
    assert verify_files(page, tmp_path / "bundle.json", tmp_path / "pin.pem") == "verified"
    assert "proven as of transaction 1" in text_of(page) and "the names of tables" not in text_of(page)
    assert "still called so when its row was written" in text_of(page), "a later event may have been left out"
    # A receipt alone says neither who stored the digest nor when it was made.
    assert "who stored the digests" in text_of(page) and "when the digests were made" in text_of(page)
    event = vector["document"].replace('"login":"', '"login":"x')
    assert event != vector["document"]
    (tmp_path / "bundle.json").write_text(event)
    assert verify_files(page, tmp_path / "bundle.json", tmp_path / "pin.pem") == "failed"
    assert "proven as of" not in text_of(page), "nothing is proven by what failed"
    vector = json.loads((ROOT / "Vectors/sql/evidence/name-not-proven.json").read_text())
    (tmp_path / "bundle.json").write_text(vector["document"])
    assert verify_files(page, tmp_path / "bundle.json", tmp_path / "pin.pem") == "verified"
    assert "proven as of" not in text_of(page) and "the names of tables" in text_of(page)


def test_an_entry_is_shown_with_its_contents(page, tmp_path):
    vector = json.loads((ROOT / "Vectors/sql/evidence/entry.json").read_text())
    (tmp_path / "bundle.json").write_text(vector["document"])
    (tmp_path / "pin.pem").write_text(vector["serviceCertificate"])
    assert verify_files(page, tmp_path / "bundle.json", tmp_path / "pin.pem") == "verified"
    assert "ledger entry 2.20" in text_of(page) and "hello\\u{a}" in text_of(page)


def test_pasting_works_and_the_last_choice_counts(page, real, tmp_path):
    page.call("""(bundle, pin) => {
        document.getElementById('bundle-text').value = bundle;
        document.getElementById('certificate-text').value = pin;
        document.getElementById('verify').click();
    }""", json.dumps(real.bundle("row")), real.pem)
    assert wait_for_verdict(page) == "verified"
    lied = real.bundle("row")
    lied["items"][0]["values"][0]["value"] = "4"
    (tmp_path / "lie.json").write_text(json.dumps(lied))
    assert verify_files(page, tmp_path / "lie.json") == "failed", "the opened file takes the place of the pasted text"
    assert "values, columns, operation, place or path were changed" in text_of(page, "li.failed")


@pytest.mark.parametrize("content, reason", [
    (b"", "cannot be read"), (b"\xff\xfe", "not UTF-8"), (b"{}", "missing"), (b"[" * 100_000, "nested too deeply"),
])
def test_garbage_is_told_not_thrown(page, real, tmp_path, content, reason):
    (tmp_path / "bundle.json").write_bytes(content)
    assert verify_files(page, tmp_path / "bundle.json", real.certificate) == "unreadable"
    assert reason in text_of(page)


@pytest.mark.parametrize("content, reason", [
    (b"hello", "service certificate cannot be read"), (b"\xff\xfe\x00", "is not text"),
])
def test_a_bad_pin_is_told(page, real, tmp_path, content, reason):
    (tmp_path / "bundle.json").write_text(json.dumps(real.bundle("row")))
    (tmp_path / "pin.pem").write_bytes(content)
    assert verify_files(page, tmp_path / "bundle.json", tmp_path / "pin.pem") == "unreadable"
    assert reason in text_of(page)


RESULT = """() => {
    const section = document.getElementById('result');
    return [section.hidden, section.textContent, document.documentElement.dataset.verdict ?? null];
}"""


@pytest.mark.parametrize("name", ["bundle", "certificate", "digests"])
def test_a_result_goes_when_anything_is_chosen_or_pasted(page, real, tmp_path, name):
    good, lie = tmp_path / "good.json", tmp_path / "lie.json"
    good.write_text(json.dumps(real.bundle("row")))
    lie.write_text("{}")
    assert verify_files(page, good, real.certificate) == "verified"
    assert str(hashlib.sha256(good.read_bytes()).hexdigest()) in text_of(page) and "good.json" in text_of(page)
    page.choose_file(f"#{name}-file", lie)
    assert page.call(RESULT) == [True, "", None], "another file was chosen"
    for kind in ["bundle", "certificate"]:
        page.choose_file(f"#{kind}-file", good if kind == "bundle" else real.certificate)
    page.evaluate("document.getElementById('digests-file').value = ''")
    page.evaluate("document.getElementById('verify').click()")
    assert wait_for_verdict(page) == "verified"
    paste(page, name, "{}")
    assert page.call(RESULT) == [True, "", None], "text was pasted"
    assert page.evaluate(f"document.getElementById('{name}-file').files.length") == 0, "the file is not what is verified"


def paste(page, name, text):
    """As a person does it: the text area tells that it has changed."""
    page.call("""(name, text) => {
        const area = document.getElementById(`${name}-text`);
        area.value = text;
        area.dispatchEvent(new Event("input", { bubbles: true }));
    }""", name, text)


def test_pasted_text_is_named_by_its_hash(page, real):
    text = json.dumps(real.bundle("row"))
    paste(page, "bundle", text)
    paste(page, "certificate", real.pem)
    page.evaluate("document.getElementById('verify').click()")
    assert wait_for_verdict(page) == "verified"
    assert "pasted text" in text_of(page) and hashlib.sha256(text.encode()).hexdigest() in text_of(page)
    paste(page, "bundle", "{}")
    page.evaluate("document.getElementById('verify').click()")
    assert wait_for_verdict(page) == "unreadable"
    assert hashlib.sha256(b"{}").hexdigest() in text_of(page)


def test_a_result_that_comes_too_late_is_not_shown(page, real, tmp_path):
    """The inputs change while the verification runs."""
    (tmp_path / "good.json").write_text(json.dumps(real.bundle("row")))
    page.choose_file("#bundle-file", tmp_path / "good.json")
    page.choose_file("#certificate-file", real.certificate)
    page.evaluate("""(async () => {
        const judge = verifyBundle;
        verifyBundle = async (...given) => { const report = await judge(...given); window.judged = true; return report; };
        document.getElementById('verify').click();
        document.getElementById('bundle-text').dispatchEvent(new Event("input", { bubbles: true }));
        while (!window.judged) await new Promise((go) => setTimeout(go, 10));
        await new Promise((go) => setTimeout(go, 50));
    })()""")
    assert page.call(RESULT) == [True, "", None]


def test_the_program_names_what_it_trusts(real, public_node, tmp_path):
    """Only the documented option and variable pin anything; the pin is told."""
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps(real.bundle("row")))
    der = base64.b64decode("".join(real.pem.split("-----")[2].split()))
    digits = hashlib.sha256(der).hexdigest().upper()
    fingerprint = ":".join(digits[place:place + 2] for place in range(0, 64, 2))
    for words, environment in ((["--service-certificate", real.certificate], {}),
                               ([], {"INDELIBLE_SERVICE_CERTIFICATE": str(real.certificate)})):
        done = run_cli("evidence", "verify", bundle, *words, environment=environment)
        assert done.returncode == 0 and f"pinned service certificate {fingerprint}" in done.stdout, done
        report = json.loads(run_cli("evidence", "verify", bundle, *words, "--json", environment=environment).stdout)
        assert report["service_fingerprint"] == fingerprint
    for environment in ({"INDELIBLE_DATA": str(public_node.directory)}, {}):
        done = run_cli("evidence", "verify", bundle, "--json", environment=environment)
        report = json.loads(done.stdout)
        assert done.returncode == 2 and report["verdict"] == "unanchored" and report["service_fingerprint"] is None


def test_digests_that_are_not_compared_are_named(page, real, tmp_path):
    """By the page and by the program, in the same words; they change no verdict."""
    bundle = real.bundle("row")
    digest = bundle["digests"][0]["digest"]
    (tmp_path / "bundle.json").write_text(json.dumps(bundle))
    other = canonical(dict(digest, block_id=3, block_count=4))
    foreign = canonical(dict(digest, ledger_id="cd" * 16))
    sixth = [canonical(dict(digest, block_id=block, block_count=block + 1)) for block in range(8)]
    for lines, says in [
        ([canonical(digest)], []),
        ([other], ["not compared: your digest of block 3 (the bundle is anchored at block 9)"]),
        ([foreign], ["not compared: your digest of another ledger"]),
        ([foreign, foreign, *sixth], ["not compared: your 2 digests of another ledger",
         "not compared: your 8 digests of blocks 0, 1, 2, 3, 4 and 3 more (the bundle is anchored at block 9)"]),
    ]:
        (tmp_path / "own.json").write_text("\n".join(lines) + "\n")
        page.choose_file("#digests-file", tmp_path / "own.json")
        assert verify_files(page, tmp_path / "bundle.json", real.certificate) == "verified"
        shown = page.evaluate("[...document.querySelectorAll('.not-compared')].map((p) => p.innerText)")
        assert shown == says
        words = ["evidence", "verify", tmp_path / "bundle.json", "--service-certificate", real.certificate,
                 "--digest", tmp_path / "own.json"]
        done = run_cli(*words)
        assert done.returncode == 0 and [line for line in done.stdout.splitlines() if "not compared" in line] == says
        assert json.loads(run_cli(*words, "--json").stdout)["not_compared"] == says


def test_nothing_chosen_is_told(page):
    page.evaluate("document.getElementById('verify').click()")
    assert wait_for_verdict(page) == "unreadable"
    assert "first" in text_of(page)


def test_ten_thousand_rows_are_verified(page, real):
    bundle = real.bundle("row", "ended row")
    bundle["items"] = bundle["items"] * 5_000  # as many as a bundle may have
    started = time.monotonic()
    found = page.call(JUDGE_BUNDLE, encoded(json.dumps(bundle)), real.pem, timeout=120)
    assert found["verdict"] == "verified" and "10000 items" in found["reason"]
    assert time.monotonic() - started < 60


# ---------------------------------------------------------------------------------- people with other eyes and paper


def test_every_input_has_a_name_and_results_are_announced(page):
    unnamed = page.evaluate("""[...document.querySelectorAll('input, textarea, button')]
        .filter((e) => !(e.labels?.length || e.textContent.trim())).map((e) => e.id)""")
    assert unnamed == []
    assert page.evaluate("document.getElementById('result').getAttribute('aria-live')") == "polite"
    assert page.evaluate("document.documentElement.lang") == "en"


def test_verdicts_do_not_depend_on_colour(page, real, tmp_path):
    lied = real.bundle("row")
    lied["items"][0]["values"][0]["value"] = "4"
    (tmp_path / "lie.json").write_text(json.dumps(lied))
    verify_files(page, tmp_path / "lie.json", real.certificate)
    marks = page.evaluate("[...document.querySelectorAll('li .mark')].map((m) => m.innerText)")
    assert "✗ Failed" in marks and "✓ Passed" in marks
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map((h) => Number(h.tagName[1]))")
    assert levels[0] == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:]))


def luminance(colour: str) -> float:
    parts = [int(v) / 255 for v in re.findall(r"\d+", colour)[:3]]
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["verified", "failed", "unanchored"])
def test_contrast_is_enough(page, real, tmp_path, scheme, kind):
    bundle = real.bundle("row")
    if kind == "failed":
        bundle["items"][0]["values"][0]["value"] = "4"
    (tmp_path / "bundle.json").write_text(json.dumps(bundle))
    page.emulate(scheme)
    assert verify_files(page, tmp_path / "bundle.json", None if kind == "unanchored" else real.certificate) == kind
    pairs = page.evaluate("""[...document.querySelectorAll('body *')].filter((e) => e.checkVisibility()
        && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).map((e) => {
            let at = e, back = 'rgba(0, 0, 0, 0)';
            while (at && /, 0\\)$/.test(back)) { back = getComputedStyle(at).backgroundColor; at = at.parentElement; }
            return [getComputedStyle(e).color, back, e.innerText.slice(0, 30)];
        })""")
    assert len(pairs) > 30
    for colour, back, text in pairs:
        a, b = sorted((luminance(colour), luminance(back)))
        assert (b + 0.05) / (a + 0.05) >= 4.5, (colour, back, text)
    assert (luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) < 0.1) == (scheme == "dark")


def test_it_prints_without_the_form(page, real, tmp_path):
    (tmp_path / "bundle.json").write_text(json.dumps(real.bundle("row")))
    verify_files(page, tmp_path / "bundle.json", real.certificate)
    page.emulate(media="print")
    assert page.evaluate("document.getElementById('form').checkVisibility()") is False
    assert page.evaluate("document.querySelector('.verdict').checkVisibility()") is True
    assert page.pdf().startswith(b"%PDF")


def test_it_fits_a_narrow_screen(page, real, tmp_path):
    (tmp_path / "bundle.json").write_text(json.dumps(real.bundle()))
    page._call("Emulation.setDeviceMetricsOverride", width=360, height=700, deviceScaleFactor=1, mobile=True)
    try:
        verify_files(page, tmp_path / "bundle.json", real.certificate)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    finally:
        page._call("Emulation.clearDeviceMetricsOverride")
