"""The worlds of the contract, for what concerns one of them."""

from tests.contract.backups.fixtures import local, s3, s3_server, samples

__all__ = ["local", "s3", "s3_server", "samples"]
