"""Hosts for people: `python -m tests.testbed up`, and what is left of killed ones: `clean`."""

import argparse
import signal
import sys

from tests.testbed.base import remove_other_bases
from tests.testbed.bed import Testbed
from tests.testbed.beds import remove_leftovers
from tests.testbed.errors import BedError
from tests.testbed.flavours import FLAVOURS
from tests.testbed.host import HostSpec
from tests.testbed.namespaces import NAMED, Namespace
from tests.testbed.needs import missing_packages
from tests.testbed.network import delay
from tests.testbed.serving import serve


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.testbed", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="boot hosts; Ctrl-C removes them")
    up.add_argument("--flavour", choices=sorted(FLAVOURS), default="okd3")
    up.add_argument("--etcd", choices=["3.4", "3.5"], default="3.4", help="version")
    up.add_argument("--hosts", type=int, default=4, metavar="N")
    up.add_argument(
        "--members", type=int, default=3, metavar="N", help="with etcd; the others are spares"
    )
    clean = commands.add_parser("clean", help="remove what killed testbeds left")
    clean.add_argument(
        "--bases", action="store_true", help="and unused bases that other checkouts have made"
    )
    far = commands.add_parser("latency", help="let a host that is up be far away; 0 ends it")
    far.add_argument("host", help="its name; BED-HOST where several testbeds have one of it")
    far.add_argument("milliseconds", type=int, help="there and back")
    serving = commands.add_parser("serve", help="a cluster for another process, in lines of JSON")
    serving.add_argument("--flavour", choices=sorted(FLAVOURS), default="okd3")
    serving.add_argument("--etcd", choices=["3.4", "3.5"], default="3.4", help="version")
    serving.add_argument("--name", default="demo", help="of the hosts, before their numbers")
    serving.add_argument("--members", type=int, default=3, metavar="N")
    serving.add_argument("--spares", type=int, default=1, metavar="N")
    serving.add_argument(
        "--around", action="store_true", help="and masters, Flannel and Ansible beside it"
    )
    commands.add_parser("missing", help="print the Debian packages that are missing here")
    options = parser.parse_args()
    try:
        if options.command == "missing":
            print(*missing_packages())
        elif options.command == "clean":
            bases = remove_other_bases() if options.bases else []
            print("removed:", *(remove_leftovers() + list(map(str, bases)) or ["nothing"]))
        elif options.command == "latency":
            delay(_found(options.host), options.milliseconds)
        elif options.command == "serve":
            return serve(
                options.name,
                options.flavour,
                options.etcd,
                members=options.members,
                spares=options.spares,
                furnished=options.around,
            )
        else:
            _up(options)
    except BedError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 1
    return 0


def _found(name: str) -> Namespace:
    """The namespace of a host of any testbed that is up. Raises BedError."""
    found = [path.name for path in NAMED.glob("qb*") if f"-{path.name}".endswith(f"-{name}")]
    if len(found) != 1:
        raise BedError(f"{len(found)} hosts are called {name}: {', '.join(found) or 'none is up'}")
    return Namespace(found[0])


def _up(options: argparse.Namespace) -> None:
    specs = [
        HostSpec(f"etcd-{number}", flavour=options.flavour, etcd_version=options.etcd)
        for number in range(1, options.hosts + 1)
    ]
    print("starting; the first time, Debian is fetched, which takes half a minute", flush=True)
    # An end by SIGTERM is as orderly as one by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Testbed.start(specs) as bed:
            names = list(bed.hosts)
            members, spares = names[: options.members], names[options.members :]
            if members:
                files = bed.cluster(members, spares=spares).files
                print(f"certificates of a client: {files.ca} {files.cert} {files.key}")
            for host in bed.hosts.values():
                role = "member" if host.name in members else "spare"
                ssh = " ".join(bed.network.bot.command(bed.access.ssh(host.address)))
                print(f"\n{host.name} {host.address} ({role})\n  {ssh}")
            shell = " ".join(bed.network.bot.command(["bash"]))
            print(f"\na shell that reaches them: {shell}\nready; Ctrl-C removes all", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("removed")


if __name__ == "__main__":
    sys.exit(main())
