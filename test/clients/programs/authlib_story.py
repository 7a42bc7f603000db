"""What Authlib does with Keks. It prints where a person has to go, and goes on once the person has been there."""

import http.server
import json
import os
import sys
import time

# the whole story is on this computer
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "true"

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from joserfc.jwk import ECKey

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "cookies:eat offline_access"
issuer, given = sys.argv[1], json.loads(sys.argv[2])
COOKIES = ["Cookie", "Cookie", "Cookie"]

metadata = requests.get(get_well_known_url(issuer, external=True)).json()
AuthorizationServerMetadata(metadata).validate()
assert metadata["issuer"] == issuer, metadata
token_endpoint = metadata["token_endpoint"]


class BriefAssertion(PrivateKeyJWT):
    """Authlib's own is good for an hour, and Keks takes five minutes at most."""

    def sign(self, auth, token_endpoint):
        self.claims = {"exp": int(time.time()) + 60}
        return super().sign(auth, token_endpoint)


def refused(error, work):
    try:
        work()
    except AuthlibBaseError as refusal:
        assert refusal.error == error, (refusal.error, refusal.description)
    else:
        raise AssertionError(f"not refused with {error}")


def session(client, method, **more):
    return OAuth2Session(
        client["client_id"],
        client.get("client_secret"),
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        token_endpoint=token_endpoint,
        **more,
    )


def eats(client):
    assert client.get(f"{issuer}/cookies").json() == COOKIES


class Callback(http.server.BaseHTTPRequestHandler):
    """RFC 8252 §7.3: a port that the system has given."""

    def do_GET(self):
        self.server.heard = self.path
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def code_flow(client, method):
    """RFC 6749 §4.1 with PKCE; refreshed, also when the library does so by itself; used twice."""
    listener = http.server.HTTPServer(("127.0.0.1", 0), Callback)
    redirect = f"http://127.0.0.1:{listener.server_port}/done"
    app = session(client, method, scope=SCOPE, redirect_uri=redirect, code_challenge_method="S256")
    verifier = generate_token(48)
    url, state = app.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    print("visit", url, flush=True)
    listener.handle_request()
    answer = f"http://127.0.0.1:{listener.server_port}{listener.heard}"
    fetch = lambda **more: app.fetch_token(authorization_response=answer, **more)
    refused("mismatching_state", lambda: fetch(state="another", code_verifier=verifier))
    refused("invalid_grant", lambda: fetch(state=state, code_verifier=generate_token(48)))
    first = fetch(state=state, code_verifier=verifier)
    assert first["scope"] == "cookies:eat" and first["token_type"] == "Bearer", first
    eats(app)
    second = app.refresh_token(token_endpoint)
    assert second["refresh_token"] != first["refresh_token"]
    eats(app)
    app.token = {**second, "expires_at": time.time() - 1}
    eats(app)
    assert app.token["access_token"] != second["access_token"]
    refused("invalid_grant", lambda: fetch(state=state, code_verifier=verifier))
    assert app.get(f"{issuer}/cookies").status_code == 401


def device_flow(client):
    """RFC 8628."""
    device = session(client, "none")
    asked = {"client_id": client["client_id"], "scope": SCOPE}
    codes = requests.post(metadata["device_authorization_endpoint"], data=asked).json()
    poll = lambda: device.fetch_token(grant_type=DEVICE_GRANT, device_code=codes["device_code"])
    refused("authorization_pending", poll)
    refused("slow_down", poll)
    print("type", codes["user_code"], flush=True)
    token = None
    while token is None:
        time.sleep(codes["interval"] + 5)
        try:
            token = poll()
        except AuthlibBaseError as pending:
            assert pending.error == "authorization_pending", pending
    eats(device)
    device.refresh_token(token_endpoint)
    eats(device)


def credentials(client, method):
    """RFC 6749 §4.4, 7662, 7009."""
    system = session(client, method)
    if method == "private_key_jwt":
        system.client_secret = ECKey.import_key(client["private_key"])
        system.register_client_auth_method(BriefAssertion(token_endpoint, alg="ES256"))
    token = system.fetch_token(grant_type="client_credentials")
    eats(system)
    ask = lambda: system.introspect_token(metadata["introspection_endpoint"], token["access_token"]).json()
    assert ask()["active"] is True and ask()["client_id"] == client["client_id"], ask()
    revoked = system.revoke_token(metadata["revocation_endpoint"], token["access_token"])
    assert revoked.status_code == 200, revoked
    assert ask() == {"active": False}
    refused("invalid_scope", lambda: system.fetch_token(grant_type="client_credentials", scope="tea:pour"))


code_flow(given["open"], "none")
code_flow(given["app"], "client_secret_basic")
code_flow(given["app"], "client_secret_post")
device_flow(given["screen"])
credentials(given["system"], "client_secret_basic")
credentials(given["system"], "client_secret_post")
credentials(given["signer"], "private_key_jwt")
