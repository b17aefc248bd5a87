"""Run a command that ends when whoever started it ends, even by SIGKILL."""

import contextlib
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2), Linux


def main() -> None:
    """Bind this process to its parent, named in the first argument, and become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    with contextlib.suppress(OSError, AttributeError):  # elsewhere than on Linux
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("whoever started this has ended already")
    os.execv(command[0], command)  # noqa: S606 our own command


if __name__ == "__main__":
    main()
