"""What can be done to a cluster and how it is done safely. Knows no Slack, no Redis, no network."""
