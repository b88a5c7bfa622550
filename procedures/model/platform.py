"""How etcd is run on a host, by platform: where its files are, and what stops and starts it."""

import posixpath
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from procedures.model.errors import Refused
from procedures.model.inventory import Platform
from procedures.model.paths import OWN_UNIT, WRAPPER

Argv = tuple[str, ...]
SCRIPT = "#!"
"""How a script begins, and no program does."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key on a host."""

    cert: str
    key: str


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a member shows to its peers and to its clients, and the CA that it trusts.

    `admin` is what etcd's tools show on the host, where that is another one; `node` what other
    clients there show.
    """

    ca: str
    server: Pair
    peer: Pair
    admin: Pair | None = None
    node: Pair | None = None

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Each pair once."""
        return tuple(dict.fromkeys((self.server, self.peer)))


@dataclass(frozen=True, slots=True)
class Authority:
    """The cluster's own CA, on a host that can sign.

    `config` is that of openssl's own CA, whose record of what it has signed lies beside it; where
    it is None, there is nothing but the key.
    """

    cert: str
    key: str
    config: str | None = None

    @property
    def record(self) -> str | None:
        """The folder with the record of what was signed; two of them would differ."""
        return posixpath.dirname(self.config) if self.config else None


@dataclass(frozen=True, slots=True)
class ApiServer:
    """An API server beside etcd, which remembers what it has read (R14).

    `armed` ends with 0 where the host is told to run it, `runs` where it does. `beside` is a
    folder that `stop` needs.
    """

    name: str
    armed: Argv
    runs: Argv
    stop: Argv
    start: Argv
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class Runner:
    """A file that makes a host run etcd, alike on all but for what is a host's own.

    `path` is where it is on a member's host, `joining` where it goes on one that joins, so that
    nothing starts before its time.
    """

    path: str
    joining: str
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Layout:
    """One platform. Commands are lists of arguments; paths are those on the host itself.

    `stop` holds until something starts it again, `retire` over boots too; `revive` takes `retire`
    back and starts it. `armed` ends with status 0 where the platform is told to run etcd, 1 where
    not; where it is None, its process tells. `config` is a file with `ETCD_…` lines; `folders` and
    `files` are where all lies that configures etcd, some of which need not be there. `deep` are
    folders with folders of their own, on the host that keeps the CA.
    `version` prints a line with the version of what is installed; None where nothing tells it.
    `programs` is where etcd's tools are, empty for the PATH. `beside` is a folder that `stop`
    needs; `apis` are the API servers that may be on the same host. `runners` are files that no
    package brings, and that a joining host gets from another. `client_copy` is where another client
    has a copy of what clients on a host show. `for_tools` is how a host gets etcd's tools.
    """

    data: str
    config: str
    stop: Argv
    start: Argv
    retire: Argv
    revive: Argv
    version: Argv | None = None
    armed: Argv | None = None
    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    deep: tuple[str, ...] = ()
    stop_within_ms: int = 60_000
    start_within_ms: int = 30_000
    programs: str = ""
    beside: str | None = None
    apis: tuple[ApiServer, ...] = ()
    runners: tuple[Runner, ...] = ()
    client_copy: Pair | None = None
    for_tools: str = "It comes with etcd: install that of the members' minor there."

    def certificates(self, hostname: str) -> Certificates:
        """Where the certificates of a machine are; kubespray puts its host name in theirs."""
        if self.config != _KUBESPRAY:
            folder = "/etc/etcd"
            server = Pair(f"{folder}/server.crt", f"{folder}/server.key")
            return Certificates(
                f"{folder}/ca.crt", server, Pair(f"{folder}/peer.crt", f"{folder}/peer.key")
            )
        folder = _KUBESPRAY_SSL
        member, admin, node = (
            Pair(f"{folder}/{kind}-{hostname}.pem", f"{folder}/{kind}-{hostname}-key.pem")
            for kind in ("member", "admin", "node")
        )
        return Certificates(f"{folder}/ca.pem", member, member, admin, node)

    @property
    def authority(self) -> Authority:
        """Where the CA lies on the host that signs, as the platform's installer puts it."""
        if self.config == _KUBESPRAY:
            return Authority(f"{_KUBESPRAY_SSL}/ca.pem", f"{_KUBESPRAY_SSL}/ca-key.pem")
        folder = "/etc/etcd/ca"
        return Authority(f"{folder}/ca.crt", f"{folder}/ca.key", f"{folder}/openssl.cnf")

    @property
    def unit(self) -> str | None:
        """The systemd unit that runs etcd; None for a static pod."""
        return _UNIT if self.armed is None else None

    @property
    def given_up(self) -> Argv | None:
        """Ends with status 0 where systemd starts etcd no more, because it failed too often."""
        return ("systemctl", "is-failed", "--quiet", self.unit) if self.unit else None

    @property
    def forgive(self) -> Argv | None:
        """Lets it be started again then."""
        return ("systemctl", "reset-failed", self.unit) if self.unit else None

    @property
    def revive_together(self) -> Argv:
        """Does what `revive` does, where others have to start too before there is a quorum.

        A unit of `Type=notify` is started only then, and whoever waited for it would wait in vain.
        """
        return (*self.revive, "--no-block") if self.unit else self.revive

    @property
    def before_stop(self) -> Argv | None:
        """What makes the folder that `stop` and `retire` need; None where they need none."""
        return ("mkdir", "--parents", self.beside) if self.beside else None

    def typed(self, *commands: Argv) -> str:
        """How people would type commands of which the first one stops etcd."""
        first = () if self.before_stop is None else (self.before_stop,)
        return "; then ".join(shlex.join(each) for each in (*first, *commands))

    @property
    def stopped(self) -> Argv:
        """Ends with status 1 where no etcd runs, by the exact name of its process."""
        return ("pgrep", "-x", "etcd")


