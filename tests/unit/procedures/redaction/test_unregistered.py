"""What looks like a secret is replaced though nobody registered it, and nothing else is."""

import base64
import re

import pytest

from procedures.model.redaction.redactor import Redactor
from tests.unit.procedures.redaction.writings import cut, fed

REDACTOR = Redactor({"db": b"registered-value"})
JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0"
    ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
)
BODY = "MIIEpAIBAAKCAQEA3Tz2mr7SZiAMfQyuvBjM9Oi8mCgbAXwTqtyEnmvtOxWbbWQo\n" * 3 + "kl90Ag==\n"
TABLE = """\
+------------------+---------+--------+----------------------------+
|        ID        | STATUS  |  NAME  |         PEER ADDRS         |
+------------------+---------+--------+----------------------------+
| 8e9e05c52164694d | started | etcd-1 | https://10.0.0.1:2380      |
"""
KINDS = ("RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", "")


SIGNS = {
    "password: hunter2 ok": "password: [secret value] ok",
    "ETCD_ROOT_PASSWORD=hunter2": "ETCD_ROOT_PASSWORD=[secret value]",
    "Passwd = hunter2": "Passwd = [secret value]",
    "passphrase=>hunter2": "passphrase=>[secret value]",
    "api_key:hunter2 apikey:x": "api_key:[secret value] apikey:[secret value]",
    "API-KEY: y": "API-KEY: [secret value]",
    "client_secret=a&b#c": "client_secret=[secret value]",
    "token=abc": "token=[secret value]",
    "    token: eyJabc.def": "    token: [secret value]",
    "token:      aligned": "token:      [secret value]",
    "client-key-data: LS0tLS1=\n": "client-key-data: [secret value]\n",
    "aws_secret_access_key = wJalrXUtnFEMI/K7": "aws_secret_access_key = [secret value]",
    '"SecretAccessKey": "wJalr", "x": 1': '"SecretAccessKey": "[secret value]", "x": 1',
    # Quotes.
    '{"password":"a\\"b c","x":1}': '{"password":"[secret value]","x":1}',
    '{\\"token\\":\\"a b\\\\\\"c\\",\\"x\\":1}': '{\\"token\\":[secret value]\\",\\"x\\":1}',
    "password='a b' next": "password='[secret value]' next",
    "password='a b": "password='[secret value]",
    "password='a b\nnext": "password='[secret value]\nnext",
    "--password='it'\"'\"'s a b' next": "--password='[secret value]' next",
    "--password='it'\\''s a b' next": "--password='[secret value]' next",
    "password=$'a\\'b c' next": "password=[secret value]' next",
    "password=it's-mine next": "password=[secret value] next",
    "sh -c 'etcdctl --password=abc' next": "sh -c 'etcdctl --password=[secret value]' next",
    '["--token=abc", "x"]': '["--token=[secret value]", "x"]',
    # Flags.
    "--password hunter2 get /": "--password [secret value] get /",
    "--docker-password hunter2 x": "--docker-password [secret value] x",
    "--docker-password=hunter2 x": "--docker-password=[secret value] x",
    "--new-root-password 'a b' x": "--new-root-password '[secret value]' x",
    '["--password", "a b", "x"]': '["--password", "[secret value]", "x"]',
    "--user root:hunter2 get": "--user root:[secret password] get",
    "--user=root:hunter2 get": "--user=root:[secret password] get",
    "--user 'root:hunter 2' get": "--user 'root:[secret password]' get",
    '["--user","root:hunter2"]': '["--user","root:[secret password]"]',
    "ETCDCTL_USER=root:hunter2": "ETCDCTL_USER=root:[secret password]",
    # Headers.
    "Authorization: Basic cm9vdDp4": "Authorization: [secret authorization]",
    "> authorization: Bearer a.b.c\n>": "> authorization: [secret authorization]\n>",
    "-H 'Authorization: Basic cm9v' http": "-H 'Authorization: [secret authorization]' http",
    '{"Authorization":"Basic cm9v"}': '{"Authorization":"[secret authorization]"}',
    '{"authorization":["Basic cm9v"]}': '{"authorization":[secret authorization]"]}',
    "Authorization: abcdef": "Authorization: [secret authorization]",
    "sent Bearer abc123.x-y_z~+/= to": "sent Bearer [secret token] to",
    "bearer abcdefghijklmnop": "bearer [secret token]",
    # Tokens.
    "xoxb-12-ab xoxp-1 xapp-1-A": "xoxb-[secret token] xoxp-[secret token] xapp-[secret token]",
    "xoxe.xoxp-1-abc": "xoxe.xoxp-[secret token]",
    f"got {JWT} from": f"got {JWT[:36]}.[secret token] from",
    "eyJ" + "a" * 1_500 + " x": "eyJ" + "a" * 1_000 + "[secret token] x",
    # URLs.
    "redis://:hunter2@host:6379/0": "redis://:[secret password]@host:6379/0",
    "https://me:hunter2@host/x": "https://me:[secret password]@host/x",
    "https://me@x.org:hunt@er2@host": "https://me@x.org:[secret password]@host",
    "postgres://u:a/b?c#d@h:5432/x": "postgres://u:[secret password]@h:5432/x",
    "postgres://u:" + "p" * 300 + "@h": "postgres://u:[secret password]",
    # Names that were registered are kept.
    "password=registered-value": "password=[secret db]",
    "password=registered-value2 x": "password=[secret db] x",
    "password=my-registered-value x": "password=[secret value] x",
    "https://u:registered-value@h": "https://u:[secret db]@h",
    "Bearer registered-value": "Bearer [secret db]",
    "--password registered-value -x": "--password [secret db] -x",
}


