"""The traps of the runbooks that lie in how a command is written: none is in what runs here.

Whatever any procedure asks or tells a machine is looked at, and whatever any plan shows, so that a
new procedure is held to it by its cases in `plans/cases` and `test_interrupted.py`.
"""

import asyncio
import posixpath
import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.targets.ssh.fake_files import FakeFile
from procedures.etcd.ports import dialling
from procedures.model.ids import ClusterName
from procedures.model.inventory import Platform
from procedures.model.paths import STATE, writable
from procedures.model.plan import Plan
from procedures.model.run import State
from tests.support.masters import SECRET
from tests.support.noting import Argv, Carried, carried_out, written
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.engine import cases as done
from tests.unit.procedures.plans.case import made, planned
from tests.unit.procedures.plans.every import CASES

DEMO = ClusterName("demo")
SHELLS = {"sh", "bash", "dash", "ksh", "zsh", "eval", "xargs"}
ITS_OWN = re.compile(r"/var/lib/quorumbot/files/RUN/\S+|/var/lib/etcd/quorumbot-RUN")
SHARED = {posixpath.dirname(place) for each in Platform for place in writable(each)} | {
    place for each in Platform for place in writable(each) if "." not in posixpath.basename(place)
}
"""Folders that are not Quorumbot's to move, to give away or to remove as a whole."""


def ready(name: str) -> Theatre:
    case = done.CASES[name]
    theatre = a_theatre(case.procedure, case.args)
    case.ready(theatre)
    return theatre


@pytest.fixture(scope="module")
def carried() -> Mapping[str, Carried]:
    """Each procedure, carried out to its end."""

    async def all_of_them() -> dict[str, Carried]:
        return {name: await carried_out(ready(name)) for name in done.CASES}

    found = asyncio.run(all_of_them())
    assert {each.theatre.run.state for each in found.values()} == {State.SUCCEEDED}
    return found


@pytest.fixture(scope="module")
def plans() -> Mapping[str, Plan]:
    """Each plan that is shown to people."""

    async def all_of_them() -> dict[str, Plan]:
        return {name: await planned(made(case)) for name, case in CASES.items()}

    return asyncio.run(all_of_them())


def test_x1_no_word_is_left_to_a_shell(carried: Mapping[str, Carried]) -> None:
    """X1: what nobody set cannot shorten a path, because nothing is filled in on the machine.

    No shell runs but the one that opens a connection, to which all words are arguments.
    """
    argvs = [argv for each in carried.values() for argv in each.argvs]
    assert len(argvs) > 500
    for argv in argvs:
        if argv[:-2] == dialling("", 0)[:-2]:
            argv = argv[-2:]  # noqa: PLW2901 (the rest is one fixed text)
        else:
            assert not SHELLS & {posixpath.basename(word) for word in argv[:6]}, argv
        assert all(argv), argv
        # rpm itself reads the end of a line in what it is to answer with.
        words = [word.removesuffix(r"\n") if word.startswith("%{") else word for word in argv]
        assert not re.search(r"[$`\\;&<>\n]", "".join(words)), argv


def test_x1_no_folder_that_others_share_is_changed(carried: Mapping[str, Carried]) -> None:
    """X1: nor is anything done to `/etc`, `/var/lib/etcd` and the like themselves."""
    assert {"/etc", "/etc/etcd", "/var/lib/etcd", "/etc/origin/master"} <= SHARED
    for each in carried.values():
        for told in each.hosts.told:
            if told.argv[0] != "mkdir":  # which changes nothing that is there
                assert not SHARED & {word.rstrip("/") for word in told.argv[1:]}, told


@pytest.mark.parametrize("name", done.CASES)
async def test_x2_nothing_goes_on_after_a_command_that_failed(name: str) -> None:
    """X2: whichever it is, the run ends there, and nothing is cleared away after it.

    Only an etcd that the same step has stopped, so that its data can be copied, is started again.
    """
    number = len((await carried_out(ready(name))).hosts.told)
    for which in range(number):
        found = await carried_out(ready(name), instead_of=which)
        assert found.theatre.run.state is State.FAILED, found.hosts.told[which]
        failed, *rest = found.hosts.told[which:]
        again = [told for told in rest if told.argv[:2] == ("systemctl", "start")]
        assert rest == again, failed
        assert all(told.step == failed.step for told in again), failed


