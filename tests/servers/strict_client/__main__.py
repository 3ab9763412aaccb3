"""`python -m tests.servers.strict_client install`: set-up, to be run once with the registry in reach."""

import sys

from tests.servers.strict_client.install import install, is_installed


def main(arguments: list[str]) -> int:
    """Install, or say with `check` whether that was done."""
    match arguments:
        case ["install"]:
            print("strict client: installed" if install() else "strict client: already there")
            return 0
        case ["check"]:
            return 0 if is_installed() else 1
        case _:
            print("usage: python -m tests.servers.strict_client install | check", file=sys.stderr)
            return 2


sys.exit(main(sys.argv[1:]))
