"""What making certificates has in common, for members and for hosts that may get one. (P53, P65)"""

import shlex
from dataclasses import dataclass
from typing import cast

from procedures.actions.host.make_keys import MakeKeys
from procedures.actions.host.sign_certificates import SignCertificates
from procedures.etcd.authority import Signer
from procedures.etcd.certificate_figures import day
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Platform
from procedures.model.plan import Undo
from procedures.model.platform import Argv
from procedures.model.procedure import Runbook
from procedures.model.restoring import RUN
from procedures.model.signing import Beside, NewPair


@dataclass(frozen=True, slots=True)
class Issuing:
    """Who signs, and for how many days."""

    cluster: ClusterName
    platform: Platform
    signer: Signer
    days: int

    def by(self, at: At, pairs: tuple[NewPair, ...], run: Runbook) -> tuple[str, ...]:
        """Make keys and certificates of a host; gives what will tell the latter apart."""
        signer = self.signer
        run.step(f"Make new keys on {at.host}", MakeKeys(self.cluster, at, pairs))
        signed = run.step(
            f"Have the certificates of {at.host} signed on {signer.host.name}",
            SignCertificates(
                cluster=self.cluster,
                platform=self.platform,
                at=at,
                pairs=pairs,
                signer=signer.at,
                ca=signer.ca.sha256,
                days=self.days,
            ),
            gives=f"SHA-256 of the new certificates of {at.host}",
        )
        # Nobody knows them before: the steps that follow take what was signed.
        return cast("tuple[str, ...]", signed)


def put_back(host: str, pairs: tuple[NewPair, ...], *then: Argv) -> Undo | None:
    """How people put the former files back; None where there are none."""
    beside = Beside(pairs, RUN)
    if not beside.former:
        return None
    typed = "; then ".join(shlex.join(each) for each in (beside.back_argv, *then))
    return Undo(f"On {host}: {typed}")


def tell_signer(signer: Signer, days: int, run: Runbook) -> None:
    """Say by whom it is signed, and for how long."""
    run.fact(
        f"Signed by the CA that there is, {signer.ca.subject}, with {signer.place.key} on "
        f"{signer.host.name}; it ends {day(signer.ca.ends_s)}. New certificates are good for "
        f"{days} days. Keys are made where they are used, and do not leave that host."
    )


def tell_pair(pair: NewPair) -> str:
    """Say what a new certificate is for."""
    return f"the new one is for {', '.join(pair.names)}, as {' and '.join(pair.purposes)}"


def tell_kept(pairs: tuple[NewPair, ...], run: Runbook) -> None:
    """Say where former files are kept, if there are any."""
    beside, stands = Beside(pairs, RUN), f"{RUN} stands for the id of this run."
    run.fact(f"Former files are kept in {beside.old}; {stands}" if beside.former else stands)
