"""A small OpenID Connect issuer on loopback: discovery, key set, rotation, and any token a test asks for."""

import contextlib
import http.server
import json
import threading
import time
import uuid

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "https://confidential-ledger.azure.com"


class Issuer:
    def __init__(self, algorithm: str = "RS256"):
        self.algorithm = algorithm
        self.requests: list[str] = []
        self.down = False
        self.drips = False  # documents that never end: one byte after the other
        self.keys_url: str | None = None  # what the discovery document names; None: the truth
        self._keys: dict[str, object] = {}
        self.rotate()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                owner.requests.append(self.path)
                if owner.down:
                    self.send_error(503)
                    return
                if owner.drips:
                    self.send_response(200)
                    self.end_headers()
                    with contextlib.suppress(OSError):
                        while True:
                            self.wfile.write(b" ")
                            time.sleep(0.2)
                    return
                if self.path == "/.well-known/openid-configuration":
                    answer = {"issuer": owner.url, "jwks_uri": owner.keys_url or owner.url + "/keys"}
                elif self.path == "/keys":
                    answer = {"keys": [owner._public_jwk(kid) for kid in owner._keys]}
                else:
                    self.send_error(404)
                    return
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def rotate(self, keep_old: bool = False) -> str:
        """Makes a new signing key; unless asked otherwise the old ones leave the key set."""
        kid = uuid.uuid4().hex[:12]
        if self.algorithm.startswith("ES"):
            key = ec.generate_private_key(ec.SECP256R1())
        else:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if not keep_old:
            self._keys.clear()
        self._keys[kid] = key
        self._current = kid
        return kid

    def _public_jwk(self, kid: str) -> dict:
        key = self._keys[kid]
        algorithm = jwt.algorithms.get_default_algorithms()[self.algorithm]
        public = json.loads(algorithm.to_jwk(key.public_key()))
        public.pop("key_ops", None)
        return {**public, "kid": kid, "use": "sig", "alg": self.algorithm}

    def public_key(self):
        return self._keys[self._current].public_key()

    def token(self, user: str, *, lifetime: float = 3600, headers: dict | None = None, key=None, algorithm=None, **claims):
        """A token for `user` (claim `oid`). A claim given as None is left out."""
        now = int(time.time())
        payload = {
            "iss": self.url, "aud": AUDIENCE, "oid": user, "sub": user,
            "iat": now, "nbf": now - 5, "exp": int(now + lifetime),
        }
        payload.update(claims)
        payload = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(
            payload, key if key is not None else self._keys[self._current], algorithm=algorithm or self.algorithm,
            headers={"kid": self._current, **(headers or {})},
        )


class TokenCredential:
    """What the Azure SDK calls a token credential, answering with our own issuer's tokens."""

    def __init__(self, issuer: Issuer, user: str):
        self._issuer, self._user = issuer, user
        self.scopes: list[tuple] = []

    def get_token(self, *scopes, **_):
        from azure.core.credentials import AccessToken

        self.scopes.append(scopes)
        return AccessToken(self._issuer.token(self._user), int(time.time()) + 3600)

    def close(self):
        pass


class AsyncTokenCredential(TokenCredential):
    async def get_token(self, *scopes, **options):  # type: ignore[override]
        return TokenCredential.get_token(self, *scopes, **options)

    async def close(self):  # type: ignore[override]
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass
