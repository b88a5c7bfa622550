"""The scripts that machines run, without the way to them: what no test over SSH would notice."""

import os
import signal
import subprocess
import time
from hashlib import sha256
from pathlib import Path

import pytest

from bot.targets.ssh.wrapper import installation
from tests.support.scripts import RUN, Machine, background, wait_for

STUBBORN = "trap '' TERM; echo begun; while :; do sleep 0.1; done"
BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
_SELINUX = "/sys/fs/selinux/enforce"


def age(path: Path, days: float) -> None:
    then = time.time() - days * 24 * 3600
    os.utime(path, (then, then))


@pytest.mark.skipif(os.geteuid() != 0, reason="it takes root to give files away")
@pytest.mark.parametrize("labels", [False, True])
def test_what_is_replaced_keeps_owner_mode_and_label(machine: Machine, labels: bool) -> None:
    """So does the former content; a new file has the label of its place."""
    noted = machine.files.parent / "noted"
    for program in ("chcon", "restorecon"):
        machine.pretend(program, f'echo "{program} $1" >>{noted}')
    if labels:
        machine.replace(_SELINUX, "/proc/self/stat")
    path = machine.files / "etcd.conf"
    path.write_bytes(b"old")
    os.chown(path, 12345, 54321)
    path.chmod(0o640)
    assert machine.write(path, b"new", b"old").answers == [["written"]]
    former = machine.files / f".etcd.conf.quorumbot-{sha256(b'old').hexdigest()[:12]}"
    for each, content in ((path, b"new"), (former, b"old")):
        stat = each.stat()
        assert (each.read_bytes(), stat.st_uid, stat.st_gid) == (content, 12345, 54321)
        assert stat.st_mode & 0o7777 == 0o640
    assert machine.write(machine.files / "other", b"new", None).answers == [["written"]]
    expected = ["chcon --reference=./etcd.conf", "chcon --reference=."] if labels else []
    said = noted.read_text().splitlines() if noted.exists() else []
    assert [line for line in said if line.startswith("chcon")] == expected
    assert len([line for line in said if line.startswith("restorecon ./.other")]) == labels


def test_what_cannot_have_its_label_is_not_replaced(machine: Machine) -> None:
    """Whoever reads it might not be let any more."""
    machine.pretend("chcon", "echo not here >&2; exit 1")
    machine.replace(_SELINUX, "/proc/self/stat")
    path = machine.files / "etcd.conf"
    path.write_bytes(b"old")
    assert machine.write(path, b"new", b"old").answers == [["failed", "not", "here"]]
    assert [each.name for each in machine.files.iterdir()] == ["etcd.conf"]
    assert path.read_bytes() == b"old"


def test_who_writes_at_the_last_moment_is_not_overwritten(machine: Machine) -> None:
    """Between the look at the file and its replacement."""
    path = machine.files / "etcd.conf"
    path.write_bytes(b"old")
    machine.pretend("ln", f'printf theirs >{path}; exec /bin/ln "$@"')
    assert machine.write(path, b"new", b"old").answers[0][0] == "changed"
    assert path.read_bytes() == b"theirs"


def test_a_new_file_replaces_none_that_came_meanwhile(machine: Machine) -> None:
    """It is there whole, or not at all."""
    path = machine.files / "etcd.conf"
    machine.pretend("ln", f'printf theirs >{path}; exec /bin/ln "$@"')
    answers = machine.write(path, b"new", None).answers
    assert answers == [["changed", sha256(b"theirs").hexdigest()]]
    assert path.read_bytes() == b"theirs"


def test_a_former_file_that_can_have_no_second_name_is_copied(machine: Machine) -> None:
    """Where its file system has no links."""
    path = machine.files / "etcd.conf"
    path.write_bytes(b"old")
    path.chmod(0o640)
    machine.pretend("ln", "exit 1")
    assert machine.write(path, b"new", b"old").answers == [["written"]]
    (former,) = machine.files.glob(".etcd.conf.quorumbot-*")
    assert (former.read_bytes(), former.stat().st_mode & 0o777) == (b"old", 0o640)


