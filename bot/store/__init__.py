"""State in Redis: runs as signed event lists, the queue, leases."""
