"""Which of Slack's secrets a front needs: that depends on how Slack reaches it."""

from dataclasses import dataclass, field

from bot.config import Config, ConfigError


@dataclass(frozen=True, slots=True)
class SlackSecrets:
    """What a front holds: one of `app_token` and `signing_secret`, by the mode."""

    bot_token: str = field(repr=False)
    app_token: str | None = field(repr=False)
    signing_secret: str | None = field(repr=False)


def slack_secrets(config: Config, *, http: bool) -> SlackSecrets:
    """Read them; raise ConfigError with every one that is missing or cannot be read."""
    given = config.file.slack.secrets
    own, hint = (
        ("signing_secret", "HTTP mode needs it; leave out --http for Socket Mode")
        if http
        else ("app_token", "Socket Mode needs it; HTTP mode is chosen with --http PORT")
    )
    faults = []
    read: dict[str, str] = {}
    for name in ("bot_token", own):
        if name not in given:
            faults.append(f"slack.{name}: is missing. {hint}")
            continue
        try:
            read[name] = given[name].read(config.base).reveal()
        except ValueError as error:
            faults.append(f"slack.{name}: {error}")
    if faults:
        raise ConfigError(tuple(faults))
    return SlackSecrets(read["bot_token"], read.get("app_token"), read.get("signing_secret"))