def test_a_full_disk_is_said_to_be_full(machine: Machine) -> None:
    """What was there stays."""
    path = machine.files / "etcd.conf"
    path.write_bytes(b"old")
    machine.pretend("head", "echo No space left on device >&2; exit 1")
    answers = machine.write(path, b"new", b"old").answers
    assert answers == [["failed", "No", "space", "left", "on", "device"]]
    assert path.read_bytes() == b"old"


def test_a_place_with_a_longer_name_is_another_place(machine: Machine) -> None:
    """Wherever a link leads."""
    other = machine.files.parent / "files2"
    other.mkdir()
    (machine.files / "link").symlink_to(other)
    answers = machine.write(machine.files / "link" / "etcd.conf", b"new", None).answers
    assert answers == [["escapes", str(other / "etcd.conf")]]
    assert list(other.iterdir()) == []


def test_what_is_sent_is_compared_at_its_end(machine: Machine) -> None:
    """And what came there meanwhile is left."""
    path = machine.files / "snapshot.db"
    for sum_of, answer in ((b"other", "short"), (b"data", "other")):
        end = sha256(sum_of).hexdigest()
        if answer == "other":
            machine.pretend("ln", f'printf theirs >{path}; exec /bin/ln "$@"')
        told = machine.tell(
            "send", str(path), "600", str(machine.files), data=f"4\ndataend {end}\n".encode()
        )
        assert told.answers == [["ready"], [answer]]
        assert [each.read_bytes() for each in machine.files.iterdir()] == (
            [b"theirs"] if answer == "other" else []
        )


def test_what_arrives_short_or_wrong_is_not_written(machine: Machine) -> None:
    """Nothing of it is left either."""
    path = machine.files / "etcd.conf"
    new = sha256(b"new").hexdigest()
    told = machine.tell("write", str(path), "600", "-", new, "3", str(machine.files), data=b"ne")
    assert told.answers == [["short"]]
    assert list(machine.files.iterdir()) == []


def test_what_broke_off_is_cleared_away_after_a_day(machine: Machine) -> None:
    """What is younger may be in use, and what is not Quorumbot's is never touched."""
    for name, days in (("old.quorumbot-tmp-ABCDEF", 2), ("new.quorumbot-tmp-ABCDEF", 0)):
        (machine.files / f".{name}").touch()
        age(machine.files / f".{name}", days)
    (machine.files / "theirs").touch()
    age(machine.files / "theirs", 99)
    machine.write(machine.files / "etcd.conf", b"new", None)
    names = sorted(each.name for each in machine.files.iterdir())
    assert names == [".new.quorumbot-tmp-ABCDEF", "etcd.conf", "theirs"]


def test_the_state_is_roots_alone(machine: Machine) -> None:
    """Also where somebody else has made the folder, and it is no way to another place."""
    machine.state.chmod(0o755)
    assert machine.tell("settle", RUN, "1-1-work").answers == [["never"]]
    assert machine.state.stat().st_mode & 0o777 == 0o700
    moved = machine.state.rename(machine.state.parent / "elsewhere")
    machine.state.symlink_to(moved)
    (answer,) = machine.tell("settle", RUN, "1-1-other").answers
    assert answer[0] == "failed"
    assert answer[2:] == ["belongs", "to", "somebody", "else"]


def test_a_folder_that_cannot_be_made(machine: Machine) -> None:
    """It is said why."""
    (machine.state / "runs").rmdir()
    (machine.state / "runs").touch()
    (answer,) = machine.tell("settle", RUN, "1-1-work").answers
    assert answer[0] == "failed"


