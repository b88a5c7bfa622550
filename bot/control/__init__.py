"""Commands about runs and clusters that are answered without a worker."""
