"""A Matrix client as strict as Element: matrix-js-sdk in Node, cross-signed, hiding what unsigned devices say."""

from tests.servers.strict_client.client import StrictClient, StrictClients, Trust
from tests.servers.strict_client.process import ClientError

__all__ = ["ClientError", "StrictClient", "StrictClients", "Trust"]
