"""How etcd lives on a host, by platform: its software, its files, its keys, and who starts it."""

from typing import Literal

from tests.testbed.flavours.flavour import Flavour, Member, Version
from tests.testbed.flavours.kubespray import Kubespray
from tests.testbed.flavours.ocp311 import Ocp311
from tests.testbed.flavours.okd3 import Okd3

FlavourName = Literal["okd3", "ocp311", "kubespray"]

FLAVOURS: dict[FlavourName, Flavour] = {
    "okd3": Okd3(),
    "ocp311": Ocp311(),
    "kubespray": Kubespray(),
}

__all__ = ["FLAVOURS", "Flavour", "FlavourName", "Member", "Version"]
