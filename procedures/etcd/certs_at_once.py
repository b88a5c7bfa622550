"""Renew expired certificates of all members at once. (catalogue P65, P66; rules R14, R17)

A member with a new certificate and one whose own has expired do not talk to each other, and there
is no quorum to keep. So all are stopped, get their files, and are started; data is not touched.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import CheckHealthy, WriteAndRead
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.actions.host.place_certificates import PlaceCertificates
from procedures.actions.host.run_etcd import StartTogether
from procedures.actions.host.stop_etcd import StopEtcd
from procedures.etcd.certificate_figures import day
from procedures.etcd.client_certificates import Clients, let_clients_take
from procedures.etcd.cut_off import APART_MS, CutOff
from procedures.etcd.hosts import Hosts
from procedures.etcd.issuing import Issuing, put_back
from procedures.model.plan import Risk, Undo
from procedures.model.platform import layout
from procedures.model.procedure import Runbook
from procedures.model.signing import NewPair


@dataclass(frozen=True, slots=True)
class AtOnce:
    """The cluster, what is known of its certificates, and who signs; `silent` are left out."""

    hosts: Hosts
    cut: CutOff
    issuing: Issuing
    clients: Mapping[str, Clients]
    silent: tuple[str, ...] = ()

    def plan(self, new: Mapping[str, tuple[NewPair, ...]], run: Runbook) -> None:
        """Make and sign all; stop all; put all in place; start all; see that it serves."""
        cluster, platform = self.issuing.cluster, self.issuing.platform
        how = layout(platform)
        run.risk = Risk.DESTRUCTIVE
        self._tell(tuple(new), run)
        sums = {name: self.issuing.by(self.hosts.at(name), new[name], run) for name in new}
        if self._gives_snapshot:
            run.step("Save a snapshot, without quorum", SaveSnapshot(cluster, without_quorum=True))
        for name in new:
            run.step(
                f"Stop etcd on {name}",
                StopEtcd(cluster, platform, self.hosts.at(name)),
                undo=Undo(f"On {name}: {shlex.join(how.revive_together)}"),
            )
        for name, pairs in new.items():
            run.step(
                f"Put the new certificates of {name} in place",
                PlaceCertificates(cluster, self.hosts.at(name), pairs, sums[name]),
                undo=put_back(name, pairs, how.revive_together),
            )
        for name in new:
            run.step(
                f"Start etcd on {name}",
                StartTogether(cluster, platform, self.hosts.at(name)),
            )
        whom = "these" if self.silent else "all"
        check = CheckHealthy(cluster, despite=self.silent)
        run.step(f"Check that {whom} members are healthy", check)
        run.step("Check that the cluster takes writes", WriteAndRead(cluster))
        for name, pairs in new.items():
            at = self.hosts.at(name)
            let_clients_take(cluster, at, self.clients[name], run, pairs=pairs, new=sums[name])

    @property
    def _gives_snapshot(self) -> bool:
        return self.cut.backups and any(each.status for each in self.hosts.view.voters)

    def _tell(self, names: tuple[str, ...], run: Runbook) -> None:
        view, cut = self.hosts.view, self.cut
        all_of = " and ".join(names)
        asked = f", and by etcdctl on {' and '.join(cut.asked)}" if cut.asked else ""
        run.fact(
            f"No quorum is seen: none of {len(view.voters)} members served a linearizable read "
            f"(R14). Asked from here{asked}."
        )
        run.fact(
            f"Certificates of {' and '.join(sorted(cut.expired))} have expired, by openssl on "
            f"their hosts; all clocks, Quorumbot's too, are within {APART_MS // 1_000} s (R17, "
            "R18)."
        )
        if self.silent:
            run.fact(
                f"{' and '.join(self.silent)} cannot be reached, so nothing is done there: "
                f"{all_of} are enough for a quorum. Later: /etcd certs renew HOST, where it is "
                "back, or /etcd replace."
            )
        if not view.listed:
            run.fact(
                f"Nobody gives a member list, so {all_of} are taken for the members, because they "
                "are expected."
            )
        run.fact(
            f"This is an outage: etcd is stopped on {all_of}, all at once, and serves nobody "
            "until all have started, also those whose connections are older than the end of the "
            "certificates. One after another would not do: renewed members and others do not talk "
            "to each other (R17)."
        )
        run.fact(f"Data is not touched: nothing below {layout(self.issuing.platform).data}.")
        if self._gives_snapshot:
            run.fact(
                "The snapshot is taken without quorum, so that it may lack what others have (R12)."
            )
        else:
            why = (
                "no member lets itself be asked"
                if cut.backups
                else "no place for backups is configured"
            )
            run.fact(f"No snapshot is taken first: {why} (R12).")
        if cut.client_ends_s is not None:
            run.fact(
                f"Quorumbot's own client certificate ends {day(cut.client_ends_s)}. Those of other "
                "clients may have expired too, and are not renewed here unless they are named."
            )
