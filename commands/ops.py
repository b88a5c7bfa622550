"""What people may ask of Quorumbot itself."""

from commands.registry import Command, Group

CLUSTERS = Command(("ops", "clusters"), "which clusters may be asked about from this channel")

GROUP = Group("ops", "Quorumbot itself: what it knows", (CLUSTERS,))
