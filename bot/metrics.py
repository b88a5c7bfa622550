"""Figures about Quorumbot itself, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_FAST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 3.0)
_SLOW = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200)


class Metrics:
    """All metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.commands = Counter(
            "quorumbot_commands",
            "Commands received",
            ["command", "outcome"],
            registry=self.registry,
        )
        self.ack_seconds = Histogram(
            "quorumbot_ack_seconds",
            "From receiving a command to acknowledging it",
            buckets=_FAST,
            registry=self.registry,
        )
        self.runs = Counter(
            "quorumbot_runs", "Runs ended", ["procedure", "outcome"], registry=self.registry
        )
        self.run_seconds = Histogram(
            "quorumbot_run_seconds",
            "From the request to the end of a run",
            buckets=_SLOW,
            registry=self.registry,
        )
        self.queue_wait_seconds = Histogram(
            "quorumbot_queue_wait_seconds",
            "From the request until a worker took it up",
            buckets=_FAST,
            registry=self.registry,
        )
        self.approvals = Counter(
            "quorumbot_approvals",
            "Clicks on runs, by what they decided",
            ["decision"],
            registry=self.registry,
        )
        self.slack_calls = Counter(
            "quorumbot_slack_calls",
            "Calls of Slack's Web API that show runs",
            ["method", "outcome"],
            registry=self.registry,
        )
        self.slack_lag_seconds = Histogram(
            "quorumbot_slack_lag_seconds",
            "From an event to the message that shows it",
            buckets=_SLOW,
            registry=self.registry,
        )
        self.recoveries = Counter(
            "quorumbot_recoveries",
            "Runs taken over from a worker that was lost",
            ["outcome"],
            registry=self.registry,
        )
        self.etcd_healthy_members = Gauge(
            "quorumbot_etcd_healthy_members",
            "Healthy voters, as the last health answer had it",
            ["cluster"],
            registry=self.registry,
        )
        self.audit_broken = Gauge(
            "quorumbot_audit_broken",
            "1 while the audit log lacks an entry that this front has seen in it",
            registry=self.registry,
        )

    def page(self) -> bytes:
        """The metrics in the text exposition format."""
        return generate_latest(self.registry)