def test_x2_nothing_is_removed_but_what_the_run_has_made(
    carried: Mapping[str, Carried], plans: Mapping[str, Plan]
) -> None:
    """X2: whatever else was there is given another name. So it is in all that people read."""
    removed = 0
    for each in carried.values():
        for told in each.hosts.told:
            assert not {"unlink", "rmdir", "shred", "truncate", "dd"} & set(told.argv)
            if told.argv[0] == "rm":
                removed += 1
                paths = [word for word in told.planned[1:] if not word.startswith("-")]
                assert all(ITS_OWN.fullmatch(path) for path in paths), told
    assert removed
    for name, plan in plans.items():
        for words in re.findall(r"\brm (?:-\S+ )*([^;\n]+)", _unquoted(plan)):
            assert all(ITS_OWN.fullmatch(path) for path in words.split()), (name, words)


def test_x3_nothing_is_put_inside_what_it_should_replace(
    carried: Mapping[str, Carried], plans: Mapping[str, Plan]
) -> None:
    """X3: each move says whether its target is the new name or the folder; no folder is copied.

    One of the run's own may be packed and unpacked, in a folder that nobody else has.
    """
    told = [told.argv for each in carried.values() for told in each.hosts.told]
    typed = [words for plan in plans.values() for words in _typed(plan, "mv|cp|ln|install|rsync")]
    assert len(typed) > 20
    for argv in (*told, *typed):
        if posixpath.basename(argv[0]) in {"mv", "ln"}:
            assert any(
                word == "--no-target-directory" or word.startswith("--target-directory=/")
                for word in argv
            ), argv
        assert posixpath.basename(argv[0]) not in {"cp", "install", "rsync"}, argv
        if posixpath.basename(argv[0]) == "tar":
            paths = re.findall(r"=(/\S+)", " ".join(argv))
            assert paths
            assert all(path.startswith("/var/lib/quorumbot/files/") for path in paths), argv


async def test_x4_a_copy_goes_back_to_where_it_was_whatever_the_day() -> None:
    """X4: its paths are those of the copy, `/etc` and all, and the copy has a name."""
    now, later = ready("restore a configuration"), ready("restore a configuration")
    later.sight.clock.ms += 40 * 86_400_000
    [copy] = later.backups.copied.names(DEMO)
    found = [await carried_out(each) for each in (now, later)]
    assert found[0].plan.digest == found[1].plan.digest
    files = [str(step.args["path"]) for step in found[1].plan.steps if "copy" in step.args]
    kept = await later.backups.copies.read(DEMO, _name(copy))
    assert files
    assert set(files) <= {each.path for each in kept.files}
    assert all(path.startswith("/etc/") for path in files)


def test_x4_no_path_holds_the_date(carried: Mapping[str, Carried]) -> None:
    """X4: nothing is looked for, or put, where it is only today."""
    for each in carried.values():
        today = datetime.fromtimestamp(each.theatre.sight.clock.ms / 1000, UTC)
        words = " ".join(word for argv in each.argvs for word in argv)
        for form in ("%Y%m%d", "%Y-%m-%d", "%y%m%d"):
            assert today.strftime(form) not in words


def test_x5_what_runs_is_word_for_word_what_was_approved(carried: Mapping[str, Carried]) -> None:
    """X5: no star or quote that a page has put in between; on each host, what is shown for it."""
    for name, each in carried.items():
        for told in each.hosts.told:
            text = each.plan.steps[told.step - 1].command
            assert shlex.join(told.planned) in text, (name, told)
            assert f"{told.host}: " in text, (name, told)
            assert not re.search(r"[*?~]", " ".join(told.argv)), told


def test_x9_every_url_has_two_slashes(
    carried: Mapping[str, Carried], plans: Mapping[str, Plan]
) -> None:
    """X9: in what runs, in what is written to machines, and in what people read."""
    texts = {name: written(plan) for name, plan in plans.items()}
    texts |= {f"run {name}": repr((each.argvs, each.plan)) for name, each in carried.items()}
    for name, text in texts.items():
        assert not re.search(r"https?:/(?!/\w)", text), name


