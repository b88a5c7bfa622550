"""The CA is looked at again before it signs: one CA was approved, for so many days. (R17)"""

from procedures.model import certificate
from procedures.model.run import State
from procedures.model.signing import DAYS
from tests.unit.procedures.test_certs_renew import RENEW, another_ca, machine, made

DAY_S = 86_400


async def test_another_ca_than_was_approved() -> None:
    """Members would not trust what it signs."""
    theatre = made(RENEW, {})
    await theatre.approved()
    another_ca(theatre.sight)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "on demo-1 is not the CA that was approved. Ask again." in str(theatre.run.error)


async def test_a_ca_that_does_not_last_any_more() -> None:
    """It was approved when it did; what it signs would end with it."""
    theatre = made(RENEW, {})
    await theatre.approved()
    ca = certificate.read(
        machine(theatre.sight, "demo-1").files.file("/etc/etcd/ca/ca.crt").content
    )
    assert ca is not None
    theatre.sight.clock.ms = (ca.ends_s - DAYS * DAY_S) * 1_000
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert f"ends before a certificate of {DAYS} days (R17)." in str(theatre.run.error)
