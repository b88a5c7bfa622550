"""Let a host get a member by openshift-ansible's playbook. (catalogue P52; R3, R5, R21, R22; X15)

Source: openshift-ansible release-3.11, playbooks/openshift-etcd/scaleup.yml, which adds a voter by
the v2 API. `/etcd scale-up` needs no Ansible, and adds a learner.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from procedures.actions.etcd.check_healthy import CheckHealthy, WriteAndRead
from procedures.actions.etcd.expect import Expect
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.actions.host.edit_file import EditFile, edited, made
from procedures.actions.host.run_playbook import RunPlaybook
from procedures.engine.ports import Look
from procedures.etcd.ansible import known, line_for, others
from procedures.etcd.asked import asked, voters
from procedures.etcd.asking import Asking
from procedures.etcd.expected import scheme
from procedures.etcd.fitness import fitness
from procedures.etcd.hosts import Hosts, spare_host, with_hosts
from procedures.etcd.joining import url_on
from procedures.etcd.observe import listed
from procedures.etcd.peer_urls import require_free
from procedures.etcd.scale_up import may_grow, sizes
from procedures.etcd.spare import Spare, aside, look_at_spare
from procedures.host.flannel import Flannels, look_at_flannel, point_flannel
from procedures.master.masters import Masters, look_at_masters, tell_of_service_catalog
from procedures.model import quorum
from procedures.model.ansible import ETCD, NEW_ETCD, names_in, spelt
from procedures.model.edits import IN_ANSIBLE, NEW_IN_ANSIBLE
from procedures.model.errors import Refused
from procedures.model.host import At, FileSeen
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Ansible
from procedures.model.plan import Risk, Undo
from procedures.model.platform import layout
from procedures.model.procedure import Procedure, Runbook
from procedures.model.report import Level

_PLAYBOOKS = ("playbooks/openshift-etcd/scaleup.yml", "playbooks/byo/openshift-etcd/scaleup.yml")
"""The second one is that of releases before 3.9."""

_CLIENT_PORT = 2379
_VERSION_MS = 30_000
_ASKED_OF_THE_HOST = frozenset({"service", "machine", "room"})
_WITHOUT_V2 = (3, 4)


@dataclass(frozen=True, slots=True)
class Args:
    """The host, by its name in the configuration; the only one without a member if none."""

    cluster: ClusterName
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Installer:
    """Ansible on its host: the inventory, the playbook, its settings, and what it calls itself."""

    where: Ansible
    at: At
    file: FileSeen
    playbook: str
    config: str | None
    version: str


@dataclass(frozen=True, slots=True)
class Scene:
    """The cluster, the host that gets the member, and Ansible."""

    hosts: Hosts
    spare: Spare
    installer: Installer
    masters: Masters
    flannels: Flannels


async def look(args: Args, look: Look) -> Scene:
    """See whether the cluster may grow now, and whether Ansible can be used. Raises Refused."""
    cluster = look.inventory.clusters[args.cluster]
    look.inventory.retention_of(cluster)
    if cluster.ansible is None:
        message = (
            f"The configuration does not say where Ansible is: name it in "
            f"`clusters.{args.cluster}.ansible`. /etcd scale-up needs none."
        )
        raise Refused(message)
    hosts = await with_hosts(args.cluster, look)
    host = spare_host(hosts, args.host, "after scale-up-ansible")
    may_grow(hosts, host)
    return Scene(
        hosts,
        *await asyncio.gather(
            look_at_spare(cluster, host, look),
            _installer(hosts, cluster.ansible, look),
            look_at_masters(hosts, look),
            look_at_flannel(hosts, look),
        ),
    )


async def _installer(hosts: Hosts, where: Ansible, look: Look) -> Installer:
    at, asking = hosts.at(where.host), Asking(look, hosts.cluster, hosts.host(where.host))
    said = await asking.said(("ansible-playbook", "--version"), (0, 127), _VERSION_MS)
    if said.status:
        message = f"{where.host} has no ansible-playbook. /etcd scale-up needs none."
        raise Refused(message)
    paths = [f"{where.playbooks}/{each}" for each in _PLAYBOOKS]
    there = [path for path in paths if await asking.holds("test", "-f", path)]
    if not there:
        message = f"{where.host} has no {paths[0]}: say in `ansible.playbooks` where they are."
        raise Refused(message)
    file = await asking.file(where.inventory)
    if file is None:
        message = f"{where.host} has no {where.inventory}: say in `ansible.inventory` where it is."
        raise Refused(message)
    config = f"{where.playbooks}/ansible.cfg"
    has_config = await asking.holds("test", "-f", config)
    version = said.out.split("\n", 1)[0].strip()
    return Installer(where, at, file, there[0], config if has_config else None, version)


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Announce it in the inventory, run the playbook, let the inventory list it as the others."""
    hosts, host, how = scene.hosts, scene.spare.host, scene.installer
    run.title = f"Add a member on {host.name} to {args.cluster} with Ansible"
    _check_fit(scene)
    run.require(
        quorum.may_add(hosts.view.members, learner=False),
        f"/etcd scale-up {host.name} adds a learner first.",
    )
    peer_url = url_on(listed(hosts.view)[0][1].peer_urls[0], host.address)
    require_free(hosts.view, peer_url)
    try:
        announce, move = _edits(args.cluster, scene)
        strangers = _strangers(hosts, how.file.content.decode())
    except ValueError as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error
        message = f"{how.where.inventory} on {how.at.host} cannot be used, because {why}."
        raise Refused(message) from error
    for line in (*sizes(hosts.view), *_about(scene, strangers)):
        run.fact(line)
    run.step("Save and verify a snapshot", SaveSnapshot(args.cluster))
    back = f"On {how.at.host}: the former file lies beside it, as .…quorumbot-<its SHA-256>."
    if announce is not None:
        run.step(f"List {host.name} in [{NEW_ETCD}]", announce, undo=Undo(back))
    run.step(
        "Run the playbook",
        RunPlaybook(
            args.cluster,
            how.at,
            how.where.inventory,
            how.playbook,
            how.config,
            At(host.name, scene.spare.machine.machine_id),
            tuple(sorted(known(hosts, host).known_as)),
            tuple(sorted(row.id for _, row in listed(hosts.view))),
        ),
        undo=Undo(f"/etcd member remove {host.name}"),
    )
    run.step(f"Let [{ETCD}] list {host.name}, and no longer [{NEW_ETCD}]", move, undo=Undo(back))
    run.step("Check that all members are healthy", CheckHealthy(args.cluster))
    run.step("Check that the cluster takes writes", WriteAndRead(args.cluster))
    _tell(args.cluster, scene, peer_url, run)


