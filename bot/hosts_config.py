"""The sections `hosts`, `ssh` and `ansible` of a cluster: its machines, and what is on them."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from procedures.model.inventory import Ansible, Host, Jump, SshAccess

_Address = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$")]
_Account = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9._-]{0,31}\$?$")]
_Port = Annotated[int, Field(ge=1, le=65_535)]
_Path = Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HostConfig(_Model):
    """A machine that has, or may get, a member; `user` is for one that differs from the others.

    `etcd: false` is for one that never gets a member, such as a master or node beside them.
    """

    address: _Address
    port: _Port = 22
    user: _Account | None = None
    etcd: bool = True

    def host(self, name: str) -> Host:
        """Make it what procedures know."""
        return Host(name, self.address, self.port, self.user, self.etcd)


class JumpConfig(_Model):
    """A machine through which the others are reached."""

    address: _Address
    port: _Port = 22
    user: _Account | None = None


class SshConfig(_Model):
    """How a worker logs in to a cluster's machines, and how it knows that they are the right ones.

    All secrets and all trust are files; there is no way to switch the check of host keys off.
    """

    user: _Account = "root"
    key: Path | None = None
    certificate: Path | None = None
    known_hosts: Path | None = None
    host_ca: Path | None = None
    jump: JumpConfig | None = None
    sudo: bool = False
    agent: bool = False

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.known_hosts is None) == (self.host_ca is None):
            message = "say either `known_hosts: FILE` or `host_ca: FILE`: whom to trust"
            raise ValueError(message)
        if self.key is None and not self.agent:
            message = "say `key: FILE`, or `agent: true` where an agent holds it"
            raise ValueError(message)
        if self.certificate is not None and self.key is None:
            message = "`certificate` needs its `key`"
            raise ValueError(message)
        return self

    def access(self, base: Path) -> SshAccess:
        """Make it what procedures know; relative files are below `base`."""
        return SshAccess(
            user=self.user,
            key=_file(base, self.key),
            certificate=_file(base, self.certificate),
            known_hosts=_file(base, self.known_hosts),
            host_ca=_file(base, self.host_ca),
            jump=Jump(**self.jump.model_dump()) if self.jump else None,
            sudo=self.sudo,
            agent=self.agent,
        )


class AnsibleConfig(_Model):
    """Where Ansible is, with which the cluster was installed; the paths are those on its host."""

    host: str
    inventory: _Path = "/etc/ansible/hosts"
    playbooks: _Path = "/usr/share/ansible/openshift-ansible"

    def ansible(self) -> Ansible:
        """Make it what procedures know."""
        return Ansible(self.host, self.inventory, self.playbooks)


def _file(base: Path, path: Path | None) -> str | None:
    return None if path is None else str(base / path)
