"""Where Quorumbot meets the world: Slack, Redis, etcd, the sandbox and the command line."""
