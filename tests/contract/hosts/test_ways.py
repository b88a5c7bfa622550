"""Ways to a machine, on a real sshd: only to the right one, and each fault says what to do."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from bot.targets.ssh.hosts import SshHosts
from procedures.model.errors import InDoubt, Permanent, Retryable
from procedures.model.host import Machine, Mark
from procedures.model.inventory import Host, Jump, SshAccess
from procedures.model.probe import Fault, FaultKind
from tests.contract.hosts.worlds import Gate, Piece, RealWorld
from tests.support.proxy import proxy
from tests.support.sshd import ASKED, CARELESS, sshd
from tests.support.transcripts import Heard
from tests.support.waiting import eventually


async def tried(world: RealWorld, access: SshAccess | None, host: Host | None = None) -> Fault:
    """Try a way that is none, and give its fault; nothing can be begun on it either."""
    cluster, host = replace(world.cluster, ssh=access), host or world.host
    hosts = SshHosts(patience_ms=100)
    try:
        fault = await hosts.machine(cluster, host)
        assert isinstance(fault, Fault)
        mark = Mark(world.run, 1, 1, "work")
        with pytest.raises((Permanent, Retryable)) as caught:
            await hosts.run(cluster, host, mark, ["true"], limit_ms=1_000, transcript=Heard())
        passing = fault.kind in {FaultKind.UNREACHABLE, FaultKind.REFUSED, FaultKind.SILENT}
        assert isinstance(caught.value, Retryable) is (passing or fault.kind is FaultKind.DNS)
        with pytest.raises(InDoubt):
            await hosts.settle(cluster, host, mark)
    finally:
        await hosts.close()
    return fault


async def found(world: RealWorld, access: SshAccess, host: Host | None = None) -> Machine:
    """Try a way that is one."""
    hosts = SshHosts()
    try:
        machine = await hosts.machine(replace(world.cluster, ssh=access), host or world.host)
    finally:
        await hosts.close()
    assert isinstance(machine, Machine), machine
    return machine


async def test_nothing_is_configured(real: RealWorld) -> None:
    """It is said where to."""
    fault = await tried(real, None)
    assert fault.kind is FaultKind.FILES
    assert "`clusters.demo.ssh`" in fault.message


async def test_another_host_key(real: RealWorld, tmp_path: Path) -> None:
    """Nothing is sent to a machine that shows another key than the one on file."""
    other = asyncssh.generate_private_key("ssh-ed25519")
    known = real.server.known_hosts(tmp_path / "other", real.way.port, other)
    fault = await tried(real, replace(real.access, known_hosts=known))
    assert fault.kind is FaultKind.TRUST
    assert f"another host key than the one in {known}" in fault.message
    assert "re-installed" in fault.message


async def test_an_unknown_machine(real: RealWorld, tmp_path: Path) -> None:
    """There is no trust at first sight."""
    known = tmp_path / "empty"
    known.touch()
    fault = await tried(real, replace(real.access, known_hosts=str(known)))
    assert fault.kind is FaultKind.TRUST
    assert f"{known} has no host key for 127.0.0.1" in fault.message
    assert known.read_text() == ""


async def test_no_known_hosts(real: RealWorld, tmp_path: Path) -> None:
    """A file that is missing never means that the check is off."""
    gone = str(tmp_path / "gone")
    for access in (
        replace(real.access, known_hosts=gone),
        replace(real.access, known_hosts=None, host_ca=gone),
    ):
        fault = await tried(real, access)
        assert fault.kind is FaultKind.FILES
        assert gone in fault.message


async def test_host_certificates(real: RealWorld, tmp_path: Path) -> None:
    """Whom an authority has signed is trusted, under the name that it is signed for."""
    authority, other = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    (tmp_path / "ca.pub").write_bytes(authority.export_public_key())
    (tmp_path / "other.pub").write_bytes(other.export_public_key())
    (tmp_path / "sshd").mkdir()
    async with sshd(tmp_path / "sshd", authority) as server:
        host = Host("signed", "127.0.0.1", server.port)
        access = SshAccess("root", str(server.user_key), host_ca=str(tmp_path / "ca.pub"))
        await found(real, access, host)
        wrong = replace(access, host_ca=str(tmp_path / "other.pub"))
        fault = await tried(real, wrong, host)
        assert fault.kind is FaultKind.TRUST
        assert "no host certificate for 127.0.0.1" in fault.message
        elsewhere = replace(host, address="localhost")
        assert (await tried(real, access, elsewhere)).kind is FaultKind.TRUST


async def test_a_key_that_is_not_let_in(real: RealWorld, tmp_path: Path) -> None:
    """It is said which, and for whom."""
    key = tmp_path / "stranger"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(key))
    os.chmod(key, 0o600)  # noqa: PTH101
    fault = await tried(real, replace(real.access, key=str(key)))
    assert fault.kind is FaultKind.DENIED
    assert f"does not let root in with the key {key}" in fault.message


async def test_keys_that_cannot_be_used(real: RealWorld, tmp_path: Path) -> None:
    """Missing, open to others, with a passphrase, or no key at all."""
    generate = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "a passphrase", "-f"]
    process = await asyncio.create_subprocess_exec(*generate, tmp_path / "locked")
    assert await process.wait() == 0
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key()
    for name, content, mode in (("open", key, 0o644), ("text", b"no key", 0o600)):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(mode)
    words = {"gone": "No such file", "open": "chmod 600", "locked": "needs a passphrase"}
    for name, said in {**words, "text": "cannot be used"}.items():
        fault = await tried(real, replace(real.access, key=str(tmp_path / name)))
        assert fault.kind is FaultKind.FILES
        assert said in fault.message
        assert str(tmp_path / name) in fault.message


async def test_user_certificates(real: RealWorld, tmp_path: Path) -> None:
    """A key may have a certificate; one that is for another key is refused here."""
    authority = asyncssh.generate_private_key("ssh-ed25519")
    user = asyncssh.read_private_key(str(real.server.user_key))
    certificate = authority.generate_user_certificate(user, "worker", principals=["root"])
    certificate.write_certificate(str(tmp_path / "cert.pub"))
    access = replace(real.access, certificate=str(tmp_path / "cert.pub"))
    await found(real, access)
    other = asyncssh.generate_private_key("ssh-ed25519")
    wrong = authority.generate_user_certificate(other, "worker", principals=["root"])
    wrong.write_certificate(str(tmp_path / "wrong.pub"))
    fault = await tried(real, replace(access, certificate=str(tmp_path / "wrong.pub")))
    assert fault.kind is FaultKind.FILES


async def test_an_agent(real: RealWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its keys are used only where the configuration says so."""
    socket = str(tmp_path / "agent")
    process = await asyncio.create_subprocess_exec("ssh-agent", "-D", "-a", socket)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        access = replace(real.access, key=None, agent=True)
        await eventually(Path(socket).exists, 10, "the agent listens")
        assert "No key is there" in (await tried(real, access)).message
        async with asyncssh.connect_agent(socket) as agent:
            await agent.add_keys([str(real.server.user_key)])
        await found(real, access)
        stranger = tmp_path / "stranger"
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(stranger))
        os.chmod(stranger, 0o600)  # noqa: PTH101
        fault = await tried(real, replace(real.access, key=str(stranger)))
        assert fault.kind is FaultKind.DENIED
    finally:
        process.terminate()
        await process.wait()
    assert "SSH agent" in (await tried(real, access)).message


