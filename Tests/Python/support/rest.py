"""A thin REST client over one kept-alive TLS connection: what a test sends is exactly what goes out."""

import http.client
import json
import ssl
import urllib.parse
import uuid

ID = "x-ms-ccf-transaction-id"


class Answer:
    def __init__(self, status: int, headers, body: bytes):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    def json(self):
        return json.loads(self.body)

    @property
    def transaction_id(self) -> str | None:
        return self.headers.get(ID)

    @property
    def code(self) -> str | None:
        """The error code of the body, if it has one."""
        try:
            return self.json()["error"]["code"]
        except (ValueError, KeyError, TypeError):
            return None

    @property
    def message(self) -> str:
        try:
            return self.json()["error"]["message"]
        except (ValueError, KeyError, TypeError):
            return ""

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


def tls_context(service_certificate, client_file=None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(service_certificate))
    if client_file:
        context.load_cert_chain(str(client_file))
    return context


def fields(body, token, headers) -> dict:
    """The header fields of a call: the usual ones, and `headers` over them."""
    sent = {"accept": "application/json"}
    if body is not None:
        sent["content-type"] = "application/json"
    if token:
        sent["authorization"] = f"Bearer {token}"
    return {**sent, **(headers or {})}


class Rest:
    API_VERSION = "2024-12-09-preview"

    def __init__(self, node, identity=None, token: str | None = None, timeout: float = 30):
        self._node = node
        self._identity, self.token = identity, token
        self._timeout = timeout
        self._connection = None
        self._context = None

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def request(self, method: str, path: str, body=None, headers=None, query=None, api_version=API_VERSION) -> Answer:
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        sent = {name: value for name, value in fields(body, self.token, headers).items() if value is not None}
        items = dict(query or {})
        if api_version is not None and "api-version" not in path:
            items.setdefault("api-version", api_version)
        if items:
            path += ("&" if "?" in path else "?") + urllib.parse.urlencode(items)
        for attempt in (0, 1):
            fresh = self._connection is None
            if fresh:
                if self._context is None:
                    self._context = tls_context(
                        self._node.service_certificate, self._identity.combined_file if self._identity else None)
                self._connection = http.client.HTTPSConnection(
                    "127.0.0.1", self._node.port, context=self._context, timeout=self._timeout)
            try:
                self._connection.request(method, path, body=body, headers=sent)
                answer = self._connection.getresponse()
                data = answer.read()
                result = Answer(answer.status, answer.getheaders(), data)
                if answer.will_close:
                    self.close()
                return result
            except (OSError, http.client.HTTPException):
                self.close()
                if fresh or method != "GET" or attempt:
                    raise
        raise AssertionError("unreachable")

    # Shortcuts

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def append(self, contents: str, collection=None, tags=None, wait=False, request_id=None) -> Answer:
        query = {}
        if collection:
            query["collectionId"] = collection
        if tags:
            query["tags"] = ",".join(tags)
        if wait:
            query["waitForCommit"] = "true"
        return self.request(
            "POST", "/app/transactions", {"contents": contents}, query=query,
            headers={"x-ms-client-request-id": request_id or str(uuid.uuid4())})

    def committed(self) -> str:
        return self.get("/node/commit").json()["transaction_id"]

    def set_user(self, user_id: str, role: str) -> Answer:
        return self.request(
            "PATCH", f"/app/users/{user_id}", {"assignedRole": role},
            headers={"content-type": "application/merge-patch+json"})

    def set_roles(self, user_id: str, roles: list[str]) -> Answer:
        return self.request(
            "PATCH", f"/app/ledgerUsers/{user_id}", {"assignedRoles": roles},
            headers={"content-type": "application/merge-patch+json"})
