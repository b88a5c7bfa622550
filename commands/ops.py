"""What people may ask of Quorumbot itself."""

from commands.registry import Command, Group, Kind, Parameter

_RUN = Parameter("run", Kind.RUN, "which one, e.g. r-7K2M9QXD", required=True)

GROUP = Group(
    "ops",
    "Quorumbot itself: runs, approvals and clusters",
    (
        Command(("ops", "runs"), "what is under way, and the last 20 changes that ended"),
        Command(("ops", "run"), "one run: its state, steps, votes and plan", (_RUN,)),
        Command(("ops", "audit"), "the events of a run: who did what, and when", (_RUN,)),
        Command(
            ("ops", "cancel"),
            "end a run before its next step, or in a wait; for who asked for it and for approvers",
            (_RUN,),
        ),
        Command(
            ("ops", "done"),
            "say that what a run asks people for is done; for who asked for it and for approvers",
            (_RUN,),
        ),
        Command(
            ("ops", "resume"),
            "go on with a failed run at its failed step, within 24 h",
            (_RUN,),
        ),
        Command(
            ("ops", "undo"),
            "ask for what takes the steps of a run back; that is approved like any request",
            (_RUN,),
        ),
        Command(("ops", "approvals"), "what waits for a decision"),
        Command(("ops", "clusters"), "which clusters may be asked about from this channel"),
        Command(
            ("ops", "pause"),
            "begin no more changes of a cluster; runs under way and questions go on; for approvers",
            (
                Parameter("cluster", Kind.CLUSTER, "which one", required=True),
                Parameter("off", Kind.SWITCH, "end the pause: what waits begins", flag=True),
            ),
        ),
    ),
)