async def test_nobody_listens(real: RealWorld) -> None:
    """It is the machine that answers."""
    await real.way.close()
    fault = await tried(real, real.access)
    assert fault.kind is FaultKind.REFUSED
    assert f"no sshd listens on port {real.way.port}" in fault.message


async def test_a_machine_that_accepts_and_is_silent(real: RealWorld) -> None:
    """It costs one deadline."""
    real.way.freeze()
    fault = await tried(real, real.access)
    assert fault.kind is FaultKind.SILENT
    assert "lets nobody in within 2 s" in fault.message


async def test_a_name_that_does_not_resolve(real: RealWorld) -> None:
    """The name is said."""
    fault = await tried(real, real.access, Host("nowhere", "no-such-name.invalid"))
    assert fault.kind is FaultKind.DNS
    assert "no-such-name.invalid" in fault.message


async def test_sudo(real: RealWorld) -> None:
    """With it, everything is done as root, by a user who is not."""
    access = replace(real.access, user=CARELESS)
    mine, roots = (replace(real.cluster, ssh=replace(access, sudo=on)) for on in (False, True))
    ids = []
    for cluster in (mine, roots):
        said = await real.hosts.ask(cluster, real.host, ["id", "-un"])
        assert not isinstance(said, Fault)
        ids.append(said.out)
    assert ids == [f"{CARELESS}\n", "root\n"]
    await real.hosts.write(roots, real.host, f"/etc/etcd/{real.run}", b"x", was=None)
    assert real.content(f"/etc/etcd/{real.run}") == b"x"


