"""What a process must never tell: the secrets of its configuration, and whatever looks like one."""

import logging
from collections.abc import Iterator
from pathlib import Path

from bot.config import Config
from bot.secret import SecretRef
from procedures.model.redaction.redactor import Redactor, objection

_log = logging.getLogger(__name__)


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


def _values(config: Config) -> Iterator[tuple[str, bytes]]:
    file = config.file
    references: dict[str, SecretRef | None] = {
        **{f"slack.{name}": reference for name, reference in file.slack.secrets.items()},
        "redis.password": file.redis.password,
        "signing.front": file.signing.front,
        "signing.worker": file.signing.worker,
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
            f"{name} TLS key": cluster.tls.key if cluster.tls else None,
            f"{name} SSH key": cluster.ssh.key if cluster.ssh else None,
        }
        for what, path in keys.items():
            try:
                if path is not None:
                    yield what, Path(path).read_bytes()
            except OSError:
                continue
