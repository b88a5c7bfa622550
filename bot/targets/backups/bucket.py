"""One bucket of an S3-compatible store. Everything here blocks, and raises errors of our own.

boto3 and none of its asyncio relatives: it is the one that Amazon keeps, the relatives hold its
core back by months, and a few large transfers lose nothing by running in a thread.
"""

import base64
import hashlib
import os
import threading
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from bot.secret import Secret
from bot.targets.backups.bucket_errors import bucket_errors, error_code
from procedures.model.errors import QuorumbotError, Retryable

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

_CONNECT_S, _READ_S, _TRIES = 5, 60, 3
_MOST_PARTS = 10_000
_NOT_THERE = frozenset({"NoSuchKey", "404"})
_EXISTS = frozenset({"PreconditionFailed", "412"})
_OURS_ALONE = {
    # No file and no variable of Amazon's own tools decides where a snapshot goes.
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "ignore_configured_endpoint_urls": (None, None, True, None),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bucket is, and who we are there.

    `endpoint` is None for Amazon itself; `ca` names a file of authorities in place of the usual.
    """

    bucket: str
    region: str
    access_key: Secret
    secret_key: Secret
    endpoint: str | None = None
    ca: str | None = None


class Bucket:
    """The few calls that backups need. Each try ends after a minute of silence; there are three.

    Every body that is sent is signed with its SHA-256, which a server checks before it says yes.
    Not all S3-compatible servers know the newer checksums that come at the end of a body.
    """

    def __init__(self, place: Place, part_size: int) -> None:
        self._place = place
        self._part_size = part_size
        session = boto3.session.Session(
            aws_access_key_id=place.access_key.reveal(),
            aws_secret_access_key=place.secret_key.reveal(),
            region_name=place.region,
            botocore_session=botocore.session.get_session(_OURS_ALONE),
        )
        self._client: S3Client = session.client(
            "s3",
            endpoint_url=place.endpoint,
            verify=place.ca,
            config=Config(
                connect_timeout=_CONNECT_S,
                read_timeout=_READ_S,
                retries={"total_max_attempts": _TRIES, "mode": "standard"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={
                    "addressing_style": "path" if place.endpoint else "auto",
                    "payload_signing_enabled": True,
                },
            ),
        )

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def sizes(self, prefix: str) -> Mapping[str, int]:
        """The sizes in bytes of all objects whose keys begin so, by key."""
        with bucket_errors(self._place.bucket):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._place.bucket, Prefix=prefix
            )
            return {
                found["Key"]: found["Size"] for page in pages for found in page.get("Contents", [])
            }

    def get(self, key: str, block: int) -> Generator[bytes, None, None] | None:
        """Read an object in blocks; None where there is none."""
        with bucket_errors(self._place.bucket):
            try:
                body = self._client.get_object(Bucket=self._place.bucket, Key=key)["Body"]
            except ClientError as error:
                if error_code(error) in _NOT_THERE:
                    return None
                raise

        def blocks() -> Generator[bytes, None, None]:
            with bucket_errors(self._place.bucket), closing(body):
                while data := body.read(block):
                    yield data

        return blocks()

    def put(self, key: str, data: bytes) -> None:
        """Store a small object."""
        with bucket_errors(self._place.bucket):
            self._client.put_object(
                Bucket=self._place.bucket,
                Key=key,
                Body=data,
                ContentType="application/json",
                ChecksumSHA256=_checksum(data),
            )

    def put_file(self, key: str, file: BinaryIO, size: int, stopping: threading.Event) -> bool:
        """Store a file under a key that is free, in parts where it is large.

        False: somebody has stored something there meanwhile. Parts of a try that failed are
        removed, unless the process is killed or the store is out of reach: see to it that the
        bucket has a rule which ends uploads that were never completed.
        """
        with bucket_errors(self._place.bucket):
            try:
                if size <= self._part_size:
                    data = file.read()
                    self._client.put_object(
                        Bucket=self._place.bucket,
                        Key=key,
                        Body=data,
                        ChecksumSHA256=_checksum(data),
                        IfNoneMatch="*",
                    )
                else:
                    self._put_parts(key, file, size, stopping)
            except ClientError as error:
                if error_code(error) in _EXISTS:
                    return False
                raise
        return True

    def delete(self, key: str) -> None:
        """Delete an object, which need not be there."""
        with bucket_errors(self._place.bucket):
            self._client.delete_object(Bucket=self._place.bucket, Key=key)

    def _put_parts(self, key: str, file: BinaryIO, size: int, stopping: threading.Event) -> None:
        part_size = max(self._part_size, -(-size // _MOST_PARTS))
        upload = self._client.create_multipart_upload(
            Bucket=self._place.bucket, Key=key, ChecksumAlgorithm="SHA256"
        )["UploadId"]
        parts: list[CompletedPartTypeDef] = []
        try:
            while data := file.read(part_size):
                _go_on(stopping)
                parts.append(self._put_part(key, upload, len(parts) + 1, data))
            self._client.complete_multipart_upload(
                Bucket=self._place.bucket,
                Key=key,
                UploadId=upload,
                MultipartUpload={"Parts": parts},
                IfNoneMatch="*",
            )
        except BaseException:
            with suppress(QuorumbotError), bucket_errors(self._place.bucket):
                self._client.abort_multipart_upload(
                    Bucket=self._place.bucket, Key=key, UploadId=upload
                )
            raise

    def _put_part(self, key: str, upload: str, number: int, data: bytes) -> "CompletedPartTypeDef":
        checksum = _checksum(data)
        stored = self._client.upload_part(
            Bucket=self._place.bucket,
            Key=key,
            UploadId=upload,
            PartNumber=number,
            Body=data,
            ChecksumSHA256=checksum,
        )
        return {"PartNumber": number, "ETag": stored["ETag"], "ChecksumSHA256": checksum}


def _go_on(stopping: threading.Event) -> None:
    if stopping.is_set():
        message = "The upload of the snapshot was given up."
        raise Retryable(message)


def _checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
