"""One view for each kind of exhibit (`gui_lab.core.exhibits`), and the stage that sets them out.

A view is dumb: it is shown an exhibit, draws it, and says what a click on it sets. None knows a concept.
"""