async def test_sudo_that_asks(real: RealWorld) -> None:
    """Nobody is there to answer: it is refused, with what to change."""
    fault = await tried(real, replace(real.access, user=ASKED, sudo=True))
    assert fault.kind is FaultKind.DENIED
    assert "asks for a password for askeduser" in fault.message
    assert "NOPASSWD" in fault.message


async def test_without_root(real: RealWorld) -> None:
    """What Quorumbot keeps is root's, and nobody else begins anything."""
    assert await Piece(real).run("true") == 0
    cluster = replace(real.cluster, ssh=replace(real.access, user=CARELESS))
    with pytest.raises(Permanent, match=r"/var/lib/quorumbot on machine-1 .* cannot be used"):
        await real.hosts.run(
            cluster,
            real.host,
            Mark(real.run, 2, 1, "work"),
            ["true"],
            limit_ms=1_000,
            transcript=Heard(),
        )


async def test_a_user_of_its_own(real: RealWorld) -> None:
    """A machine may differ from the others."""
    host = replace(real.host, user=CARELESS)
    said = await real.hosts.ask(real.cluster, host, ["id", "-un"])
    assert not isinstance(said, Fault)
    assert said.out == f"{CARELESS}\n"


async def test_a_jump_host(real: RealWorld, tmp_path: Path) -> None:
    """The machine is reached through another, and each proves itself."""
    port = real.server.port
    known, mine = tmp_path / "both", tmp_path / "known_hosts"
    real.server.known_hosts(known, port)
    known.write_text(known.read_text() + mine.read_text())
    access = replace(real.access, known_hosts=str(known), jump=Jump("127.0.0.1", real.way.port))
    behind = Host("behind", "127.0.0.1", port)
    accepted = real.way.accepted
    await found(real, access, behind)
    assert real.way.accepted == accepted + 1
    strange = replace(access, known_hosts=real.server.known_hosts(tmp_path / "one", port))
    fault = await tried(real, strange, behind)
    assert fault.kind is FaultKind.TRUST
    assert "The jump host 127.0.0.1" in fault.message
    fault = await tried(real, replace(access, jump=Jump("127.0.0.1", 1)), behind)
    assert (fault.kind, "jump host" in fault.message) == (FaultKind.REFUSED, True)


async def test_one_connection_is_enough(real: RealWorld, gate: Gate) -> None:
    """Much at once on one machine shares a connection, and no more sessions than sshd allows."""
    # The looks wait for each other, and a busy machine takes its time for each.
    cluster = replace(real.cluster, deadline_ms=30_000)
    script = 'while [ ! -e "$0" ]; do sleep 0.02; done; echo over'
    pieces = [Piece(real, f"work-{number}") for number in range(12)]
    running = [asyncio.create_task(each.run("sh", "-c", script, gate.path)) for each in pieces]
    looked = await asyncio.gather(*(real.hosts.machine(cluster, real.host) for _ in range(20)))
    assert [each for each in looked if not isinstance(each, Machine)] == []
    gate.open()
    assert await asyncio.gather(*running) == [0] * 12
    assert all(each.said == ["over"] for each in pieces)
    assert real.way.accepted == 1


async def test_a_connection_that_died_unnoticed(real: RealWorld) -> None:
    """The next question has a new one."""
    before = await real.hosts.machine(real.cluster, real.host)
    real.way.cut()
    assert await real.hosts.machine(real.cluster, real.host) == before
    assert real.way.accepted == 2


async def test_the_deadline_is_the_clusters(real: RealWorld) -> None:
    """Connecting takes no longer."""
    fault = await real.hosts.machine(replace(real.cluster, deadline_ms=1), real.host)
    assert isinstance(fault, Fault)
    assert fault.kind in {FaultKind.SILENT, FaultKind.UNREACHABLE}
    assert "within 0.001 s" in fault.message


async def test_two_ways_do_not_mix(real: RealWorld, tmp_path: Path) -> None:
    """A connection under one trust is not used under another."""
    async with proxy(real.server.port) as other:
        await found(real, real.access)
        hosts = real.hosts
        strange = replace(
            real.access, known_hosts=real.server.known_hosts(tmp_path / "other", other.port)
        )
        assert isinstance(await hosts.machine(real.cluster, real.host), Machine)
        fault = await hosts.machine(replace(real.cluster, ssh=strange), real.host)
        assert isinstance(fault, Fault)
        assert fault.kind is FaultKind.TRUST