@pytest.mark.parametrize(("text", "output"), SIGNS.items(), ids=repr)
def test_values_behind_a_sign_are_replaced(text: str, output: str) -> None:
    """At once, and byte by byte; what is around stays."""
    assert REDACTOR.text(text) == output
    assert fed(REDACTOR, cut(text.encode(), [1])).decode() == output


@pytest.mark.parametrize(
    "text",
    [
        "Enter your password: \nWrong password. The password is needed; password?",
        "Password of root: Type password of root again for confirmation: \n",
        "password: \"\"\npassword=''\ntoken:\n  - x\npasswords: 3\ntokens: 5",
        "secretKeyRef:\n  name: redis\nSecret foo created\nsecret/foo configured",
        "automountServiceAccountToken: false",
        "--initial-cluster-token etcd-1 ETCD_INITIAL_CLUSTER_TOKEN=etcd-1",
        '{"initial-cluster-token":"etcd-cluster-1"}',
        'the bearer of bad news; a Bearer token is missing; Bearer realm="etcd"',
        "kubectl --user=system:serviceaccount:kube-system:default --user admin get pods",
        "http://127.0.0.1:2379/health,https://10.0.0.1:2380, http://[::1]:2379 me@host.org",
        '{"endpoint":"http://10.0.0.1:2379","mail":"me@host.org"}',
        "git@github.com:owner/name.git ssh://git@github.com:22/owner/name.git",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "8e9e05c52164694d 91bc3c398fb3c146 eyJ keyJar.x fooxoxb-1 xoxb- xapp",
        "monkeyJarTest.py forebearer a1",
        TABLE,
        "-----BEGIN CERTIFICATE-----\n" + BODY + "-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\n" + BODY + "-----END PUBLIC KEY-----\n",
        base64.b64encode(b"-----BEGIN CERTIFICATE-----\n" + BODY.encode()).decode(),
        "certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
        "drwxr-xr-x -p 2379:2379 -u 1000:1000 ssh -p 22",
        "\x1b[31mred\x1b[0m \x00\x7f \u00e4\u00f6\u00fc \U0001f511 [secret db] [secret x]",
    ],
)
def test_ordinary_output_is_left_alone(text: str) -> None:
    """What only resembles a sign, and what stands before nothing."""
    assert REDACTOR.text(text) == text
    assert fed(REDACTOR, cut(text.encode(), [1, 3])).decode() == text


