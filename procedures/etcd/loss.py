"""Whether quorum is lost, asked from two places: here, and hosts of the cluster. (R14, X14)

A cluster is restored on this word. So one linearizable read that succeeds anywhere is the end of
it, and what may lie with the asker is no proof.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlsplit

from pydantic import BaseModel, TypeAdapter, ValidationError

from procedures.engine.ports import Look
from procedures.etcd.observe import observe
from procedures.etcd.unfinished import only_to_start
from procedures.etcd.verdict import judge
from procedures.etcd.view import Seen, View
from procedures.model import quorum
from procedures.model.errors import Refused, Retryable
from procedures.model.host import Machine
from procedures.model.inventory import Cluster, Host
from procedures.model.platform import layout
from procedures.model.probe import Fault, Read
from procedures.model.quorum import Health
from procedures.model.report import Verdict

_ASK_MS = 20_000
_NOT_FOUND = 127
"""How `env` ends for a program that there is not."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a host's own etcdctl found: who served a linearizable read; or why it cannot tell.

    `missing`: there is none.
    """

    served: tuple[str, ...] = ()
    why_not: str | None = None
    missing: bool = False


class _Endpoint(BaseModel):
    endpoint: str
    health: bool


_ANSWER = TypeAdapter(list[_Endpoint])


def health_argv(cluster: Cluster, machine: Machine, urls: Sequence[str]) -> tuple[str, ...]:
    """Ask each of these members for a linearizable read, from a host of the cluster."""
    how = layout(cluster.platform)
    files = how.certificates(machine.hostname)
    return (
        *("env", "ETCDCTL_API=3", f"{how.programs}etcdctl", f"--endpoints={','.join(urls)}"),
        *(f"--cacert={files.ca}", f"--cert={files.peer.cert}", f"--key={files.peer.key}"),
        *("--dial-timeout=2s", "--command-timeout=5s", "--write-out=json"),
        *("endpoint", "health"),
    )


async def heard_on(
    look: Look, cluster: Cluster, host: Host, machine: Machine, urls: Sequence[str]
) -> Heard:
    """Ask on one host."""
    said = await look.hosts.ask(cluster, host, health_argv(cluster, machine, urls), _ASK_MS)
    if isinstance(said, Fault):
        return Heard(why_not=said.message)
    if said.status == _NOT_FOUND:
        how = layout(cluster.platform)
        return Heard(why_not=f"{host.name} has no {how.programs}etcdctl", missing=True)
    try:
        answers = _ANSWER.validate_json(said.out.strip() or said.err.strip())
    except ValidationError:
        text = (said.err.strip() or said.out.strip())[:200]
        return Heard(
            why_not=f"etcdctl on {host.name} gave no answer (status {said.status}): {text}"
        )
    if {each.endpoint for each in answers} != set(urls):
        return Heard(why_not=f"etcdctl on {host.name} did not answer for each member.")
    return Heard(tuple(sorted(each.endpoint for each in answers if each.health)))


def served(view: View, heard: Mapping[str, Heard]) -> str | None:
    """Say who served a linearizable read, if anybody did: then quorum exists."""
    here = [
        seen.name
        for seen in view.seen
        if seen.probe and isinstance(seen.probe.read, Read) and seen.probe.read.linearizable
    ]
    if here:
        voters = len(view.voters)
        return (
            f"{' and '.join(here)} served a linearizable read, which takes "
            f"{quorum.quorum(voters)} of {voters} members"
        )
    there = [
        f"{', '.join(each.served)}, asked on {name}" for name, each in heard.items() if each.served
    ]
    return f"a linearizable read was served by {there[0]}" if there else None


async def back(look: Look, cluster: Cluster, host: Host) -> str | None:
    """Ask once more, here and on a host: say who serves now, if anybody does. Raises Retryable."""
    machine = await look.hosts.machine(cluster, host)
    if isinstance(machine, Fault):
        raise Retryable(machine.message)
    view = await observe(cluster, look)
    heard = await heard_on(look, cluster, host, machine, sorted(cluster.endpoints.values()))
    return served(view, {host.name: heard})


def lost(cluster: Cluster, view: View, heard: Mapping[str, Heard], runs: Mapping[str, bool]) -> str:
    """Say how it is known that quorum is lost. Raises Refused where it exists or nobody can tell.

    `runs` tells of the hosts that answer whether an etcd process is there. The words hold no
    figure that changes by itself.
    """
    name, voters = cluster.name, len(view.voters)
    if who := served(view, heard):
        message = (
            f"{name} has quorum: {who} (R14). As long as it can be read it is not restored. "
            "Repair or replace the members that are down; only where the data itself is bad, say "
            "--data-is-bad."
        )
        raise Refused(message)
    needed = quorum.quorum(voters)
    asked = sorted(host for host, each in heard.items() if each.why_not is None)
    if why := _nobody_can_tell(cluster, view, heard, runs):
        message = (
            f"Nobody can tell whether {name} has lost quorum, and it is not restored on a guess "
            f"(R14). {why}"
        )
        raise Refused(message)
    if added := only_to_start(view):
        message = (
            f"{added} Only where that can never be, save what is there (/etcd backup), and restore "
            "that by its name with --data-is-bad (R14)."
        )
        raise Refused(message)
    if len(alive := [seen.name for seen in view.voters if seen.status]) >= needed:
        message = (
            f"{' and '.join(alive)} run and answer, and find no leader; {needed} of {voters} make "
            "a quorum, so nothing is lost (R14). Look at what keeps them apart: certificates of "
            "peers (/etcd certs; /etcd certs renew where they have expired), port 2380 from host "
            "to host, disks, clocks. Only where the data itself is bad, say --data-is-bad."
        )
        raise Refused(message)
    return (
        f"Quorum is lost: none of {voters} members served a linearizable read, quorum {needed} "
        f"(R14). Asked from here, and by etcdctl endpoint health on {' and '.join(asked)}."
    )


def _nobody_can_tell(
    cluster: Cluster, view: View, heard: Mapping[str, Heard], runs: Mapping[str, bool]
) -> str | None:
    """Why what is seen is no proof; None: it is one."""
    ours = [
        f"{seen.name}: {seen.why}"
        for seen in view.voters
        if seen.probe and isinstance(seen.probe.read, Fault) and seen.probe.read.kind.on_our_side
    ]
    if ours:
        return "; ".join(ours)
    if all(each.why_not for each in heard.values()):
        why = "; ".join(each.why_not for each in heard.values() if each.why_not)
        if any(each.missing for each in heard.values()):
            why = f"{why.removesuffix('.')}. {layout(cluster.platform).for_tools}"
        return why or "No host of it answers, and a second place has to be asked."
    if judge(view, ()) is Verdict.NO_QUORUM:
        return None
    voters = view.voters
    down = [seen for seen in voters if _is_down(cluster, seen, runs)]
    if len(down) > len(voters) - quorum.quorum(len(voters)):
        return None
    return "; ".join(f"{seen.name}: {seen.why}" for seen in voters if seen not in down)


def _is_down(cluster: Cluster, seen: Seen, runs: Mapping[str, bool]) -> bool:
    """Down, as far as anybody can tell: also where neither the member nor its host is reached.

    Where its host answers and has a process, the way to it is what is broken.
    """
    if seen.status is not None:
        return False
    host = host_of(cluster, seen)
    return seen.health is Health.DOWN or host is None or not runs.get(host.name, False)


def host_of(cluster: Cluster, seen: Seen) -> Host | None:
    """The host of a member: by name, else by the address of its client URL."""
    urls = [*(seen.listed.client_urls if seen.listed else ())]
    urls += [seen.probe.endpoint] if seen.probe else []
    addresses = {urlsplit(url).hostname for url in urls}
    by_name = (host for host in cluster.hosts if host.name == seen.name)
    by_address = (host for host in cluster.hosts if addresses & {host.address, host.name})
    return next(chain(by_name, by_address), None)
