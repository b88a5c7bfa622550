"""A local server that speaks Slack's wire protocol to an unmodified slack-sdk and slack-bolt."""
