"""python-etcd3 runs on today's protobuf, with our stubs; each test in a process of its own."""

import subprocess
import sys


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_it_is_loaded_with_our_stubs() -> None:
    """Without a warning, without its own stubs, and with nothing of its names registered."""
    done = run(
        "import sys\n"
        "from google.protobuf import descriptor_pool\n"
        "from bot.targets.etcd.python_etcd3 import load\n"
        "from bot.targets.etcd.wire import data_pb2, etcd_pb2\n"
        "etcd3 = load()\n"
        "assert load() is etcd3\n"
        "assert etcd3.etcdrpc.RangeRequest is data_pb2.RangeRequest\n"
        "assert not [name for name in sys.modules if name.startswith('etcd3.etcdrpc.')]\n"
        "packages = {data_pb2.DESCRIPTOR.package, etcd_pb2.DESCRIPTOR.package}\n"
        "assert packages == {'quorumbot.etcd.data.v1', 'quorumbot.etcd.v1'}\n"
        "try: descriptor_pool.Default().FindMessageTypeByName('etcdserverpb.RangeRequest')\n"
        "except KeyError: print('good')\n"
    )
    assert done.stdout == "good\n", done.stderr


def test_it_is_not_loaded_before_it_is_used() -> None:
    """To be able to act costs nothing."""
    done = run(
        "import sys\n"
        "import bot.targets.etcd.act\n"
        "print(sorted({'etcd3', 'tenacity', 'six'} & set(sys.modules)))\n"
    )
    assert done.stdout == "[]\n", done.stderr


def test_our_stubs_are_still_needed() -> None:
    """Its own ones do not load; once they do, ours can go."""
    done = run("import etcd3")
    assert "Descriptors cannot be created directly" in done.stderr
