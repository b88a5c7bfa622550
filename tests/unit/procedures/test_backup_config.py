"""What is copied off a host, and what is not."""

import tarfile
from collections.abc import Sequence
from hashlib import sha256
from io import BytesIO

import pytest

from bot.targets.ssh.model import FakeMachine, Say
from procedures.actions.host.copy_config import read_all
from procedures.actions.host.deep_files import MOST, look_below
from procedures.model import certificate
from procedures.model.config_copy import ConfigCopy
from procedures.model.errors import Permanent, Retryable
from procedures.model.ids import ClusterName
from procedures.model.inventory import Platform
from procedures.model.platform import Pair, layout
from procedures.model.run import State
from tests.support.furnishing import a_furnished_sight, furnish, show
from tests.support.openssl import issued
from tests.support.sight import NOW_MS, FakeSight
from tests.support.theatre import Pen, Theatre, a_theatre

DEMO = ClusterName("demo")
PROCEDURE = "etcd backup config"


def a_furnished_theatre(args: dict[str, str | bool]) -> Theatre:
    theatre = a_theatre(PROCEDURE, args)
    furnish(theatre.sight)
    return theatre


async def carried_out(theatre: Theatre) -> Pen:
    await theatre.approved()
    pen = await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    return pen


async def copies(theatre: Theatre) -> dict[str, ConfigCopy]:
    found = theatre.backups.copies
    return {each.host: await found.read(DEMO, each.name) for each in await found.listing(DEMO)}


async def test_all_that_configures_a_member() -> None:
    """Settings, certificates and the member's own keys, units; with owner, mode and label."""
    theatre = a_furnished_theatre({})
    files = theatre.sight.hosts.machines["demo-1"].files
    files.put("/etc/systemd/system/etcd.service.d/limits.conf", "[Service]\n")
    key = files.file("/etc/etcd/peer.key")
    key.owner, key.group, key.context = "etcd", "etcd", "system_u:object_r:etc_t:s0"
    await carried_out(theatre)
    found = await copies(theatre)
    assert set(found) == {"demo-1", "demo-2", "demo-3"}
    assert [each.path for each in found["demo-1"].files] == [
        "/etc/etcd/ca.crt",
        "/etc/etcd/etcd.conf",
        "/etc/etcd/peer.crt",
        "/etc/etcd/peer.key",
        "/etc/etcd/server.crt",
        "/etc/etcd/server.key",
        "/etc/systemd/system/etcd.service.d/limits.conf",
    ]
    copied = found["demo-1"].file("/etc/etcd/peer.key")
    assert copied is not None
    assert (copied.mode, copied.owner, copied.context) == (0o600, "etcd", key.context)
    assert copied.content == key.content
    assert copied.secret
    assert found["demo-1"].files != found["demo-2"].files


async def test_what_is_not_copied() -> None:
    """An authority's key, what Quorumbot keeps of what it replaced, folders, links."""
    sight = a_furnished_sight()
    files = sight.hosts.machines["demo-1"].files
    files.put("/etc/etcd/ca.key", "the key of keys")
    files.put("/etc/etcd/ca.key.bak", "the key of keys")
    files.put("/etc/etcd/ca/ca.key", "the key of keys")
    files.put("/etc/etcd/.etcd.conf.quorumbot-0123456789ab", "former")
    files.link("/etc/etcd/elsewhere", "/etc/shadow")
    cluster = sight.inventory.clusters[DEMO]
    found = await read_all(sight, cluster, cluster.hosts[0], layout(Platform.ETCD))
    names = {each.path.removeprefix("/etc/etcd/") for each in found}
    assert names == {"ca.crt", "etcd.conf", "peer.crt", "peer.key", "server.crt", "server.key"}


