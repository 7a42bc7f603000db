import sys

from keks import AuthenticatedClient, Client
from keks.api.cookies import cookies_eat
from keks.api.tokens import auth_issue, auth_revoke
from keks.models import Error, IssueAnswer, IssueRequest, TokenRequest

url, user, password = sys.argv[1:]
client = Client(base_url=url)
issued = auth_issue.sync(client=client, body=IssueRequest(user=user, password=password))
assert isinstance(issued, IssueAnswer), issued
bearer = AuthenticatedClient(base_url=url, token=issued.token)
cookies = cookies_eat.sync(client=bearer)
assert isinstance(cookies, list) and len(cookies) == 3, cookies
auth_revoke.sync(client=client, body=TokenRequest(token=issued.token))
dead = cookies_eat.sync_detailed(client=bearer)
assert dead.status_code == 401 and isinstance(dead.parsed, Error), dead
