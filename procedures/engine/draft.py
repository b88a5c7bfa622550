"""From a request to a plan: observe, then plan."""

from pydantic import TypeAdapter, ValidationError

from procedures.engine.ports import Look
from procedures.model.ansible import PLAYBOOK_RUNS
from procedures.model.errors import Permanent, Refused
from procedures.model.events import Requested
from procedures.model.ids import ClusterName
from procedures.model.plan import Plan, Risk
from procedures.model.probe import Fault
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
    if procedure.risk is not Risk.READ_ONLY:
        await _forbid_two(request.cluster, look)
    view = await procedure.observe(args, look)
    return procedure.planned(args, request.args, request.cluster, view)


async def _forbid_two(name: ClusterName, look: Look) -> None:
    """R22: Ansible knows no lock of ours. A host of it that is silent stands against nothing."""
    cluster = look.inventory.clusters[name]
    if (where := cluster.ansible) is None:
        return
    host = next(each for each in cluster.hosts if each.name == where.host)
    said = await look.hosts.ask(cluster, host, PLAYBOOK_RUNS)
    if not isinstance(said, Fault) and said.status == 0:
        message = f"A playbook runs on {host.name} (R22). Ask again when it has ended."
        raise Refused(message)
