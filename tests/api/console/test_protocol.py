"""JSON-RPC of the console: what is asked wrongly is refused in words, and nothing else ends."""

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

from nvme.console.rpc import Lines, answer
from nvme.console.service import LINE_BYTES, Service

from .live import CONSOLE

DOC = Path(__file__).parents[3] / "docs" / "console.md"


def reply(service, **message):
    return json.loads(answer(service, json.dumps({"jsonrpc": "2.0", **message}).encode()))


def refusal(service, method, **params):
    error = reply(service, id=1, method=method, params=params)["error"]
    return error["code"], error["message"]


def test_hello_says_what_there_is(client):
    found = client("hello", client="a test", protocol=1)

    assert (found["protocol"], found["minor"]) == (1, 0)
    assert found["limits"]["line_bytes"] == LINE_BYTES
    assert "subscribe" in found["methods"]
    assert found["pid"] == client.process.pid


def test_a_client_of_another_major_number_is_told_who_is_old(service):
    assert refusal(service, "hello", protocol=2) == (
        -32005,
        "the client speaks protocol 2, this console 1: update pynvme",
    )
    assert "update the client" in refusal(service, "hello", protocol=0)[1]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"x", -32700),
        (b"\xff", -32700),
        (b"[" * 60000, -32700),
        (b"1" * 5000, -32700),
        (b"[]", -32600),
        (b"1", -32600),
        (b'{"method":"hello","id":1}', -32600),
        (b'{"jsonrpc":"2.0","method":1,"id":1}', -32600),
        (b'{"jsonrpc":"2.0","method":"hello","id":[]}', -32600),
        (b'{"jsonrpc":"2.0","method":"hello","id":true}', -32600),
        (b'{"jsonrpc":"2.0","method":"hello","id":1,"params":[]}', -32602),
        (b'{"jsonrpc":"2.0","method":"\\u001b[31m","id":1}', -32601),
    ],
)
def test_what_is_no_request_is_an_error(service, line, code):
    raw = answer(service, line)

    assert json.loads(raw)["error"]["code"] == code
    assert len(raw) < 1000


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("hello", {"protocol": "1"}, "protocol: must be an integer"),
        ("hello", {"protocol": True}, "protocol: must be an integer"),
        ("hello", {"client": 1}, "client: must be text"),
        ("hello", {"colour": "red"}, "colour: is no parameter of this method"),
        ("sessions", {"session": "x"}, "session: is no parameter"),
        ("queues", {"closed": 1}, "closed: must be true or false"),
        ("cmdlog", {}, "queue: is missing"),
        ("cmdlog", {"queue": "x", "count": 0}, "count: must be 1..4096"),
        ("cmdlog", {"queue": "x", "count": 4097}, "count: must be 1..4096"),
        ("cmdlog", {"queue": "x", "filter": []}, "filter: must be an object"),
        ("cmdlog", {"queue": "x", "filter": {"opcodes": [256]}}, "filter.opcodes: must be 0..255"),
        ("cmdlog", {"queue": "x", "filter": {"opcodes": [True]}}, "filter.opcodes: must be a list"),
        ("cmdlog", {"queue": "x", "filter": {"status": "bad"}}, "filter.status: must be one of"),
        ("cmdlog", {"queue": "x", "filter": {"nsid": 1}}, "filter.nsid: is no parameter"),
        ("subscribe", {}, "interval_ms: is missing"),
        ("subscribe", {"interval_ms": 99}, "interval_ms: must be 100..60000"),
        ("subscribe", {"interval_ms": 60001}, "interval_ms: must be 100..60000"),
        ("subscribe", {"interval_ms": 100, "topics": []}, "topics: must be some of"),
        ("subscribe", {"interval_ms": 100, "topics": ["all"]}, "topics: must be some of"),
        ("subscribe", {"interval_ms": 100, "topics": ["cmdlog"]}, "queue: is missing"),
        ("subscribe", {"interval_ms": 100, "queue": "x"}, "queue: is no parameter"),
    ],
)
def test_a_wrong_parameter_is_named(service, method, params, text):
    code, message = refusal(service, method, **params)

    assert (code, message[: len(text)]) == (-32602, text)


@pytest.mark.parametrize(
    ("method", "params", "what"),
    [
        ("controllers", {"session": "0-1-1"}, "session"),
        ("queues", {"controller": "0-1-1/c1"}, "session"),
        ("cmdlog", {"queue": "0-1-1/0.2"}, "session"),
        ("iostat", {"session": "0-1-1"}, "session"),
        ("subscribe", {"session": "0-1-1", "interval_ms": 100}, "session"),
        ("unsubscribe", {"subscription": 1}, "subscription"),
    ],
)
def test_what_is_not_there_is_an_error_of_its_own(service, method, params, what):
    error = reply(service, id="a", method=method, params=params)["error"]

    assert (error["code"], error["data"]) == (-32001, {"what": what})


def test_the_limits_of_parameters_are_allowed(service):
    for interval_ms in (100, 60000):
        found = reply(service, id=1, method="subscribe", params={"interval_ms": interval_ms})
        assert found["result"]["interval_ms"] == interval_ms


