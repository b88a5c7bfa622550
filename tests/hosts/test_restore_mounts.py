"""Restoring where something is in the way, and where each data folder is a mount, on real hosts."""

from pathlib import Path

from procedures.engine.execute import execute
from procedures.model.events import Resumed
from procedures.model.ids import UserId
from procedures.model.inventory import Platform
from tests.hosts.restoring import NAMES, ended, helped, keys, write
from tests.hosts.stage import on_stage
from tests.testbed import HostSpec, Namespace, Testbed
from tests.testbed.around import install_etcdctl

_OLD = "/var/lib/etcd/member.before-r-00000002"


async def test_pods_that_fail_on_disks_of_their_own(inside: Namespace, tmp_path: Path) -> None:
    """Each data folder is a mount (X16): it stays one, and all data stays on it.

    A pod that fails has no process at times, and its manifest cannot leave where a file of an
    earlier attempt is in its way, whatever the status of `mv` (X7): then no data is moved.
    """
    manifest = "/etc/origin/node/pods-stopped/etcd.yaml"
    specs = [HostSpec(name, "ocp311", "3.4", 1024) for name in NAMES]
    with Testbed.start(specs, bot=inside) as bed:
        for name in NAMES:  # the runbooks of OpenShift 3.11 install the client on the host, too
            install_etcdctl(bed[name])
        cluster = bed.cluster(NAMES)
        members = list(cluster.endpoints)
        async with on_stage(bed, cluster, Platform.OCP311, tmp_path) as stage:
            write(cluster, "before", 20)
            witness = keys(cluster, members[0])
            ended(await stage.carried_out("etcd backup"))
            for name in NAMES:
                bed[name].path("/var/lib/etcd/member/snap/db").write_bytes(b"torn" * 10_000)
                bed[name].run(["pkill", "-KILL", "-x", "etcd"])
            for member in members:
                await stage.down(member)
            bed["etcd-2"].run(["mkdir", "/etc/origin/node/pods-stopped"])
            bed["etcd-2"].run(["touch", manifest])
            journal = await stage.carried_out("etcd restore", on="etcd-1")
            await helped(journal, stage)
            assert "etcd-2 is still told to run etcd" in str(journal.run.error)
            for name in NAMES:
                assert bed[name].run(["test", "-e", _OLD], check=False).status == 1
            bed["etcd-2"].run(["mv", manifest, "/root"])
            await journal.write(Resumed(UserId("U0BOB")))
            assert journal.run.plan is not None
            await execute(journal.run.plan, journal, stage)
            await helped(journal, stage)
            ended(journal)
        assert cluster.healthy() == members
        for member, name in zip(members, NAMES, strict=True):
            assert keys(cluster, member) == witness
            bed[name].run(["mountpoint", "/var/lib/etcd"])
            places = bed[name].run(["stat", "-c", "%d", _OLD, "/var/lib/etcd/member"]).output
            assert len(set(places.split())) == 1
