"""The asynchronous client of the official SDK, through every operation it has."""

import asyncio
import uuid

import pytest
from azure.confidentialledger import ConfidentialLedgerCertificateCredential
from azure.confidentialledger.aio import ConfidentialLedgerClient
from azure.confidentialledger.certificate.aio import ConfidentialLedgerCertificateClient
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from support.issuer import AsyncTokenCredential
from support.receipts import verify_with_sdk
from support.rest import Rest

USER = "5d3c1e0a-0000-4000-8000-000000000002"


def client(kind, node, identities, issuer):
    if kind == "certificate":
        credential = ConfidentialLedgerCertificateCredential(str(identities.admin.combined_file))
    else:
        rest = Rest(node, identities.admin)
        assert rest.set_user(USER, "Administrator").status == 200
        rest.close()
        credential = AsyncTokenCredential(issuer, USER)
    return ConfidentialLedgerClient(
        node.url, credential, ledger_certificate_path=str(node.service_certificate), retry_total=0)


@pytest.mark.parametrize("kind", ["certificate", "token"])
def test_every_operation(kind, node, identities, issuer, service_pem):
    async def work():
        async with client(kind, node, identities, issuer) as ledger:
            name = uuid.uuid4().hex
            assert (await ledger.get_constitution())["digest"]
            assert [member async for member in ledger.list_consortium_members()]
            quotes = await ledger.get_enclave_quotes()
            assert quotes["currentNodeId"] in quotes["enclaveQuotes"]

            created = await ledger.create_ledger_entry({"contents": "one"}, collection_id=name)
            poller = await ledger.begin_create_ledger_entry(
                {"contents": "two"}, collection_id=name, polling_interval=0.05)
            second = await poller.result()
            assert second["collectionId"] == name
            poller = await ledger.begin_wait_for_commit(created["transactionId"], polling_interval=0.05)
            assert (await poller.result())["state"] == "Committed"
            assert (await ledger.get_transaction_status(created["transactionId"]))["state"] == "Committed"
            assert (await ledger.get_ledger_entry(
                created["transactionId"], collection_id=name))["entry"]["contents"] == "one"
            poller = await ledger.begin_get_ledger_entry(created["transactionId"], collection_id=name)
            assert (await poller.result())["entry"]["contents"] == "one"
            assert (await ledger.get_current_ledger_entry(collection_id=name))["contents"] == "two"
            assert [item["contents"] async for item in ledger.list_ledger_entries(collection_id=name)] == ["one", "two"]
            assert name in [item["collectionId"] async for item in ledger.list_collections()]
            verify_with_sdk(await ledger.get_receipt(created["transactionId"]), service_pem, contents="one")
            poller = await ledger.begin_get_receipt(second["transactionId"], polling_interval=0.05)
            verify_with_sdk(await poller.result(), service_pem, contents="two", collection=name)

            user = str(uuid.uuid4())
            assert (await ledger.create_or_update_user(user, {"assignedRole": "Reader"}))["assignedRole"] == "Reader"
            assert (await ledger.get_user(user))["userId"] == user
            await ledger.delete_user(user)
            with pytest.raises(ResourceNotFoundError):
                await ledger.get_user(user)

    asyncio.run(work())


def test_many_at_once(node, identities, issuer, service_pem):
    async def work():
        async with client("certificate", node, identities, issuer) as ledger:
            name = uuid.uuid4().hex
            made = await asyncio.gather(
                *(ledger.create_ledger_entry({"contents": str(number)}, collection_id=name) for number in range(100)))
            ids = [answer["transactionId"] for answer in made]
            assert len(set(ids)) == 100
            receipts = await asyncio.gather(*(ledger.get_receipt(name) for name in ids))
            for number, receipt in enumerate(receipts):
                verify_with_sdk(receipt, service_pem, contents=str(number), collection=name)
            listed = [item async for item in ledger.list_ledger_entries(collection_id=name)]
            assert sorted(int(item["contents"]) for item in listed) == list(range(100))
            seqnos = [int(item["transactionId"].split(".")[1]) for item in listed]
            assert seqnos == sorted(seqnos)

    asyncio.run(work())


def test_identity(node):
    async def work():
        async with ConfidentialLedgerCertificateClient(
            node.url, connection_verify=str(node.service_certificate)) as identity:
            answer = await identity.get_ledger_identity("indelible")
            assert answer["ledgerTlsCertificate"].strip() == node.service_certificate.read_text().strip()

    asyncio.run(work())


def test_refusals(node, identities):
    async def work():
        async with ConfidentialLedgerClient(
            node.url, ConfidentialLedgerCertificateCredential(str(identities.reader.combined_file)),
            ledger_certificate_path=str(node.service_certificate), retry_total=0) as reader:
            with pytest.raises(HttpResponseError) as refused:
                await reader.create_ledger_entry({"contents": "no"})
            assert refused.value.status_code == 403

    asyncio.run(work())
