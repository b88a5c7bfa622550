"""Alarms that stand against a change of members. (rule R15)"""

from procedures.etcd.view import NOSPACE, View
from procedures.model.errors import Refused


def forbid_while_full(view: View) -> None:
    """R15: where nothing can be written, no change can be proven to have ended well.

    Whoever raised it: also the alarm of one that is dead, or gone, stops all writes. Raises
    Refused.
    """
    if any(alarm.kind == NOSPACE for alarm in view.alarms):
        message = (
            "The alarm NOSPACE is on, so nothing can be written (R15), and the members are not "
            "changed before that ends: /etcd nospace."
        )
        raise Refused(message)
