"""Where snapshots are kept: a directory, or a bucket; each verified before it has a name."""