def test_work_with_a_longer_name_is_other_work(machine: Machine) -> None:
    """Stopping one leaves the other alone."""
    for key in ("1-1-work-2", "1-1-work"):
        background = ("sh", "-c", "setsid sleep 30 >/dev/null 2>&1 & echo begun")
        assert machine.run(key, *background).answers[-1][0] == "ended"
    machine.tell("stop", RUN, "1-1-work")
    other = f"QUORUMBOT_MARK={machine.state}/runs/{RUN}/1-1-work-2".encode()
    left = [pid for pid in Path("/proc").glob("[0-9]*") if other in environment(pid)]
    assert len(left) == 1
    machine.tell("stop", RUN, "1-1-work-2")
    assert not [pid for pid in left if other in environment(pid)]


def test_another_boot_had_other_processes(machine: Machine) -> None:
    """Also where one of now has the same number, and began as long after the boot."""
    machine.run("1-1-work", "true")
    folder = machine.state / "runs" / RUN / "1-1-work"
    (folder / "status").unlink()
    with subprocess.Popen(["sleep", "60"]) as other:
        began = Path(f"/proc/{other.pid}/stat").read_text().rpartition(") ")[2].split()[19]
        for boot, found in ((BOOT, "running"), ("another", "lost")):
            (folder / "record").write_text(f"{other.pid} {began} {boot}\n")
            assert machine.tell("settle", RUN, "1-1-work").answers[0][0] == found
        other.kill()


def test_what_has_ended_and_is_not_noted_yet_still_runs(machine: Machine) -> None:
    """It is not lost: who carries it out is about to note its end."""
    machine.pretend("sync", 'case $1 in *.status) sleep 1 ;; esac; exec /bin/sync "$@"')
    with background(machine, "1-1-work", "true") as running:
        folder = machine.state / "runs" / RUN / "1-1-work"
        wait_for(folder / ".status")
        assert machine.tell("settle", RUN, "1-1-work").answers[0][0] == "running"
    assert running.answers[-1][:2] == ["ended", "0"]


def test_who_carries_it_out_is_not_ended_by_a_logout(machine: Machine) -> None:
    """Nor by a signal that asks for its end: the command's end is noted."""
    gate = machine.files / "gate"
    script = 'while [ ! -e "$0" ]; do sleep 0.05; done'
    with background(machine, "1-1-work", "sh", "-c", script, str(gate)) as running:
        record = machine.state / "runs" / RUN / "1-1-work" / "record"
        wait_for(record)
        for number in (signal.SIGHUP, signal.SIGTERM):
            os.kill(int(record.read_text().split()[0]), number)
        gate.touch()
    assert running.answers[-1][:2] == ["ended", "0"]


def test_what_does_not_heed_the_first_signal_is_killed(machine: Machine) -> None:
    """Also where the command itself has ended, and nobody else would kill it."""
    machine.replace("tenths=50", "tenths=3")
    machine.run("1-1-work", "setsid", "--fork", "sh", "-c", f"exec >/dev/null 2>&1; {STUBBORN}")
    assert machine.tell("settle", RUN, "1-1-work").answers[0][0] == "ended"
    machine.tell("stop", RUN, "1-1-work")
    mark = f"QUORUMBOT_MARK={machine.state}/runs/{RUN}/1-1-work".encode()
    assert not [pid for pid in Path("/proc").glob("[0-9]*") if mark in environment(pid)]


def test_who_stops_it_waits_until_its_end_is_noted(machine: Machine) -> None:
    """It is not said to run when nothing of it does."""
    machine.pretend("sync", 'case $1 in *.status) sleep 1 ;; esac; exec /bin/sync "$@"')
    with background(machine, "1-1-work", "sleep", "60"):
        wait_for(machine.state / "runs" / RUN / "1-1-work" / "record")
        assert machine.tell("stop", RUN, "1-1-work").answers[0][:2] == ["ended", "143"]


def test_an_upload_that_is_killed_leaves_nothing(machine: Machine) -> None:
    """When a machine goes down, what has not arrived whole is removed first."""
    path = machine.files / "snapshot.db"
    with machine.begun("send", str(path), "600", str(machine.files)) as sending:
        wait_for(machine.files, "*quorumbot-tmp*")
        sending.terminate()
        sending.wait(10)
    assert list(machine.files.iterdir()) == []


