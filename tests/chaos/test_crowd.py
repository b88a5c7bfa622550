"""Many ask about one cluster at the same moment, on connections that are only just being made."""

import asyncio

from bot.sandbox.demo.cluster import DemoCluster
from bot.targets.etcd.look import EtcdReader
from procedures.model.ids import ClusterName, MemberName, Site
from procedures.model.inventory import Cluster, Platform, TlsFiles
from procedures.model.probe import HashKv, Status

ROUNDS = 150
"""So that a race which is lost once in thirty rounds shows in nearly every run of the test."""
STARTS_S = (0.0, 0.0, 0.004, 0.01)


async def test_nobody_takes_a_connection_from_another(etcd_cluster: DemoCluster) -> None:
    """All get a whole answer, in every order in which connections come about."""
    files = etcd_cluster.files
    endpoints = etcd_cluster.endpoints
    cluster = Cluster(
        name=ClusterName("demo"),
        platform=Platform.ETCD,
        site=Site("default"),
        endpoints={MemberName(name): url for name, url in endpoints.items()},
        tls=TlsFiles(str(files.ca), str(files.cert), str(files.key)),
    )

    async def ask(reader: EtcdReader, start_s: float) -> None:
        await asyncio.sleep(start_s)
        sample = await reader.sample(cluster)
        assert all(isinstance(probe.status, Status) for probe in sample.probes)
        hashes = await reader.hashes(cluster, list(endpoints.values()), 1)
        assert all(isinstance(answer, HashKv) for answer in hashes.values())

    for _ in range(ROUNDS):
        reader = EtcdReader()
        try:
            await asyncio.gather(*(ask(reader, start_s) for start_s in STARTS_S))
        finally:
            await reader.close()
