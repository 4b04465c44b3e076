"""The official Python SDK, unmodified, through every operation of its data-plane client, with both credentials."""

import hashlib
import io
import json
import time
import uuid

import pytest
from azure.confidentialledger import ConfidentialLedgerCertificateCredential, ConfidentialLedgerClient
from azure.confidentialledger.certificate import ConfidentialLedgerCertificateClient
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from support.issuer import TokenCredential
from support.receipts import tampered, verify_with_sdk

FAST = {"polling_interval": 0.05}


@pytest.fixture(params=["certificate", "token"])
def client(request, node, identities, issuer):
    """An administrator's client."""
    if request.param == "certificate":
        credential = ConfidentialLedgerCertificateCredential(str(identities.admin.combined_file))
    else:
        user = "5d3c1e0a-0000-4000-8000-000000000001"
        from support.rest import Rest

        rest = Rest(node, identities.admin)
        assert rest.set_user(user, "Administrator").status == 200
        rest.close()
        credential = TokenCredential(issuer, user)
    made = ConfidentialLedgerClient(
        node.url, credential, ledger_certificate_path=str(node.service_certificate), retry_total=0)
    with made:
        yield made


def sdk(node, identity, **options):
    return ConfidentialLedgerClient(
        node.url, ConfidentialLedgerCertificateCredential(str(identity.combined_file)),
        ledger_certificate_path=str(node.service_certificate), retry_total=0, **options)


def unique() -> str:
    return uuid.uuid4().hex


# Identity

def test_identity_client_then_automatic_connection(node, identities, tmp_path):
    identity = ConfidentialLedgerCertificateClient(node.url, connection_verify=str(node.service_certificate)) \
        .get_ledger_identity("indelible")
    assert identity["ledgerId"] == "indelible"
    assert identity["ledgerTlsCertificate"].strip() == node.service_certificate.read_text().strip()
    pinned = tmp_path / "service.pem"
    pinned.write_text(identity["ledgerTlsCertificate"])
    with ConfidentialLedgerClient(
        node.url, ConfidentialLedgerCertificateCredential(str(identities.admin.combined_file)),
        ledger_certificate_path=str(pinned)) as made:
        assert made.get_constitution()["script"]


@pytest.mark.parametrize("ledger_id", ["127", "localhost", "indelible"])
def test_identity_by_the_names_clients_derive(node, ledger_id):
    """The SDK cuts the ledger id out of the endpoint: https://127.0.0.1:8443 becomes `127` (API spec D.2)."""
    client = ConfidentialLedgerCertificateClient(node.url, connection_verify=str(node.service_certificate))
    assert "BEGIN CERTIFICATE" in client.get_ledger_identity(ledger_id)["ledgerTlsCertificate"]


def test_identity_of_an_unknown_ledger(node):
    client = ConfidentialLedgerCertificateClient(
        node.url, connection_verify=str(node.service_certificate), retry_total=0)
    with pytest.raises(ResourceNotFoundError):
        client.get_ledger_identity("some-other-ledger")


# Governance and quotes

def test_constitution(client):
    answer = client.get_constitution()
    assert hashlib.sha256(answer["script"].encode()).hexdigest() == answer["digest"]


def test_members(client):
    members = list(client.list_consortium_members())
    assert members
    for member in members:
        assert "BEGIN CERTIFICATE" in member["certificate"]
        assert len(bytes.fromhex(member["id"])) == 32


def test_enclave_quotes(client):
    answer = client.get_enclave_quotes()
    assert answer["currentNodeId"] in answer["enclaveQuotes"]
    for name, quote in answer["enclaveQuotes"].items():
        assert quote["nodeId"] == name
        assert quote["quoteVersion"] not in ("sgx-quote-1", ""), "there is no SGX here"
        assert "mrenclave" not in quote
        bytes.fromhex(quote["raw"])


# Entries

