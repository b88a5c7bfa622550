"""Expect those as members that are listed now, or those that people name.

Nothing of the cluster changes: it is only looked at in another way.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from procedures.actions.etcd.expect import Expect, written
from procedures.engine.ports import Look
from procedures.etcd.expected import Members, as_listed, fits, scheme
from procedures.etcd.observe import observe
from procedures.etcd.view import View
from procedures.model.errors import Refused, UsageError
from procedures.model.expected import Expected
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Cluster
from procedures.model.plan import Risk, Undo
from procedures.model.procedure import Procedure, Runbook


@dataclass(frozen=True, slots=True)
class Args:
    """Which cluster; `members` as `NAME=URL,NAME=URL`, None for those that are listed."""

    cluster: ClusterName
    members: str | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """The members as they are, and as they are expected."""

    cluster: Cluster
    view: View


async def look(args: Args, look: Look) -> Sight:
    """See who is a member."""
    cluster = look.inventory.clusters[args.cluster]
    return Sight(cluster, await observe(cluster, look))


def plan(args: Args, sight: Sight, run: Runbook) -> None:
    """Show what is recorded now and what differs, and record it anew."""
    cluster = sight.cluster
    if args.members is None:
        members = _listed(sight)
        source = "as the member list has them"
    else:
        members = _given(args.members, cluster)
        source = "as they were named, whatever the member list has"
    changes = _differences(cluster.endpoints, members)
    recorded = cluster.expected
    if not changes and recorded.fault is None:
        message = (
            f"The expected members of {cluster.name} are {', '.join(members)} already. "
            "There is nothing to do."
        )
        raise Refused(message)
    run.title = f"Expect {', '.join(members)} as the members of {cluster.name}"
    run.fact(f"Expected now, {_by_whom(recorded)}: {', '.join(cluster.endpoints)}.")
    if recorded.fault is not None:
        run.fact(f"There is a record that is not believed: {recorded.fault}. It is replaced.")
    run.fact(f"Expected afterwards, {source}: {', '.join(members)}.")
    for change in changes:
        run.fact(change)
    run.step(
        "Record who is expected",
        Expect(cluster.name, recorded.members, members),
        undo=_undo(cluster) if changes else None,
    )


PROCEDURE = Procedure("etcd expect", Args, look, plan, risk=Risk.REVERSIBLE, lock="etcd/{cluster}")


def _listed(sight: Sight) -> Members:
    """Take the members from a list that quorum stands behind. Raises Refused."""
    view, name = sight.view, sight.cluster.name
    if not (view.quorum_proven and view.listed):
        reasons = " ".join(seen.why for seen in view.seen if seen.why)
        message = (
            f"No member of {name} has quorum behind it, so nobody can tell who is a member "
            f"(R14). {reasons} If they are elsewhere now, say with --members where."
        )
        raise Refused(message)
    return as_listed(sight.cluster, view)


def _given(text: str, cluster: Cluster) -> Members:
    """Read `NAME=URL,NAME=URL`. Raises UsageError for anything else."""
    members: Members = {}
    for part in text.split(","):
        name, _, url = (each.strip() for each in part.partition("="))
        if name.split() != [name] or MemberName(name) in members or not fits(cluster, url):
            form = f"NAME={scheme(cluster)}://HOST:PORT"
            message = (
                f"{part!r} does not say who is where. Write each member once, as {form}, with "
                "commas in between."
            )
            raise UsageError(message)
        members[MemberName(name)] = url
    if len(set(members.values())) < len(members):
        message = "Two of these members have the same URL. Each has one of its own."
        raise UsageError(message)
    return dict(sorted(members.items()))


def _differences(was: Mapping[MemberName, str], to: Mapping[MemberName, str]) -> list[str]:
    gone = [f"No more: {name}, {url}." for name, url in sorted(was.items()) if name not in to]
    new = [f"New: {name}, {url}." for name, url in sorted(to.items()) if name not in was]
    moved = [
        f"Elsewhere: {name}, {was[name]} becomes {url}."
        for name, url in sorted(to.items())
        if name in was and was[name] != url
    ]
    return [*gone, *new, *moved]


def _by_whom(recorded: Expected) -> str:
    if recorded.members is None:
        return "by the configuration"
    return f"by run {recorded.run} (version {recorded.version})"


def _undo(cluster: Cluster) -> Undo:
    """Name the former ones: an ordinary request, which asks people again."""
    former = written(cluster.endpoints)
    return Undo(
        f"/etcd expect --members {former}",
        "etcd expect",
        {"cluster": cluster.name, "members": former},
    )