@pytest.mark.parametrize("text", SIGNS)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    """Errors quote output that was redacted before; marks do not grow, but names may be lost."""
    once = REDACTOR.text(text)
    marks = re.compile(r"\[secret [\w-]+\]\\*")
    assert marks.sub("*", REDACTOR.text(once)) == marks.sub("*", once)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n    ", "\\n", "\\r\\n", ""])
def test_private_keys_are_one_mark(kind: str, line_end: str) -> None:
    """Between its frame, however the lines end; what follows is shown again."""
    key = f"-----BEGIN {kind}PRIVATE KEY-----\n{BODY}-----END {kind}PRIVATE KEY-----\n"
    frame = f"-----BEGIN {kind}PRIVATE KEY-----", f"-----END {kind}PRIVATE KEY-----"
    text = key.replace("\n", line_end) + "and on"
    output = f"{frame[0]}[secret private-key]{frame[1]}{line_end}and on"
    assert REDACTOR.text(text) == output
    assert fed(REDACTOR, cut(text.encode(), [1])).decode() == output


@pytest.mark.parametrize("kind", KINDS)
def test_private_keys_in_base64_are_one_mark(kind: str) -> None:
    """As Kubernetes shows the values of secrets."""
    key = f"-----BEGIN {kind}PRIVATE KEY-----\n{BODY}-----END {kind}PRIVATE KEY-----\n"
    output = REDACTOR.text(f"tls.key: {base64.b64encode(key.encode()).decode()}\nnext: x")
    head, _, tail = output.partition("[secret private-key]")
    assert head.startswith("tls.key: LS0tLS1CRUdJTiB")
    assert len(head) < 40
    assert tail == "\nnext: x"


@pytest.mark.parametrize("prefix", ["", "    ", "2026-01-01 12:00:00 host app[7]: ", "| "])
def test_keys_in_logs_are_found(prefix: str) -> None:
    """Each line may have something before it, and headers may come first."""
    head = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0123456789ABCDEF\n\n"
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{head}{BODY}-----END RSA PRIVATE KEY-----\n"
    text = "".join(prefix + line for line in key.splitlines(keepends=True))
    output = REDACTOR.text(text + "and on")
    assert "MIIE" not in output
    assert "kl90Ag" not in output
    assert output.endswith("and on")


def test_the_mark_of_a_key_is_shown_at_once() -> None:
    """Nothing waits for the END line; the key is dropped as it comes."""
    stream = REDACTOR.stream()
    assert stream.feed(b"-----BEGIN PRIVATE KEY-----") == b"-----BEGIN PRIVATE KEY-----"
    assert stream.feed(b"\n") == b"[secret private-key]"
    for _ in range(50):
        assert stream.feed(BODY.encode()[:65]) == b""
        assert stream.held <= 65


@pytest.mark.parametrize(
    "rest",
    ["the command was stopped here\n" * 4, "A" * 20_000 + "\n", "word\n" * 5_000],
    ids=["sentences", "a line without end", "words"],
)
def test_a_key_without_end_ends(rest: str) -> None:
    """After four lines that are none of a key, or after 16 KiB: output is not lost for ever."""
    text = "-----BEGIN PRIVATE KEY-----\n" + BODY + rest + "and on\n"
    output = REDACTOR.text(text)
    assert "MIIE" not in output
    assert output.endswith("and on\n")
    assert fed(REDACTOR, cut(text.encode(), [100])).decode() == output


def test_a_prompt_is_shown_before_the_answer() -> None:
    """What stands before a value is no secret and is not held back."""
    stream = Redactor({}).stream()
    assert stream.feed(b"Password: ") == b"Password: "
    assert stream.feed(b"h") == b"[secret value]"
    assert stream.feed(b"unter2") == b""
    assert stream.feed(b"\n") == b"\n"


def test_what_a_word_decides_is_held_until_then() -> None:
    """A port becomes a password by an `@`, and a word a token by a digit."""
    stream = Redactor({}).stream()
    assert stream.feed(b"see http://host:2379") == b"see http"
    assert stream.feed(b"/") == b"://host:2379/"
    assert stream.feed(b" Bearer abc") == b" "
    assert stream.feed(b"1") == b"Bearer [secret token]"
    assert stream.close() == b""