_UNIT = "etcd.service"
_PODS, _STOPPED_PODS = "/etc/origin/node/pods/etcd.yaml", "/etc/origin/node/pods-stopped/etcd.yaml"
# A static pod ends when its manifest goes, as soon as the kubelet looks, and within the grace
# period of the pod. `master-restart etcd` is no help: it ends with 0 where it did nothing (X7).
_OUT: Argv = ("mv", "--no-clobber", "--no-target-directory", _PODS, _STOPPED_PODS)
_IN: Argv = ("mv", "--no-clobber", "--no-target-directory", _STOPPED_PODS, _PODS)


_KUBESPRAY, _KUBESPRAY_SSL = "/etc/etcd.env", "/etc/ssl/etcd/ssl"
_WITH_IMAGE_MS = 180_000
"""The first start on a host fetches the image of etcd, before there is a process."""
_OPENSSL_CA = ("/etc/etcd/ca", "/etc/etcd/generated_certs")
_DROP_INS, _OWN_UNIT = f"/etc/systemd/system/{_UNIT}.d", f"/etc/systemd/system/{_UNIT}"


def _api_unit(name: str) -> ApiServer:
    return ApiServer(
        name,
        armed=("systemctl", "is-enabled", "--quiet", name),
        runs=("systemctl", "is-active", "--quiet", name),
        stop=("systemctl", "disable", "--now", name),
        start=("systemctl", "enable", "--now", name),
    )


def _api_pod(manifest: str, stopped: str, runs: Argv) -> ApiServer:
    """A static pod, as etcd may be."""
    move = ("mv", "--no-clobber", "--no-target-directory")
    return ApiServer(
        manifest,
        armed=("test", "-e", manifest),
        runs=runs,
        stop=(*move, manifest, stopped),
        start=(*move, stopped, manifest),
        beside=posixpath.dirname(stopped),
    )


# The brackets keep the pattern from finding the command line that asks.
_OPENSHIFT_API = ("pgrep", "-f", "[o]penshift start master api")