def test_create_then_everything_about_it(client, service_pem):
    contents = f"hello {unique()} é 日本\n\u0000"
    created = client.create_ledger_entry({"contents": contents})
    assert created["collectionId"] == "subledger:0"
    view, seqno = created["transactionId"].split(".")
    assert int(view) >= 2 and int(seqno) > 1
    assert client.get_transaction_status(created["transactionId"]) == {
        "state": "Committed", "transactionId": created["transactionId"]}
    entry = client.get_ledger_entry(created["transactionId"])
    assert entry["state"] == "Ready"
    assert entry["entry"]["contents"] == contents
    assert entry["entry"]["collectionId"] == "subledger:0"
    assert entry["entry"]["transactionId"] == created["transactionId"]
    receipt = client.get_receipt(created["transactionId"])
    verify_with_sdk(receipt, service_pem, contents=contents, collection="subledger:0")


def test_pollers(client, service_pem):
    contents = unique()
    result = client.begin_create_ledger_entry({"contents": contents}, **FAST).result(20)
    assert client.begin_wait_for_commit(result["transactionId"], **FAST).result(20)["state"] == "Committed"
    entry = client.begin_get_ledger_entry(result["transactionId"], **FAST).result(20)
    assert entry["entry"]["contents"] == contents
    receipt = client.begin_get_receipt(result["transactionId"], **FAST).result(20)
    verify_with_sdk(receipt, service_pem, contents=contents)


def test_the_poller_needs_no_second_look(client):
    """The write is answered when it is committed, so the SDK's first status request ends the wait."""
    asked = []
    hook = lambda answer: asked.append((answer.http_request.method, answer.http_response.status_code))
    client.begin_create_ledger_entry({"contents": unique()}, raw_response_hook=hook).result(20)
    assert asked == [("POST", 200), ("GET", 200)]


def test_body_as_bytes_and_as_stream(client):
    for body in (json.dumps({"contents": "as bytes"}).encode(), io.BytesIO(b'{"contents": "as a stream"}')):
        created = client.create_ledger_entry(body)
        assert client.get_ledger_entry(created["transactionId"])["entry"]["contents"].startswith("as ")


@pytest.mark.parametrize("collection", ["plain", "a b/ü", "100%", "x" * 200, "a:b;c,d?e=f&g#h"])
def test_collections(client, service_pem, collection):
    name = f"{collection} {unique()}"
    first = client.create_ledger_entry({"contents": "1"}, collection_id=name)
    second = client.create_ledger_entry({"contents": "2"}, collection_id=name)
    assert first["collectionId"] == name
    current = client.get_current_ledger_entry(collection_id=name)
    assert (current["contents"], current["collectionId"]) == ("2", name)
    assert current["transactionId"] == second["transactionId"]
    entry = client.get_ledger_entry(first["transactionId"], collection_id=name)["entry"]
    assert (entry["contents"], entry["collectionId"]) == ("1", name)
    with pytest.raises(ResourceNotFoundError):
        client.get_ledger_entry(first["transactionId"], collection_id="another " + name)
    with pytest.raises(ResourceNotFoundError):
        client.get_current_ledger_entry(collection_id="another " + name)
    assert name in [item["collectionId"] for item in client.list_collections()]
    verify_with_sdk(client.get_receipt(second["transactionId"]), service_pem, contents="2", collection=name)


def test_ranges(client):
    name = unique()
    ids = [client.create_ledger_entry({"contents": str(n)}, collection_id=name)["transactionId"] for n in range(25)]
    every = list(client.list_ledger_entries(collection_id=name))
    assert [item["contents"] for item in every] == [str(n) for n in range(25)]
    assert [item["transactionId"] for item in every] == ids
    assert all(item["collectionId"] == name for item in every)
    part = list(client.list_ledger_entries(
        collection_id=name, from_transaction_id=ids[5], to_transaction_id=ids[9]))
    assert [item["contents"] for item in part] == ["5", "6", "7", "8", "9"]
    assert list(client.list_ledger_entries(collection_id="nothing here " + name)) == []
    assert list(client.list_ledger_entries(collection_id=name, from_transaction_id=ids[9], to_transaction_id=ids[5])) \
        == []
    assert [item["contents"] for item in client.list_ledger_entries(collection_id=name, from_transaction_id=ids[24])] \
        == ["24"]


