"""What the frozen app starts with. On Windows torch's libraries must be loaded before Qt's."""

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()
    if sys.platform == "win32":
        import torch  # noqa: F401 - for the order of the libraries
    from gui_lab.__main__ import main

    sys.exit(main())
