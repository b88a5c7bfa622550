"""A local Slack workspace and a demo cluster: the bot can be tried without Slack."""