def test_range_over_many_pages(client, node, identities):
    """More entries than any page holds; the upper bound is fixed while reading."""
    from support.rest import Rest

    name = unique()
    rest = Rest(node, identities.admin)
    for number in range(230):
        assert rest.append(str(number), collection=name).status == 200
    pages = client.list_ledger_entries(collection_id=name).by_page()
    first = list(next(pages))
    rest.append("late", collection=name)
    rest.close()
    read = first + [item for page in pages for item in page]
    assert [item["contents"] for item in read] == [str(number) for number in range(230)]


def test_tags_through_params(client):
    name = unique()
    one = client.create_ledger_entry(
        {"contents": "one"}, collection_id=name, params={"tags": "alpha,beta", "api-version": "2024-12-09-preview"})
    client.create_ledger_entry({"contents": "two"}, collection_id=name, params={"tags": "beta"})
    client.create_ledger_entry({"contents": "three"}, collection_id=name)
    tagged = lambda tag: [
        item["contents"] for item in client.list_ledger_entries(collection_id=name, params={"tag": tag})]
    assert tagged("alpha") == ["one"]
    assert tagged("beta") == ["one", "two"]
    assert tagged("gamma") == []
    assert client.get_ledger_entry(one["transactionId"], collection_id=name)["entry"]["contents"] == "one"


def test_wait_for_commit_through_params(client, service_pem):
    contents = unique()
    answer = client.create_ledger_entry({"contents": contents}, params={"waitForCommit": "true"})
    assert answer["transactionId"]
    assert answer["receipt"]
    verify_with_sdk(
        {"state": "Ready", "transactionId": answer["transactionId"], "receipt": answer["receipt"],
         "applicationClaims": answer["applicationClaims"]}, service_pem, contents=contents)


def test_current_of_the_default_collection(client):
    created = client.create_ledger_entry({"contents": "newest"})
    current = client.get_current_ledger_entry()
    assert int(current["transactionId"].split(".")[1]) >= int(created["transactionId"].split(".")[1])


def test_ids_that_do_not_exist(client):
    for bad in ("2.999999999", "77.5", "abc", "2", "2.1.1", "-1.2", "0.0", "2.0", "2.18446744073709551616"):
        for call in (client.get_ledger_entry, client.get_receipt, client.get_transaction_status):
            with pytest.raises(ResourceNotFoundError):
                call(bad)
    with pytest.raises(ResourceNotFoundError):
        client.begin_wait_for_commit("2.x", **FAST).result(10)


def test_lies_about_a_receipt_are_found(client, service_pem):
    created = client.create_ledger_entry({"contents": unique()})
    document = client.get_receipt(created["transactionId"])
    verify_with_sdk(document, service_pem)
    from azure.confidentialledger.receipt import verify_receipt

    for name, lie in tampered(document):
        with pytest.raises(ValueError):
            verify_receipt(lie["receipt"], service_pem, application_claims=lie["applicationClaims"])
            pytest.fail(f"accepted: {name}")


# Users

@pytest.mark.parametrize("role", ["Reader", "Contributor", "Administrator", "contributor"])
def test_users(client, role):
    user = str(uuid.uuid4())
    made = client.create_or_update_user(user, {"assignedRole": role})
    assert (made["userId"], made["assignedRole"]) == (user, role.capitalize())
    assert client.get_user(user)["assignedRole"] == role.capitalize()
    changed = client.create_or_update_user(user, {"assignedRole": "Reader"})
    assert changed["assignedRole"] == "Reader"
    assert client.delete_user(user) is None
    with pytest.raises(ResourceNotFoundError):
        client.get_user(user)