def test_what_cannot_be_ended_is_said_to_run(machine: Machine) -> None:
    """Nobody says that it is gone."""
    machine.replace("kill -s", "true -s")
    machine.replace("tenths=50", "tenths=1")
    machine.run("1-1-work", "sh", "-c", "setsid sleep 30 >/dev/null 2>&1 &")
    assert machine.tell("stop", RUN, "1-1-work").answers == [["running", "0"]]
    machine.install()
    assert machine.tell("stop", RUN, "1-1-work").answers[-1][0] == "ended"


def test_files_of_a_run_stay_as_long_as_the_run_is_known(machine: Machine) -> None:
    """It may wait for people; what belongs to no run goes after a week."""
    for name, days in (("r-WAITING0", 8), ("r-ALONE000", 8), ("r-FRESH000", 0)):
        (machine.state / "files" / name).mkdir()
        age(machine.state / "files" / name, days)
    (machine.state / "runs" / "r-WAITING0").mkdir()
    machine.run("1-1-work", "true")
    left = sorted(each.name for each in (machine.state / "files").iterdir())
    assert left == ["r-FRESH000", "r-WAITING0"]


def environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def test_who_does_not_heed_its_limit_is_killed(machine: Machine) -> None:
    """It was over its limit all the same; who is killed before that was not."""
    assert machine.run("1-1-late", "sh", "-c", STUBBORN, limit="0.2").answers[-1][:2] == [
        "ended",
        "124",
    ]
    killed = machine.run("1-1-killed", "sh", "-c", "kill -KILL $$", limit="30")
    assert killed.answers[-1][:2] == ["ended", "137"]


def test_a_question_that_does_not_heed_its_limit_is_killed(machine: Machine) -> None:
    """A second later; it is told nothing on stdin."""
    began = time.monotonic()
    machine.tell("ask", "0.2", "sh", "-c", STUBBORN)
    assert time.monotonic() - began < 10
    assert machine.tell("ask", "5", "cat", data=b"typed").out == ""


def test_programs_speak_english_and_are_found(machine: Machine) -> None:
    """What they say is understood by its words."""
    assert machine.tell("ask", "5", "sh", "-c", "echo $LC_ALL").out == "C\n"


def test_scripts_that_do_not_arrive_whole(machine: Machine) -> None:
    """They are not put anywhere."""
    before = sorted((machine.state / "wrapper").iterdir())
    told = machine.tell("install", "0123456789ab", "4", "4", data=b"echo ")
    assert told.answers == [["short"]]
    assert sorted((machine.state / "wrapper").iterdir()) == before


def test_scripts_of_former_versions_go_after_a_week(machine: Machine) -> None:
    """Another worker may use them until then."""
    folder = machine.state / "wrapper"
    for name, days in (("aaaaaaaaaaaa", 8), ("bbbbbbbbbbbb", 6)):
        for path in (folder / f"{name}.sh", folder / f"{name}-work.sh"):
            path.touch()
            age(path, days)
    machine.install()
    left = {each.name[:12] for each in folder.iterdir()}
    assert left == {"bbbbbbbbbbbb", installation().name}


def test_nothing_is_begun_without_the_script_that_carries_it_out(machine: Machine) -> None:
    """It is said, and nothing is left that looks like work."""
    (work,) = machine.state.glob("wrapper/*-work.sh")
    work.unlink()
    assert machine.run("1-1-work", "true").answers[-1][0] == "failed"
    assert machine.tell("settle", RUN, "1-1-work").answers == [["never"]]


def test_nobody_stores_what_is_not_there(machine: Machine) -> None:
    """Where a run is over, saying how much of it is stored makes nothing of it again."""
    assert machine.tell("said", RUN, "1-1-work", "9").answers == [["gone"]]
    assert not (machine.state / "runs" / RUN).exists()