def test_x13_no_call_is_of_the_old_api(
    carried: Mapping[str, Carried], plans: Mapping[str, Plan]
) -> None:
    """X13: etcdctl is told which API is meant, and no option or verb is one of version 2.

    But where a v2 store itself is kept, which is refused where there is none.
    """
    old = (
        r"etcdctl2|cluster-health|--(ca|cert|key)-file\b|ETCDCTL_API=2|etcdctl -C\b|etcdctl backup"
    )
    calls = 0
    for name, each in carried.items():
        for argv in each.argvs if "v2" not in name else ():
            assert not re.search(old, " ".join(argv)), argv
            if posixpath.basename(argv[0]) == "etcdctl":
                assert argv[1:] == ("version",), argv
            calls += argv[:2] == ("env", "ETCDCTL_API=3")
    assert calls > 5
    for name, plan in plans.items():
        assert "v2" in name or not re.search(old, written(plan)), name


def test_x17_nothing_is_put_where_everybody_reads(
    carried: Mapping[str, Carried], plans: Mapping[str, Plan]
) -> None:
    """X17: nor where a clean-up or a boot removes it: `/tmp` is in no command, plan or script."""
    public = r"(?<![\w.])/(var/)?tmp\b|/dev/shm\b|/run/user\b"
    for each in carried.values():
        assert not re.search(public, " ".join(word for argv in each.argvs for word in argv))
    for name, plan in plans.items():
        assert not re.search(public, written(plan)), name
    assert not any(re.search(public, place) for each in Platform for place in writable(each))
    assert not re.search(public, STATE)
    scripts = [path.read_text() for path in Path("bot/targets/ssh").glob("*.sh")]
    made = [line for text in scripts for line in re.findall(r"\$\(mktemp.*", text)]
    assert len(made) > 3
    assert all(re.match(r'\$\(mktemp (-d )?("\$\w+/|"?\./)', line) for line in made), made
    assert not any(re.search(public, text) for text in scripts)


def test_x18_no_secret_is_on_a_command_line_or_in_a_plan(carried: Mapping[str, Carried]) -> None:
    """X18: keys and passwords that lie on the machines are in nothing that is run, said or kept."""
    found = 0
    for name, each in carried.items():
        theatre = each.theatre
        told = repr((each.argvs, theatre.effects, each.pen.said, theatre.entries))
        for machine in theatre.sight.hosts.machines.values():
            secrets = {SECRET} if SECRET in _all_text(machine.files.nodes.values()) else set()
            for node in machine.files.nodes.values():
                if isinstance(node, FakeFile) and b"PRIVATE KEY" in node.content:
                    secrets |= set(node.content.decode().split("\n")[1:-2])
            found += len(secrets)
            for secret in secrets:
                assert secret not in told, (name, machine.name)
        assert not re.search(r" --(docker-)?(password|token)[= ]", told), name
    assert found > 20


def test_x20_no_command_is_one_that_newer_releases_lack(
    carried: Mapping[str, Carried], plans: Mapping[str, Plan]
) -> None:
    """X20: what was renamed or removed from `oc` and `kubectl` is in no command and no plan."""
    gone = (
        r"manage-node|--schedulable|--evacuate|--list-pods|--delete-local-data|--export\b"
        r"|get-token|selfLink|oc new-app --docker|oc adm diagnostics"
    )
    for each in carried.values():
        for argv in each.argvs:
            assert not re.search(gone, " ".join(argv)), argv
    for name, plan in plans.items():
        assert not re.search(gone, written(plan)), name


def _unquoted(plan: Plan) -> str:
    """What people read of a plan, without what it writes into files."""
    lines = written(plan).split("\n")
    return "\n".join(line for line in lines if not line.startswith(("+", "-")))


def _typed(plan: Plan, programs: str) -> list[Argv]:
    """The calls of some programs in what people read."""
    found = re.findall(
        rf"(?:^|[:;] |then )((?:{programs}) -[^;\n]*)", _unquoted(plan), re.MULTILINE
    )
    return [tuple(shlex.split(words)) for words in found]


def _all_text(nodes: object) -> str:
    return repr(list(nodes))  # type: ignore[call-overload]  # any nodes


def _name(file: str) -> str:
    return file.removesuffix(".config.json")
