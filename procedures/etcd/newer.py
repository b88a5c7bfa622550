"""What members that answer have, and the snapshot lacks. (catalogue P22, P34; R14)

A survivor without quorum still gives a snapshot of all that it has, so nothing of that is lost
unless somebody says so, by the name of what is restored.
"""

from collections.abc import Mapping

from procedures.etcd.snapshots import Choice
from procedures.etcd.view import View
from procedures.model.errors import Refused
from procedures.model.procedure import Runbook
from procedures.model.snapshot import Snapshot


def forbid_losing(view: View, choice: Choice) -> None:
    """Refuse a snapshot that nobody has named while a member has newer data. Raises Refused."""
    snapshot, newest = choice.snapshot, max(revisions(view).values(), default=0)
    if newest <= reach(snapshot):
        return
    what = "archive" if snapshot.archive else "newest snapshot with quorum"
    message = (
        f"{_told(view)}, and the {what}, {snapshot.name}, ends at revision {reach(snapshot)}: "
        f"{_count(newest - reach(snapshot))} would be lost (R14). {_way(choice, newest)}"
    )
    raise Refused(message)


def tell_newer(view: View, snapshot: Snapshot, run: Runbook) -> None:
    """Say at which revision members are, beside the snapshot's, and what is given up."""
    found = revisions(view)
    if not found:
        return
    more = max(found.values()) - reach(snapshot)
    given_up = (
        f"{_count(more)} after that {'is' if more == 1 else 'are'} given up, as it was named"
        if more > 0
        else "nobody who answers has more"
    )
    run.fact(f"{_told(view)}. {snapshot.name} ends at revision {reach(snapshot)}: {given_up}.")


def revisions(view: View) -> Mapping[str, int]:
    """At which revision each member is that answers; it stands still while there is no quorum."""
    return {seen.name: status.revision for seen, status in view.statuses()}


def reach(snapshot: Snapshot) -> int:
    """Up to which revision it has everything: the last writes may be deletions, compacted since."""
    return max(snapshot.revision, snapshot.origin.revision)


def _way(choice: Choice, newest: int) -> str:
    """How nothing is lost, and how it is given up."""
    snapshot, alone = choice.snapshot, choice.alone
    if snapshot.archive:
        return (
            "No v2 store is copied without quorum. The v3 data is: /etcd backup, and then /etcd "
            "restore with the name of that restores it, without the v2 store. To restore both "
            f"stores and give those revisions up: /etcd restore v2 {snapshot.name}."
        )
    give_up = f"To give those revisions up: /etcd restore {snapshot.name}."
    if alone is not None and reach(alone) >= newest:
        return (
            f"{alone.name} was taken without quorum, and has them: /etcd restore {alone.name}. "
            f"{give_up}"
        )
    return (
        "Save them first: /etcd backup, which takes no quorum; then /etcd restore with the name of "
        f"that snapshot. {give_up}"
    )


def _told(view: View) -> str:
    told = [f"{name} (revision {revision})" for name, revision in revisions(view).items()]
    return f"{' and '.join(told)} {'answers' if len(told) == 1 else 'answer'}"


def _count(revisions: int) -> str:
    return f"{revisions} revision{'' if revisions == 1 else 's'}"
