"""TLS on a TCP connection: what each side holds against the other, in words."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cryptography import x509

from bot.targets.etcd import faults
from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.target import Target


@asynccontextmanager
async def secured(
    sock: socket.socket,
    target: Target,
    context: ssl.SSLContext | None,
    deadline: Deadline,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Shake hands (where there is a context), and drop the connection at the end.

    A failure of TLS comes out as ssl.SSLError, also where it shows only on a read inside the
    block, as it does when a TLS 1.3 server rejects a client; all others as `FaultError`.
    """
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout_at(deadline.at):
            reader, writer = await asyncio.open_connection(
                sock=sock, ssl=context, server_hostname=target.certificate_name if context else None
            )
            yield reader, writer
    except TimeoutError:
        raise faults.silent(target.who, deadline.duration_ms) from None
    except ssl.SSLError:
        raise
    except OSError as error:
        raise faults.hangs_up(target.who) from error
    finally:
        if writer is not None:
            writer.transport.abort()


def peer_certificate(writer: asyncio.StreamWriter) -> x509.Certificate:
    """Give the certificate that the server has shown."""
    return x509.load_der_x509_certificate(
        writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    )
