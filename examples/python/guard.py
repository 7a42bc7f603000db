"""Follows the revocation feed of Keks (docs/revocation-feed.md) and knows which JWTs were taken back. It verifies no signature:
do that first, with a JWT library. Start `threading.Thread(target=guard.follow, daemon=True)`, then ask `guard.judge(claims, kid)`."""

import base64, hashlib, http.client, json, secrets, time, urllib.parse

def hashed(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()

class Guard:
    def __init__(self, authority, client_id, client_secret, timeout=2):
        self.url, self.timeout = urllib.parse.urlsplit(authority), timeout
        pair = ":".join(urllib.parse.quote_plus(part) for part in (client_id, client_secret))
        self.headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
                        "Content-Type": "application/x-www-form-urlencoded"}
        self.name, self.cursor, self.entries, self.coming = secrets.token_urlsafe(16), None, {}, {}
        self.lease, self.stopped = (0, 0.0, 0.0), False
    def left(self):
        """Seconds: by the clock that says more, because one stands still while a machine sleeps; 1 % off for drift."""
        length, monotonic, wall = self.lease
        return length * 0.99 - max(time.monotonic() - monotonic, time.time() - wall)
    def judge(self, claims, kid):
        """dead: 401. alive: accept, as the last thing. ask: POST /oauth/introspect, and 503 if there is no answer."""
        keys = self.entries
        sub, sid = hashed(claims["sub"]), claims.get("sid")
        if ("token", hashed(claims["jti"])) in keys or ("key", hashed(kid)) in keys:
            return "dead"
        if sid is not None and ("grant", hashed(sid)) in keys:
            return "dead"
        doubt = ("all", "") in keys or ("subject", sub) in keys or (sid is None and ("of", sub) in keys)
        return "ask" if doubt or self.left() <= 0 else "alive"
    def follow(self):
        connection = None
        while not self.stopped:
            try:
                connection = connection or self.connect()
                self.step(connection)
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                if connection: connection.close()
                connection = None
                time.sleep(0.2)
    def connect(self):
        secure = self.url.scheme == "https"
        return (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(self.url.netloc, timeout=self.timeout + self.lease[0] / 3)
    def step(self, connection):
        stamp = (time.monotonic(), time.time())  # before the question is sent
        form = {"guard": self.name, **({"cursor": self.cursor} if self.cursor else {})}
        connection.request("POST", self.url.path.rstrip("/") + "/oauth/revocations", urllib.parse.urlencode(form), self.headers)
        told = json.loads((answer := connection.getresponse()).read())
        if answer.status == 400: self.cursor = None
        if answer.status != 200: raise ValueError(answer.status)
        if told["reset"] or self.cursor is None: self.coming, self.lease = {}, (0, 0.0, 0.0)  # the next question speaks of the new set
        into = self.coming if self.coming is not None else dict(self.entries)
        for entry in told["entries"]:
            kind = entry["kind"] if entry["kind"] in ("token", "grant", "key", "subject") else "all"
            for key in [(kind, "" if kind == "all" else entry["key"])] + ([("of", entry["sub"])] if "sub" in entry else []):
                into[key] = max(entry["exp"], into.get(key, 0))
        self.cursor = told["cursor"]
        if told["lease_ms"] > 0:  # all of it is here
            self.entries = {key: exp for key, exp in into.items() if exp + 600 > time.time()}
            self.coming, self.lease = None, (told["lease_ms"] / 1000, *stamp)
