"""Examples/evidence-page/verify.html in a headless Chromium: the project's vectors, and bundles whose digests have
receipts of a real node."""

import base64
import copy
import importlib.util
import json
import re
import time

import pytest

from support.browser import Browser, find_browser
from support.evidence import canonical, sample
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