def test_there_are_16_subscriptions_at_most(service):
    for _ in range(16):
        reply(service, id=1, method="subscribe", params={"interval_ms": 100})

    code, message = refusal(service, "subscribe", interval_ms=100)
    assert (code, message) == (-32003, "16 subscriptions are all there can be: end one first")

    reply(service, id=1, method="unsubscribe", params={"subscription": 3})
    assert "result" in reply(service, id=1, method="subscribe", params={"interval_ms": 100})


def test_a_request_without_id_is_not_answered(service):
    for message in ({"method": "hello"}, {"method": "nonsense"}, {"method": "hello", "params": []}):
        assert answer(service, json.dumps({"jsonrpc": "2.0", **message}).encode()) == b""


def test_a_defect_is_an_answer_and_not_the_end(service, monkeypatch, capsys):
    monkeypatch.setattr(service.feed, "snapshot", lambda: 1 / 0)

    error = reply(service, id=1, method="sessions")["error"]

    assert (error["code"], "ZeroDivisionError" in error["message"]) == (-32603, True)
    assert "Traceback" in capsys.readouterr().err


def test_lines_come_in_any_pieces():
    lines = Lines()

    assert lines.add(b"ab") == []
    assert lines.add(b"c\nde\n\n  \nf") == [b"abc", b"de"]
    assert lines.end() == [b"f"]
    assert Lines().end() == []


def test_a_line_that_is_too_long_is_refused_once_and_dropped():
    lines = Lines()

    assert lines.add(b"x" * LINE_BYTES) == []
    assert lines.add(b"x") == [None]
    assert lines.add(b"x" * LINE_BYTES) == []
    assert lines.add(b"x\nnext\n") == [b"next"]
    assert lines.add(b"y" * LINE_BYTES + b"\n") == [b"y" * LINE_BYTES]
    assert lines.add(b"y" * LINE_BYTES + b"y\nlast\n") == [None, b"last"]


def test_a_long_line_does_not_end_the_program(client):
    client.send(b"x" * 200_000 + b"\n")

    assert client.receive()["error"]["code"] == -32600
    assert "result" in client.answer("hello")


def console(text, **more):
    return subprocess.run([*CONSOLE, "console", "--stdio"], input=text, capture_output=True, **more)


def test_all_requests_are_answered_before_the_end_of_the_input(folder):
    one = b'{"jsonrpc":"2.0","id":%d,"method":"hello"}'

    done = console(b"\n".join(one % i for i in range(500)))

    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == list(range(500))
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_input_that_is_empty_is_the_end(folder):
    assert console(b"").returncode == 0


def test_without_a_way_to_serve_it_says_which_there_is(folder):
    done = subprocess.run([*CONSOLE, "console"], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (
        2,
        "pynvme console: say --stdio: there is no other way to serve\n",
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(folder, number):
    with subprocess.Popen(
        [*CONSOLE, "console", "--stdio"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"hello"}\n')
        process.stdin.flush()
        process.stdout.readline()

        process.send_signal(number)

        assert (process.wait(), process.stderr.read()) == (0, b"")


def test_a_client_that_goes_away_is_the_end(folder):
    process = subprocess.Popen(
        [*CONSOLE, "console", "--stdio"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    process.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"hello"}\n')
    process.stdin.flush()

    assert (process.wait(), process.stderr.read()) == (0, b"")
    process.stdin.close()
    process.stderr.close()


def test_the_page_lists_every_method_and_error():
    text = DOC.read_text()

    headings = re.findall(r"^### (\w+)$", text, re.MULTILINE)

    assert headings == list(Service()._methods)
    for code in (-32700, -32600, -32601, -32602, -32603, -32001, -32002, -32003, -32005):
        assert f"| {code} |" in text


def shape(value):
    """Fields of an object, of those in lists too."""
    if isinstance(value, dict):
        return set(value)
    return set()


def test_every_field_stands_in_the_page(client, live):
    live("nvme0n1.read(qpair, buf, 5).waitdone()")
    text = DOC.read_text()
    (queue,) = [one for one in client("queues")["queues"] if one["sqid"] == 1]
    objects = [
        client("hello"),
        client("hello")["limits"],
        client("sessions")["sessions"][0],
        client("controllers")["controllers"][0],
        queue,
        client("cmdlog", queue=queue["id"])["entries"][0],
        client("iostat")["queues"][0],
    ]

    fields = set().union(*map(shape, objects))

    assert len(fields) > 60
    assert {name for name in fields if f"`{name}`" not in text} == set()


def test_the_example_of_the_page_has_the_fields_of_real_objects(client, live):
    live("nvme0n1.read(qpair, buf, 5).waitdone()")
    lines = re.findall(r"^< (\{.*\})$", DOC.read_text(), re.MULTILINE)
    shown = [json.loads(re.sub(r",?\.\.\.", "", line)) for line in lines]
    (tree,) = [one["params"] for one in shown if one.get("method") == "tree"]
    client("subscribe", interval_ms=100)

    real = client.note("tree")

    for kind in ("sessions", "controllers", "queues"):
        assert list(tree[kind][0]) == list(real[kind][0])
    rates = [one["params"] for one in shown if one.get("method") == "iostat"][-1]
    assert list(rates["sessions"][0]) == list(client("iostat")["sessions"][0])
