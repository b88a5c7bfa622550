"""Faults of a bucket in words that say what to do. No text of the server's is passed on."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    ResponseStreamingError,
    SSLError,
)
from botocore.exceptions import ConnectionError as NoConnectionError

from procedures.model.errors import Permanent, QuorumbotError, Retryable

_DENIED = (
    "is refused to us: check `access_key` and `secret_key` in `backups.s3`, and that they may "
    "list, read, write and delete there"
)
_ELSEWHERE = "is in another region: correct `backups.s3.region`"
_LASTING = {
    "NoSuchBucket": "does not exist: create it, or correct `backups.s3`",
    "RequestTimeTooSkewed": "is refused to us: set this machine's clock right",
    "PermanentRedirect": _ELSEWHERE,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "301": _ELSEWHERE,
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
    "InvalidAccessKeyId": _DENIED,
    "SignatureDoesNotMatch": _DENIED,
    "403": _DENIED,
}
_DAMAGED = frozenset({"BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"})
_PASSING = frozenset({"SlowDown", "RequestTimeout", "Throttling", "ConditionalRequestConflict"})


@contextmanager
def bucket_errors(bucket: str) -> Iterator[None]:
    """Translate boto's errors about a bucket."""
    try:
        yield
    except SSLError as error:
        message = (
            f"The store of the bucket {bucket} is not trusted: give the file with its authority "
            "as `backups.s3.ca`, or correct `backups.s3.endpoint`."
        )
        raise Permanent(message) from error
    except (NoConnectionError, HTTPClientError, ResponseStreamingError) as error:
        message = f"The store of the bucket {bucket} cannot be reached: {error}. Try again."
        raise Retryable(message) from error
    except ClientError as error:
        raise _translated(bucket, error) from error
    except BotoCoreError as error:
        message = f"The bucket {bucket} cannot be used as it is configured: {error}."
        raise Permanent(message) from error


def error_code(error: ClientError) -> str:
    """The store's own name for what is wrong."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def _translated(bucket: str, error: ClientError) -> QuorumbotError:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _DAMAGED:
        return Retryable(f"What was sent to the bucket {bucket} was damaged on its way: try again.")
    if status >= 500 or status == 429 or code in _PASSING:
        return Retryable(f"The store of the bucket {bucket} is in trouble ({code}): try again.")
    return Permanent(
        f"The bucket {bucket} {_LASTING.get(code, f'refuses what is asked ({code})')}."
    )