async def test_the_record_of_a_ca_and_never_its_key() -> None:
    """What it has signed, its settings and what it made for others; no key of its own."""
    theatre = a_furnished_theatre({"member": "demo-1"})
    files = theatre.sight.hosts.machines["demo-1"].files
    files.put("/etc/etcd/ca/ca.key", "-----BEGIN PRIVATE KEY-----\n", 0o600)
    files.put("/etc/etcd/ca/private/former.pem", "-----BEGIN PRIVATE KEY-----\n", 0o600)
    files.put("/etc/etcd/ca/index.txt", "V\t1\n")
    files.put("/etc/etcd/ca/certs/01.pem", "certificate")
    files.put("/etc/etcd/ca/a/b/c/d/e", "too deep")
    files.put("/etc/etcd/ca/crl/big", "0" * (2 * 1024**2))
    files.put("/etc/etcd/generated_certs/etcd-demo-2/peer.key", "-----BEGIN PRIVATE KEY-----\n")
    pen = await carried_out(theatre)
    (copy,) = (await copies(theatre)).values()
    deep = [each.path for each in copy.files if each.path.count("/") > 3]
    assert deep == [
        "/etc/etcd/ca/certs/01.pem",
        "/etc/etcd/ca/index.txt",
        "/etc/etcd/generated_certs/etcd-demo-2/peer.key",
    ]
    assert any("warning: /etc/etcd/ca/crl/big is not copied" in line for line in pen.said)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/etcd/generated_certs/etcd_ca.tgz",
        "/etc/etcd/etcd-ca-certificate-backup-1700000000.tgz",
        "/etc/etcd/ca-of-before",
        "/etc/etcd/ca/of-before",
    ],
)
async def test_no_archive_with_the_key_of_a_ca(path: str) -> None:
    """openshift-ansible packs the CA's whole folder, at each installation and before a new CA."""
    sight = a_furnished_sight()
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        key = b"-----BEGIN PRIVATE KEY-----\n"
        entry = tarfile.TarInfo("./ca.key")
        entry.size = len(key)
        archive.addfile(entry, BytesIO(key))
    sight.hosts.machines["demo-1"].files.put(path, packed.getvalue())
    cluster, how = sight.inventory.clusters[DEMO], layout(Platform.OKD3)
    below = await look_below(sight, cluster, cluster.hosts[0], how)
    found = await read_all(sight, cluster, cluster.hosts[0], how, below.paths)
    assert path not in {each.path for each in found}


async def test_no_more_files_of_a_ca_than_fit() -> None:
    """Those nearest to the top come first: the record itself."""
    sight = a_furnished_sight()
    files, cluster = sight.hosts.machines["demo-1"].files, sight.inventory.clusters[DEMO]
    for number in range(MOST + 5):
        files.put(f"/etc/etcd/ca/certs/{number:04}.pem", "certificate")
    files.put("/etc/etcd/ca/index.txt", "V\t1\n")
    below = await look_below(sight, cluster, cluster.hosts[0], layout(Platform.ETCD))
    assert below.paths[0] == "/etc/etcd/ca/index.txt"
    assert (len(below.paths), len(below.left_out)) == (MOST, 6)


async def test_files_that_etcd_is_told_to_use_elsewhere() -> None:
    """They are copied too."""
    sight = a_furnished_sight()
    files = sight.hosts.machines["demo-1"].files
    files.put("/srv/tls/peer.pem", "certificate")
    conf = files.text("/etc/etcd/etcd.conf")
    files.put("/etc/etcd/etcd.conf", f"{conf}ETCD_PEER_CERT_FILE=/srv/tls/peer.pem\n")
    cluster = sight.inventory.clusters[DEMO]
    found = await read_all(sight, cluster, cluster.hosts[0], layout(Platform.ETCD))
    assert "/srv/tls/peer.pem" in {each.path for each in found}


async def test_the_second_time_there_is_nothing_new() -> None:
    """The copy that is there is read again, and no other is made."""
    theatre = a_furnished_theatre({})
    await carried_out(theatre)
    again = Theatre(PROCEDURE, {}, theatre.sight)
    again.backups = theatre.backups
    theatre.sight.clock.ms += 3_600_000
    pen = await carried_out(again)
    assert len(theatre.backups.copied.documents) == 3
    assert any("nothing has changed since" in line for line in pen.said)


async def test_a_damaged_copy_is_made_anew() -> None:
    """What cannot be read is no copy."""
    theatre = a_furnished_theatre({"member": "demo-1"})
    await carried_out(theatre)
    (place,) = theatre.backups.copied.documents
    theatre.backups.copied.documents[place] = b"{}"
    again = Theatre(PROCEDURE, {"member": "demo-1"}, theatre.sight)
    again.backups = theatre.backups
    theatre.sight.clock.ms += 3_600_000
    await carried_out(again)
    assert len(theatre.backups.copied.documents) == 2


async def test_nothing_of_a_key_is_said() -> None:
    """Not in the plan, the output or the journal."""
    theatre = a_furnished_theatre({})
    pen = await carried_out(theatre)
    key = theatre.sight.hosts.machines["demo-1"].files.text("/etc/etcd/peer.key")
    told = "\n".join([*pen.said, *map(repr, theatre.entries), repr(await copies(theatre))])
    for line in key.splitlines():
        assert line not in told