def test_user_named_by_fingerprint(client, identities):
    person = identities.make()
    client.create_or_update_user(person.user_id, {"assignedRole": "Reader"})
    assert client.get_user(person.user_id)["userId"] == person.user_id
    client.delete_user(person.user_id)


# What callers may do

def test_reader_and_contributor(node, identities, client):
    created = client.create_ledger_entry({"contents": "for everyone"})
    with sdk(node, identities.reader) as reader:
        assert reader.get_ledger_entry(created["transactionId"])["entry"]["contents"] == "for everyone"
        assert reader.get_receipt(created["transactionId"])["state"] == "Ready"
        for call in (
            lambda: reader.create_ledger_entry({"contents": "no"}),
            lambda: reader.create_or_update_user("x", {"assignedRole": "Reader"}),
            lambda: reader.delete_user("x"),
        ):
            with pytest.raises(HttpResponseError) as refused:
                call()
            assert refused.value.status_code == 403
            assert "Not allowed to call" in str(refused.value)
            assert identities.reader.user_id in str(refused.value), "the message names the identity that was seen"
    with sdk(node, identities.contributor) as contributor:
        assert contributor.create_ledger_entry({"contents": "yes"})["transactionId"]
        with pytest.raises(HttpResponseError) as refused:
            contributor.create_or_update_user("x", {"assignedRole": "Reader"})
        assert refused.value.status_code == 403


def test_stranger(node, identities):
    with sdk(node, identities.stranger) as stranger:
        with pytest.raises(HttpResponseError) as refused:
            stranger.create_ledger_entry({"contents": "no"})
        assert refused.value.status_code == 403
        assert identities.stranger.user_id in str(refused.value)


def test_token_of_an_unknown_user(node, issuer):
    with ConfidentialLedgerClient(
        node.url, TokenCredential(issuer, "nobody-known"), ledger_certificate_path=str(node.service_certificate),
        retry_total=0) as stranger:
        with pytest.raises(HttpResponseError) as refused:
            stranger.get_constitution()
        assert refused.value.status_code == 403
        assert "nobody-known" in str(refused.value)


def test_bad_token_is_an_authentication_error(node, issuer):
    class Wrong(TokenCredential):
        def get_token(self, *scopes, **_):
            from azure.core.credentials import AccessToken

            return AccessToken(issuer.token("x", aud="https://somewhere.else"), int(time.time()) + 3600)

    with ConfidentialLedgerClient(
        node.url, Wrong(issuer, "x"), ledger_certificate_path=str(node.service_certificate), retry_total=0) as client:
        with pytest.raises(ClientAuthenticationError):
            client.get_constitution()


# Life goes on

def test_receipts_after_a_restart(new_node, identities, service_certificate_is_stable):
    node = new_node("private")
    before = node.service_certificate.read_text()
    written = {}
    with sdk(node, identities.contributor) as client:
        for number in range(30):
            contents = f"entry {number}"
            written[client.create_ledger_entry({"contents": contents})["transactionId"]] = contents
        old = {name: client.get_receipt(name) for name in written}
    for _ in range(2):
        node.restart()
        service_certificate_is_stable(before, node)
        with sdk(node, identities.contributor) as client:
            for name, contents in written.items():
                verify_with_sdk(client.get_receipt(name), before, contents=contents)
                verify_with_sdk(old[name], before, contents=contents)
                assert client.get_ledger_entry(name)["entry"]["contents"] == contents
            contents = unique()
            written[client.create_ledger_entry({"contents": contents})["transactionId"]] = contents
            old = {name: client.get_receipt(name) for name in written}


@pytest.fixture
def service_certificate_is_stable():
    def check(before, node):
        assert node.service_certificate.read_text() == before, "clients pin the service certificate"

    return check
