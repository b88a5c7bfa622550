"""Block Kit as Slack accepts it."""
