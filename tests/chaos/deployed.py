"""`python -m tests.chaos.deployed MODULE …`: a module as a deployment runs it, without what only development installs.

structlog and pycryptodome load these packages where they find them: a tenth of a start that no operator sees.
"""

import gc
import runpy
import sys

LEFT_OUT = ("cffi", "rich", "twisted")

if __name__ == "__main__":
    sys.modules.update(dict.fromkeys(LEFT_OUT))  # type: ignore[arg-type] -- None: it cannot be imported
    del sys.argv[0]
    gc.disable()  # the entry point does so before it loads what a command needs, and the points load that before it
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
