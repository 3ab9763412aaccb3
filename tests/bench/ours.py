"""`python -m tests.bench.ours run`: the real command line with one more command; `BENCH_PROFILE` names a file."""

import cProfile
import os
import sys
from pathlib import Path

import handlers
from bot.cli import main
from tests.chaos.bot import hurried

if __name__ == "__main__":
    hurried()
    handlers.__path__.append(str(Path(__file__).parent / "handlers"))
    wanted = os.environ.get("BENCH_PROFILE")
    if wanted is None:
        sys.exit(main())
    profile = cProfile.Profile()
    try:
        profile.runcall(main)
    finally:
        profile.dump_stats(wanted)
