"""Every key that Quorumbot uses in Redis; no other module spells one."""

from procedures.model.ids import RunId, Site

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


def events(run: RunId) -> str:
    """List of a run's signed entries; its length is the run's version."""
    return f"quorumbot:run:{run}:events"


def lease(run: RunId) -> str:
    """The fencing token of the worker that holds a run; expires by itself."""
    return f"quorumbot:run:{run}:lease"


def message(run: RunId) -> str:
    """Hash with the Slack message that shows a run."""
    return f"quorumbot:run:{run}:message"


def once(source: str) -> str:
    """The run that a delivery from Slack has led to, so that its repetition leads to no other."""
    return f"quorumbot:once:{source}"


def unfinished(site: Site) -> str:
    """Sorted set of a site's runs that are not at their end, by their last wake-up in ms."""
    return f"quorumbot:open:{site}"


def queue(site: Site) -> str:
    """Stream of wake-ups for the workers of a site: run ids, nothing else."""
    return f"quorumbot:queue:{site}"