def _tell(cluster: ClusterName, scene: Scene, peer_url: str, run: Runbook) -> None:
    """Expect it, and let Flannel ask it; the playbook tells the masters."""
    hosts, host = scene.hosts, scene.spare.host
    url = hosts.cluster.configured.get(MemberName(host.name)) or url_on(
        f"{scheme(hosts.cluster)}://_:{_CLIENT_PORT}", host.address
    )
    wanted = {**hosts.cluster.endpoints, MemberName(host.name): url}
    if wanted != dict(hosts.cluster.endpoints):
        run.step(f"Expect {host.name} too", Expect(cluster, hosts.cluster.expected.members, wanted))
    joined = asked(hosts, host.name, url, host, (peer_url,))
    point_flannel(hosts, scene.masters, scene.flannels, (*voters(hosts), joined), run)
    run.fact("The playbook tells the masters. Where one asks others, run /master set-etcd-urls.")
    tell_of_service_catalog(scene.masters, run)


def _check_fit(scene: Scene) -> None:
    """Refuse what the playbook does not make good: it installs etcd and makes certificates."""
    name = scene.spare.host.name
    figures = fitness(scene.hosts, scene.spare, {})
    found = [
        each.text
        for each in figures
        if each.name in _ASKED_OF_THE_HOST and each.level is Level.CRITICAL
    ]
    if moves := aside(scene.spare.left, layout(scene.hosts.cluster.platform)):
        found.append(f"data of a member lies at {moves[0]} (/etcd retire {name} moves it aside)")
    if found:
        message = f"{name} cannot get a member: {'; '.join(found)}."
        raise Refused(message)


def _edits(cluster: ClusterName, scene: Scene) -> tuple[EditFile | None, EditFile]:
    """The two changes of the inventory, the second of what the first makes. Raises ValueError."""
    hosts, host, how = scene.hosts, scene.spare.host, scene.installer
    path, text = how.where.inventory, how.file.content.decode()
    line = line_for(text, hosts, host)
    _allow(text, line.split(maxsplit=1)[0])
    first = made(NEW_IN_ANSIBLE, how.file, (line,))
    announce = edited(cluster, how.at, path, how.file, edit=NEW_IN_ANSIBLE, values=(line,))
    between = replace(how.file, content=first.encode())
    move = edited(cluster, how.at, path, between, edit=IN_ANSIBLE, values=(f"+{line}",))
    assert move is not None  # noqa: S101 (what was announced moves)
    return announce, move


def _strangers(hosts: Hosts, text: str) -> tuple[str, ...]:
    """Whom the inventory lists, and the configuration knows not. Raises ValueError."""
    ours = {
        name
        for each in hosts.cluster.hosts
        for name in spelt(text, known(hosts, each), others(hosts, each))
    }
    return tuple(name for name in names_in(text, ETCD) if name not in ours)


def _allow(text: str, name: str) -> None:
    """The playbook adds all that are new, and takes none that is to be something else too."""
    waiting = [each for each in names_in(text, NEW_ETCD) if each != name]
    if waiting:
        message = f"[{NEW_ETCD}] lists {', '.join(waiting)} too, and the playbook would add them"
        raise ValueError(message)
    for group in ("new_masters", "new_nodes"):
        if name in names_in(text, group):
            message = f"[{group}] lists {name} too, which the playbook refuses"
            raise ValueError(message)


def _about(scene: Scene, strangers: Sequence[str]) -> list[str]:
    """What is to know before one approves."""
    hosts, host, how = scene.hosts, scene.spare.host, scene.installer
    votes = len(quorum.voters(hosts.view.members))
    spare = votes - quorum.quorum(votes + 1)
    lines = [
        (
            f"{host.name} ({host.address}, machine {scene.spare.machine.machine_id}) gets a member "
            f"by {how.version} on {how.at.host}, as a voter: until it starts, {votes} of "
            f"{votes + 1} voters are up, and {spare} of them may fail."
        ),
        "What the playbook does is not shown here: it works on all hosts of the inventory.",
    ]
    if strangers:
        lines.append(
            f"[{ETCD}] lists {', '.join(strangers)}, of whom the configuration knows nothing: the "
            "playbook works there too."
        )
    versions = sorted({status.version for _, status in hosts.view.statuses()})
    if any(tuple(int(n) for n in each.split(".")[:2]) >= _WITHOUT_V2 for each in versions):
        lines.append(
            f"The members are etcd {' and '.join(versions)}, and the playbook adds by the v2 API, "
            "which they serve only with ETCD_ENABLE_V2=true. /etcd scale-up does without."
        )
    return lines


PROCEDURE = Procedure(
    "etcd scale-up-ansible", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}"
)
