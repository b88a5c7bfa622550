"""Making sure that what people wrote on hosts is the list of etcd's members. (catalogue P68)"""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import reach
from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.model.errors import Permanent, Retryable
from procedures.model.host import At, FileSeen
from procedures.model.ids import ClusterName
from procedures.model.kubernetes import etcd_urls, setting
from procedures.model.probe import Fault


@dataclass(frozen=True, slots=True)
class Listed:
    """A file on a machine, and the URLs that it is to list, in any order."""

    at: At
    path: str
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckEtcdUrls:
    """Read what API servers, and Calico, are told of etcd.

    It changes nothing, so that a duplicate is harmless.
    """

    KIND: ClassVar[str] = "host.check-etcd-urls/1"

    cluster: ClusterName
    places: tuple[Listed, ...]

    @property
    def command(self) -> str:
        """What is read where."""
        return "\n".join(f"{each.at.host}: read {each.path}" for each in self.places)

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Read all. Raises Permanent with each list that is another one."""
        found = await asyncio.gather(*(self._wrong(world, each) for each in self.places))
        if wrong := [each for each in found if each]:
            raise Permanent(". ".join(wrong))
        count = len(self.places)
        await work.say(f"{count} of {count} files list the members")
        return None

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply looked at again."""
        return NotHappened()

    async def _wrong(self, world: World, place: Listed) -> str | None:
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, place.at)
        file = await world.hosts.read(cluster, host, place.path)
        if isinstance(file, Fault):
            raise Retryable(file.message)
        if not isinstance(file, FileSeen):
            return None  # where a host is taken out of Kubernetes: nobody asks from there any more
        where = f"{place.path} on {host.name}"
        urls = etcd_urls(place.path, file.content.decode(errors="replace"))
        if urls is None:
            return f"{where} has no list of etcd's URLs, or several"
        if set(urls) == set(place.urls):
            return None
        return f"{where} says {setting(place.path, urls)}"
