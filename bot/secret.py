"""Secret values, and where to find them."""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator


class Secret:
    """A value that shows itself only when it is asked to by name."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        """Masked, so that no log and no traceback holds it."""
        return "Secret('********')"

    __str__ = __repr__


class SecretRef(BaseModel):
    """Where a secret is: in an environment variable or in a file; never in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.env is None) == (self.file is None):
            message = "say either `env: NAME` or `file: PATH`"
            raise ValueError(message)
        return self

    def read(self, base: Path) -> Secret:
        """Read the value; a relative file is looked up below `base`. Raises ValueError in words."""
        if self.env is not None:
            value = os.environ.get(self.env, "")
            where = f"the environment variable {self.env}"
        else:
            path = base / (self.file or "")
            where = f"the file {path}"
            try:
                value = path.read_text(encoding="utf-8")
            except OSError as error:
                message = f"{where} cannot be read: {error.strerror}"
                raise ValueError(message) from error
            # Its group may read it: that is how Kubernetes mounts secrets.
            if path.stat().st_mode & 0o027:
                message = (
                    f"{where} is open to others, or its group may write it: chmod 600 it, "
                    "or 640 where its group has to read it"
                )
                raise ValueError(message)
        if not value.strip():
            message = f"{where} is empty or not set"
            raise ValueError(message)
        return Secret(value.strip())
