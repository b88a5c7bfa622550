"""Where files may be written: by platform, and never by a detour."""

from dataclasses import replace

import pytest

from procedures.model.ids import RunId
from procedures.model.inventory import Ansible, Platform
from procedures.model.paths import configured, scratch, within, writable
from tests.support.sight import a_sight


@pytest.mark.parametrize("platform", Platform)
def test_every_platform_has_its_places(platform: Platform) -> None:
    """Absolute, plainly spelt, and none of them is the system's own."""
    places = writable(platform)
    assert "/var/lib/etcd" in places
    assert all(within(place, [place]) for place in places)
    assert not {"/", "/etc", "/var", "/var/lib", "/usr", "/root"} & set(places)


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("/etc/etcd", True),
        ("/etc/etcd/etcd.conf", True),
        ("/etc/etcd/ca/x y.crt", True),
        ("/etc/etcd.env", False),
        ("/etc/etcdx/y", False),
        ("/etc", False),
        ("etc/etcd/x", False),
        ("/etc/etcd/../shadow", False),
        ("/etc/etcd/..", False),
        ("/etc/etcd/./x", False),
        ("/etc//etcd/x", False),
        ("//etc/etcd/x", False),
        ("/etc/etcd/x/", False),
        ("/etc/etcd/a\nb", False),
        ("", False),
    ],
)
def test_what_lies_within(path: str, inside: bool) -> None:
    """A path is judged as it is spelt."""
    assert within(path, ["/etc/etcd"]) is inside


def test_each_run_has_a_folder_of_its_own() -> None:
    """It is not in /tmp."""
    assert scratch(RunId("r-00000001")) == "/var/lib/quorumbot/files/r-00000001"


def test_the_inventory_of_ansible_is_on_one_host() -> None:
    """On no other may a file of that name be written."""
    (cluster,) = a_sight().inventory.clusters.values()
    first, second, *_ = cluster.hosts
    assert configured(cluster, first) == ()
    told = replace(cluster, ansible=Ansible(first.name, "/root/inventory"))
    assert configured(told, first) == ("/root/inventory",)
    assert configured(told, second) == ()
