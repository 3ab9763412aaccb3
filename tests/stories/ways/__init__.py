"""Every way by which words could cross that must not: one list, tried on the stage and on the platforms themselves.

Four kinds of words: what colleagues say among themselves, identifiers of persons whose author has not chosen, what an
encrypted room keeps, and what is under a mark of protection. A way only does what somebody could do; who tries it reads
afterwards what anybody else was shown (`assert_kept`), and of the first and last kind all that is stored.
"""

from tests.stories.ways import identifiers, marks, remarks, sealed
from tests.stories.ways.ground import (
    CANARY,
    COLIBRI,
    SECRET,
    Ground,
    Kind,
    Way,
    Where,
    assert_kept,
    ground,
    ways,
)

__all__ = [
    "CANARY", "COLIBRI", "SECRET", "Ground", "Kind", "Way", "Where", "assert_kept", "ground", "identifiers", "marks",
    "remarks", "sealed", "ways",
]  # fmt: skip
