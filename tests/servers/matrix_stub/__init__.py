"""A homeserver of ours in memory, for load and chaos: fast, countable, and able to fail on demand."""

from tests.servers.matrix_stub.app import MatrixStub
from tests.servers.matrix_stub.process import StubProcess
from tests.servers.matrix_stub.user import StubUser

__all__ = ["MatrixStub", "StubProcess", "StubUser"]
