"""The window: the only room where PySide6 is named.

Qt shares the painting of a large ground out to threads and waits for them, with Python's lock in its hand: where all
processors train, what is to be painted then waits for a processor, and the training for what is painted. So it paints
on one thread.
"""

import os

os.environ["QT_NO_GUI_THREADPOOL"] = "1"