def _by_unit(
    config: str,
    version: Argv,
    folder: str,
    *files: str,
    programs: str = "",
    apis: tuple[ApiServer, ...] = (),
    runners: tuple[Runner, ...] = (),
    also: tuple[str, ...] = (),
    deep: tuple[str, ...] = _OPENSSL_CA,
    client_copy: Pair | None = None,
    start_within_ms: int = 30_000,
) -> Layout:
    return Layout(
        data="/var/lib/etcd",
        config=config,
        stop=("systemctl", "stop", _UNIT),
        start=("systemctl", "start", _UNIT),
        retire=("systemctl", "disable", "--now", _UNIT),
        revive=("systemctl", "enable", "--now", _UNIT),
        version=version,
        folders=(folder, _DROP_INS, *also),
        files=(*files, OWN_UNIT),
        deep=deep,
        client_copy=client_copy,
        programs=programs,
        start_within_ms=start_within_ms,
        apis=apis,
        runners=runners,
    )


_LAYOUTS: Mapping[Platform, Layout] = MappingProxyType(
    {
        Platform.ETCD: _by_unit(
            "/etc/etcd/etcd.conf", ("etcd", "--version"), "/etc/etcd", "/etc/default/etcd"
        ),
        Platform.OKD3: _by_unit(
            "/etc/etcd/etcd.conf",
            ("etcd", "--version"),
            "/etc/etcd",
            apis=(
                _api_unit("origin-master-api.service"),
                _api_unit("atomic-openshift-master-api.service"),
                # With the controllers in one, where there is a single master (P47).
                _api_unit("origin-master.service"),
                _api_unit("atomic-openshift-master.service"),
            ),
        ),
        Platform.KUBESPRAY: _by_unit(
            _KUBESPRAY,
            ("/usr/local/bin/etcdctl", "version"),
            _KUBESPRAY_SSL,
            _KUBESPRAY,
            programs="/usr/local/bin/",
            start_within_ms=_WITH_IMAGE_MS,
            # With what certificates were made from, and those by which Calico asks this etcd.
            also=("/etc/ssl/etcd", "/etc/calico/certs"),
            deep=(),
            client_copy=Pair("/etc/calico/certs/cert.crt", "/etc/calico/certs/key.pem"),
            apis=(
                _api_pod(
                    "/etc/kubernetes/manifests/kube-apiserver.yaml",
                    "/etc/kubernetes/manifests-stopped/kube-apiserver.yaml",
                    ("pgrep", "-x", "kube-apiserver"),
                ),
            ),
            runners=(Runner(WRAPPER, WRAPPER, 0o755), Runner(OWN_UNIT, OWN_UNIT)),
        ),
        Platform.OCP311: Layout(
            data="/var/lib/etcd",
            config="/etc/etcd/etcd.conf",
            stop=_OUT,
            start=_IN,
            retire=_OUT,
            revive=_IN,
            armed=("test", "-e", _PODS),
            folders=("/etc/etcd",),
            files=(_PODS,),
            deep=_OPENSSL_CA,
            stop_within_ms=120_000,
            start_within_ms=_WITH_IMAGE_MS,
            beside=posixpath.dirname(_STOPPED_PODS),
            apis=(
                _api_pod(
                    "/etc/origin/node/pods/apiserver.yaml",
                    "/etc/origin/node/pods-stopped/apiserver.yaml",
                    _OPENSHIFT_API,
                ),
            ),
            runners=(Runner(_PODS, _STOPPED_PODS, 0o600),),
            for_tools=(
                "It is in the image of the pod only: install etcd of the members' minor on the "
                "host for it, and see that this never runs: systemctl disable etcd.service; "
                "systemctl mask etcd.service."
            ),
        ),
    }
)


def layout(platform: Platform) -> Layout:
    """Where etcd's files are, and how it is run. Raises Refused where no host is touched."""
    found = _LAYOUTS.get(platform)
    if found is None:
        message = (
            f"On {platform}, etcd is run by an operator, and nobody stops or starts it on its "
            "hosts. Change it through the Kubernetes API."
        )
        raise Refused(message)
    return found
