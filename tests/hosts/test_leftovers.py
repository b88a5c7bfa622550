"""Whoever uses a testbed, and however that ends: nothing of it is left, and nothing of another."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.traces import traces
from tests.testbed import BedError, HostSpec, Namespace, Testbed
from tests.testbed.beds import mounts_below, remove_leftovers

_HERE = Path(__file__).parents[2]


@pytest.fixture
def people(inside: Namespace) -> Iterator["subprocess.Popen[str]"]:  # noqa: ARG001 - for its skip
    """`python -m tests.testbed up` with one host and no member, once it is ready."""
    argv = [sys.executable, "-m", "tests.testbed", "up", "--hosts", "1", "--members", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=_HERE) as process:
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            remove_leftovers()


def name_of(process: "subprocess.Popen[str]") -> str:
    """Reads up to its last line; returns the testbed's name."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("ready"):
            break
    return said.partition("/run/netns/")[2].partition("-bot")[0]


def test_a_testbed_leaves_nothing(inside: Namespace) -> None:
    """With a disk of its own mounted, and a host off, and one frozen."""
    specs = [HostSpec("a", disk_mib=64), HostSpec("b"), HostSpec("c")]
    with Testbed.start(specs, bot=inside) as bed:
        folder, name = bed.folder, bed.name
        assert traces(name)
        bed["b"].power_off()
        bed["c"].freeze()
    assert traces(name) == []
    assert not folder.exists()


def test_one_namespace_has_one_testbed(inside: Namespace) -> None:
    """The second is refused, in words, and leaves the first alone and nothing of itself."""
    with Testbed.start([HostSpec("first")], bot=inside) as bed:
        with pytest.raises(BedError, match="another testbed is connected"):
            Testbed.start([HostSpec("second")], bot=inside)
        assert bed["first"].ssh(["true"]).status == 0
        assert remove_leftovers() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_leaves_nothing_when_it_is_asked_to_end(
    people: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    """By Ctrl-C, or by SIGTERM."""
    name = name_of(people)
    assert traces(name)
    people.send_signal(number)
    assert people.wait(30) == 0
    assert traces(name) == []


def test_what_a_killed_owner_left_is_removed_and_nothing_else(
    inside: Namespace, people: "subprocess.Popen[str]"
) -> None:
    """Two testbeds at once: one's owner is killed, and the other does not notice."""
    killed = name_of(people)
    with Testbed.start([HostSpec("etcd-1")], bot=inside) as bed:
        os.kill(people.pid, signal.SIGKILL)
        people.wait()
        assert traces(killed)
        assert remove_leftovers() == [killed]
        assert traces(killed) == []
        assert bed["etcd-1"].ssh(["true"]).status == 0
    assert mounts_below(bed.folder) == []
