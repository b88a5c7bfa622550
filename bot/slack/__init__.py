"""The Slack front: accept, acknowledge, show."""
