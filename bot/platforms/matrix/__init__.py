"""Matrix, Tchap among it: an ordinary account, end-to-end encrypted, signed, and careful with whom it obeys."""

from bot.platforms.matrix.adapter import MatrixPlatform
from bot.platforms.matrix.options import MatrixOptions

__all__ = ["MatrixOptions", "MatrixPlatform"]
