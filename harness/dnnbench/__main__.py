"""`python -m dnnbench`: the command line, where no script is on the path."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
