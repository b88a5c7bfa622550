"""Every key that Quorumbot uses in Redis; no other module spells one."""

from procedures.model.ids import ClusterName, RunId, Site

FENCES = "quorumbot:fences"
"""Counter from which each lease draws its fencing token."""

FEED = "quorumbot:feed"
"""Stream with one entry for each append to any run: what Slack's projector follows."""

FEED_GROUP = "slack"
"""Consumer group of the projector; an entry is acknowledged when Slack shows it."""

PROJECTOR = "quorumbot:projector"
"""Lease of the one front that shows runs in Slack."""

QUEUE_GROUP = "workers"
"""Consumer group of the workers of a site."""

AUDIT = "quorumbot:audit"
"""List of signed links: the audit log, over the events of all runs that change something."""

AUDIT_DUE = "quorumbot:audit:due"
"""Sorted set of the runs with events that are not in the audit log yet, by since when in ms."""

AUDIT_RECORDED = "quorumbot:audit:recorded"
"""Hash from each run in the audit log to the number of its events there."""

AUDIT_HEADS = "quorumbot:audit:heads"
"""Hash with the head that was last published, and up to where one has to be."""

AUDIT_WRITER = "quorumbot:audit:writer"
"""Lease of the one front that extends the audit log."""


def events(run: RunId) -> str:
    """List of a run's signed entries; its length is the run's version."""
    return f"quorumbot:run:{run}:events"


def lease(run: RunId) -> str:
    """The fencing token of the worker that holds a run; expires by itself."""
    return f"quorumbot:run:{run}:lease"


def output(run: RunId, part: str) -> str:
    """List of batches of a run's output; `part` is `head` or `tail`."""
    return f"quorumbot:run:{run}:output:{part}"


def reached(run: RunId) -> str:
    """Hash from a piece of work on a host to how far its output is among a run's lines."""
    return f"quorumbot:run:{run}:output:reached"


def message(run: RunId, what: str = "run") -> str:
    """Hash with the Slack message that shows a run: its own, or that in the `incident` channel."""
    return f"quorumbot:run:{run}:message" if what == "run" else f"quorumbot:run:{run}:{what}"


def notes(run: RunId) -> str:
    """Hash with what was said about a run in Slack, so that it is said once."""
    return f"quorumbot:run:{run}:notes"


def once(source: str) -> str:
    """The run that a delivery from Slack has led to, so that its repetition leads to no other."""
    return f"quorumbot:once:{source}"


def unfinished(site: Site) -> str:
    """Sorted set of a site's runs that are not at their end, by their last wake-up in ms."""
    return f"quorumbot:open:{site}"


def waiting(site: Site) -> str:
    """Sorted set of a site's runs that wait for a person, by since when in ms."""
    return f"quorumbot:waiting:{site}"


def ended(cluster: ClusterName) -> str:
    """Sorted set of the last 200 changes of a cluster that are at their end, by when in ms."""
    return f"quorumbot:ended:{cluster}"


def paused(cluster: ClusterName) -> str:
    """Who paused a cluster, and when; while it is there, no change of it begins."""
    return f"quorumbot:paused:{cluster}"


def expected(cluster: ClusterName) -> str:
    """The signed record of the members that a cluster is expected to have."""
    return f"quorumbot:expected:{cluster}"


def lock(name: str) -> str:
    """The run that may change what is named; it is the run's, not a worker's."""
    return f"quorumbot:lock:{name}"


def turns(name: str) -> str:
    """Counts how often a lock was taken, so that a run can tell whether another had it."""
    return f"quorumbot:lock:{name}:turns"


def queue(site: Site) -> str:
    """Stream of wake-ups for the workers of a site: run ids, nothing else."""
    return f"quorumbot:queue:{site}"