async def test_a_key_of_another_certificate_is_told() -> None:
    """It is copied all the same: what lies there is what is wanted."""
    theatre = a_furnished_theatre({"member": "demo-1"})
    machine = theatre.sight.hosts.machines["demo-1"]
    pair = Pair("/etc/etcd/peer.crt", "/etc/etcd/peer.key")
    show(machine, pair, issued("demo-2", "10.0.0.2", at_s=NOW_MS // 1_000))
    machine.files.put(pair.cert, issued("demo-1", "10.0.0.1", at_s=NOW_MS // 1_000).certificate)
    conf = machine.files.text("/etc/etcd/etcd.conf")
    named = f"ETCD_PEER_CERT_FILE={pair.cert}\nETCD_PEER_KEY_FILE={pair.key}\n"
    machine.files.put("/etc/etcd/etcd.conf", conf + named)
    pen = await carried_out(theatre)
    assert "warning: /etc/etcd/peer.key on demo-1 is not the key of /etc/etcd/peer.crt" in pen.said


async def test_a_file_that_changes_meanwhile() -> None:
    """What was read is compared with what the host sees, and tried again."""
    sight: FakeSight = a_furnished_sight()
    machine = sight.hosts.machines["demo-1"]

    async def sums(at: FakeMachine, argv: Sequence[str], _: bytes, say: Say) -> int:
        at.files.put("/etc/etcd/etcd.conf", "ETCD_NAME=other\n")
        for path in argv[2:]:
            await say(f"{sha256(at.files.file(path).content).hexdigest()}  {path}")
        return 0

    machine.programs["sha256sum"] = sums
    cluster = sight.inventory.clusters[DEMO]
    with pytest.raises(Retryable, match=r"/etc/etcd/etcd\.conf on demo-1 changed meanwhile"):
        await read_all(sight, cluster, cluster.hosts[0], layout(Platform.ETCD))


async def test_a_folder_that_cannot_be_read() -> None:
    """A copy without it would look whole."""
    sight = a_furnished_sight()
    cluster = sight.inventory.clusters[DEMO]

    async def ls(_: FakeMachine, __: Sequence[str], ___: bytes, ____: Say) -> int:
        return 2

    sight.hosts.machines["demo-1"].programs["ls"] = ls
    with pytest.raises(Retryable, match=r"^/etc/etcd on demo-1 cannot be read"):
        await read_all(sight, cluster, cluster.hosts[0], layout(cluster.platform))


async def test_a_host_with_nothing_on_it() -> None:
    """An empty copy is none."""
    sight = a_furnished_sight()
    sight.hosts.machines["demo-1"].files.remove("/etc/etcd")
    cluster = sight.inventory.clusters[DEMO]
    with pytest.raises(Permanent, match="has nothing that configures etcd"):
        await read_all(sight, cluster, cluster.hosts[0], layout(Platform.ETCD))


def test_certificates_and_keys() -> None:
    """Names of all kinds, and whose key it is."""
    one, other = (
        issued("demo-1", "10.0.0.1", at_s=NOW_MS // 1_000),
        issued("demo-2", "10.0.0.2", at_s=NOW_MS // 1_000),
    )
    leaf = certificate.read(one.certificate)
    assert leaf is not None
    assert leaf.names >= {"10.0.0.1", "demo-1"}
    assert certificate.key_belongs(leaf, one.key)
    assert not certificate.key_belongs(leaf, other.key)
    assert not certificate.key_belongs(leaf, b"no key")
    assert certificate.read(b"no certificate") is None


async def test_on_kubespray_with_calico() -> None:
    """What Calico asks etcd by comes too; no data, nothing of a folder, no authority's key."""
    sight = a_furnished_sight()
    files = sight.hosts.machines["demo-1"].files
    files.put("/etc/etcd.env", "ETCD_NAME=demo-1\n")
    files.put("/etc/ssl/etcd/openssl.conf", "[req]\n")
    files.put("/etc/ssl/etcd/ssl/ca.pem", "certificate")
    files.put("/etc/ssl/etcd/ssl/ca-key.pem", "the key of keys")
    files.put("/etc/calico/certs/key.pem", "a key")
    files.put("/var/lib/etcd/member/snap/db", "live data")
    cluster = sight.inventory.clusters[DEMO]
    found = await read_all(sight, cluster, cluster.hosts[0], layout(Platform.KUBESPRAY))
    assert [each.path for each in found] == [
        "/etc/calico/certs/key.pem",
        "/etc/etcd.env",
        "/etc/ssl/etcd/openssl.conf",
        "/etc/ssl/etcd/ssl/ca.pem",
    ]


@pytest.mark.parametrize("platform", [each for each in Platform if each is not Platform.OCP4])
def test_data_is_never_copied_as_files(platform: Platform) -> None:
    """A live member writes to it, so that such a copy is none; and nothing goes by /tmp (X17)."""
    how = layout(platform)
    for each in (*how.folders, *how.files):
        assert not each.startswith((how.data, "/tmp/", "/var/tmp/"))  # noqa: S108 (what must not be)
