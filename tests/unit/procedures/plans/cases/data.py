"""Backups, restores, and what is done about the data of members."""

from procedures.model.inventory import Platform
from tests.support.furnishing import spoiled
from tests.unit.procedures.plans.case import Case
from tests.unit.procedures.plans.facts.data import (
    corrupt,
    differing,
    fragmented,
    lost,
    no_space_and_one_unknown,
    stopped_itself,
    with_v2,
    without_space,
)
from tests.unit.procedures.plans.facts.hosts import off
from tests.unit.procedures.plans.facts.members import down

KEPT = "demo-20231113T221320Z-90-6742c4a60b5d"
KEPT_V2 = "demo-20231113T221320Z-95-ea7af313c665"
ALL = ("demo-1", "demo-2", "demo-3")

CASES = {
    "etcd-backup": Case("etcd backup"),
    "etcd-backup-config": Case("etcd backup config"),
    "etcd-backup-config-one-off": Case("etcd backup config", {}, off("demo-2")),
    "etcd-backup-v2": Case("etcd backup v2", {}, with_v2()),
    "etcd-drill": Case("etcd drill", {}, lost()),
    "etcd-backup-without-quorum": Case("etcd backup", {}, down("demo-1", "demo-2")),
    "etcd-replace-corrupt": Case("etcd replace-corrupt", {"member": "demo-3"}, differing("demo-3")),
    "etcd-disarm-corrupt": Case("etcd disarm-corrupt", {}, differing()),
    "etcd-replace-corrupt-no-alarm": Case(
        "etcd replace-corrupt", {"member": "demo-3"}, differing("demo-3", alarm=False)
    ),
    "etcd-replace-corrupt-down": Case("etcd replace-corrupt", {"member": "demo-3"}, stopped_itself),
    "etcd-nospace": Case("etcd nospace", {}, without_space()),
    "etcd-nospace-one-down": Case("etcd nospace", {}, without_space("demo-3")),
    "etcd-nospace-alone": Case("etcd nospace", {}, without_space(), size=1),
    "etcd-defrag": Case("etcd defrag", {}, fragmented),
    "etcd-defrag-one": Case("etcd defrag", {"member": "demo-2", "anyway": True}, fragmented),
    "etcd-restore-config": Case("etcd restore config", {"member": "demo-2"}, spoiled),
    "etcd-restore": Case("etcd restore", {"snapshot": KEPT}, lost("demo-2", "demo-3")),
    "etcd-restore-all-lost": Case("etcd restore", {"on": "demo-2"}, lost(*ALL)),
    "etcd-restore-v2": Case(
        "etcd restore v2", {"snapshot": KEPT_V2}, with_v2("demo-2", off=("demo-3",))
    ),
    "etcd-restore-kubespray": Case(
        "etcd restore",
        {"snapshot": KEPT},
        lost("demo-1", off=("demo-3",), on=Platform.KUBESPRAY),
    ),
    "etcd-restore-static-pods": Case("etcd restore", {}, lost(*ALL, on=Platform.OCP311)),
    "etcd-restore-bad-data": Case(
        "etcd restore", {"data_is_bad": True, "snapshot": KEPT}, lost(on=Platform.OKD3)
    ),
}

REFUSALS = {
    "no space, and nobody can tell of one": (
        Case("etcd nospace", {}, no_space_and_one_unknown),
        r"demo-3 must be healthy first \(R11\)\. Bring back what is not well first, or stop",
    ),
    "the configuration of hosts without power": (
        Case("etcd backup config", {"member": "demo-2"}, off("demo-2")),
        r"No host can be reached\. Nothing of demo-2 is copied: demo-2 \(10\.0\.0\.2\) cannot",
    ),
    "data that a survivor has and the newest snapshot lacks": (
        Case("etcd restore", {}, lost("demo-2", "demo-3")),
        r"demo-1 \(revision 100\) answers, .* ends at revision 90: 10 revisions would be lost",
    ),
    "data that a survivor has and the archive lacks": (
        Case("etcd restore v2", {}, with_v2("demo-2", "demo-3")),
        r"5 revisions would be lost \(R14\)\. No v2 store is copied without quorum\.",
    ),
    "no lack of space": (
        Case("etcd nospace"),
        r"No member of demo has raised NOSPACE \(R15\): there is nothing to do",
    ),
    "no space and bad data": (
        Case("etcd nospace", {}, corrupt),
        r"has raised CORRUPT \(R16\)",
    ),
    "no space and no quorum": (
        Case("etcd nospace", {}, without_space("demo-2", "demo-3")),
        r"demo has no quorum \(R14\): an alarm cannot be taken back",
    ),
    "nothing to win": (
        Case("etcd defrag"),
        r"little to win: demo-1 20 % of 20 KiB free, .* \(R11\)\. Say --anyway",
    ),
    "nothing to win at all": (
        Case("etcd defrag", {"anyway": True}),
        r"nothing to win: less than 64 KiB of its file is free: demo-1 20 % of 20 KiB.* \(R11\)\.$",
    ),
    "a member less than quorum tolerates": (
        Case("etcd defrag", {}, fragmented, size=2),
        r"it would leave 1 serving of 2, quorum 2, for a while \(R11\)",
    ),
    "a defragmentation while one is down": (
        Case("etcd defrag", {"member": "demo-1", "anyway": True}, down("demo-2")),
        r"demo-2 must be healthy first \(R11\)\. Bring back or remove",
    ),
    "to replace data that most members have": (
        Case("etcd replace-corrupt", {"member": "demo-3"}, differing("demo-1")),
        r"demo-3 has the data that most members have, and demo-1 has not \(R16\): .* Name demo-1",
    ),
    "to choose among three": (
        Case("etcd replace-corrupt", {"member": "demo-3"}, differing("demo-2", "demo-3")),
        r"At most 1 of 3 members hold the same data, and 2 would have to \(R16\)",
    ),
    "to choose among two": (
        Case("etcd replace-corrupt", {"member": "demo-2"}, differing("demo-2", on="demo-2"), 2),
        r"At most 1 of 2 members hold the same data, and 2 would have to \(R16\)",
    ),
    "to replace one of two that differ": (
        Case("etcd replace-corrupt", {"member": "demo-5"}, differing("demo-4", "demo-5"), 5),
        r"The data of demo-4 and demo-5 differs from that of most members \(R16\)",
    ),
    "to replace data that differs from nobody's": (
        Case("etcd replace-corrupt", {"member": "demo-3"}, differing()),
        r"differs from nobody's \(R16\): .*\. If the alarm is of before, take it back: /etcd dis",
    ),
    "to replace the data of one that is down": (
        Case("etcd replace-corrupt", {"member": "demo-3"}, down("demo-3")),
        r"demo-3 is down, and no alarm CORRUPT is on \(R16\)\. Use /etcd replace",
    ),
}
