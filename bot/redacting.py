"""What a process must never tell: the secrets of its configuration, and whatever looks like one."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import JsonValue, TypeAdapter

from bot.config import Config
from bot.secret import SecretRef
from procedures.model.events import (
    Answered,
    Asked,
    Cancelled,
    Doubted,
    Event,
    Expired,
    Failed,
    PutOff,
    RefusedBy,
)
from procedures.model.redaction.redactor import Redactor, objection

_log = logging.getLogger(__name__)
_ANSWERED = TypeAdapter(Answered)


def redactor(config: Config) -> Redactor:
    """Know every secret that this process can read; one that is too short is said, not known."""
    known: dict[str, bytes] = {}
    for name, value in _values(config):
        reason = objection(name, value)
        if reason is None:
            known[name] = value
        else:
            _log.warning("%s", reason)
    return Redactor(known)


def redacted(event: Event, redactor: Redactor) -> Event:
    """An event without what others said in it: what went wrong is often told in their words.

    A plan is what people approve, and stays as it is.
    """
    match event:
        case Failed() | Doubted() | RefusedBy() | Cancelled() | Expired() | PutOff():
            return replace(event, error=redactor.text(event.error))
        case Asked(missing=str(missing)):
            return replace(event, missing=redactor.text(missing))
        case Answered():
            plain: JsonValue = _ANSWERED.dump_python(event, mode="json")
            return _ANSWERED.validate_python(_redacted(plain, redactor))
        case _:
            return event


def _redacted(value: JsonValue, redactor: Redactor) -> JsonValue:
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, list):
        return [_redacted(each, redactor) for each in value]
    if isinstance(value, dict):
        return {name: _redacted(each, redactor) for name, each in value.items()}
    return value


class RedactedLogs(logging.Filter):
    """Redacts each line of the log before it is written."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, redacted; its traceback too."""
        record.msg, record.args = self._redactor.text(record.getMessage()), ()
        if record.exc_info:
            formatter = logging.Formatter()
            record.exc_text = self._redactor.text(formatter.formatException(record.exc_info))
        return True


def redact_logs(redactor: Redactor) -> None:
    """Let nothing that this process logs tell a secret."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(RedactedLogs(redactor))


def _store_keys(config: Config) -> Mapping[str, SecretRef]:
    """The keys of each place for snapshots."""
    backups = config.file.backups
    if backups is None:
        return {}
    places = {"backups": backups, **{f"backups.{site}": at for site, at in backups.sites.items()}}
    return {
        f"{name}.{key}": reference
        for name, place in places.items()
        if place.s3 is not None
        for key, reference in (
            ("access_key", place.s3.access_key),
            ("secret_key", place.s3.secret_key),
        )
    }


def _values(config: Config) -> Iterator[tuple[str, bytes]]:
    file = config.file
    references: dict[str, SecretRef | None] = {
        **{f"slack.{name}": reference for name, reference in file.slack.secrets.items()},
        "redis.password": file.redis.password,
        "signing.front": file.signing.front,
        "signing.worker": file.signing.worker,
        **_store_keys(config),
    }
    for name, reference in references.items():
        if reference is None:
            continue
        try:
            yield name, reference.read(config.base).reveal().encode()
        except ValueError:
            continue  # this process may not read it, so it cannot tell it either
    for name, cluster in config.inventory.clusters.items():
        keys = {
            f"{name}.tls.key": cluster.tls.key if cluster.tls else None,
            f"{name}.ssh.key": cluster.ssh.key if cluster.ssh else None,
        }
        for what, path in keys.items():
            try:
                if path is not None:
                    yield what, Path(path).read_bytes()
            except OSError:
                continue
