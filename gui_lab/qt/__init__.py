"""The window: the only room where PySide6 is named."""
