"""All procedures, by the name that a request carries."""

from collections.abc import Mapping
from types import MappingProxyType

from procedures.etcd import health, members
from procedures.model.inquiry import Inquiry

INQUIRIES: Mapping[str, Inquiry] = MappingProxyType(
    {inquiry.name: inquiry for inquiry in (health.INQUIRY, members.INQUIRY)}
)
"""The read-only ones."""
