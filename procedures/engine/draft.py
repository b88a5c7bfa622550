"""From a request to a plan: observe, then plan."""

from pydantic import TypeAdapter, ValidationError

from procedures.engine.ports import Look
from procedures.model.errors import Permanent
from procedures.model.events import Requested
from procedures.model.plan import Plan
from procedures.model.procedure import Procedure


async def draft(procedure: Procedure, request: Requested, look: Look) -> Plan:
    """Plan for the cluster as it is now.

    Raises Refused where a rule stands against it, UsageError for arguments that fit nothing.
    """
    try:
        args: object = TypeAdapter(procedure.args).validate_python(dict(request.args))
    except ValidationError as error:
        message = "This worker does not know those arguments: front and worker differ in version."
        raise Permanent(message) from error
    view = await procedure.observe(args, look)
    return procedure.planned(args, request.args, request.cluster, view)
