"""One page per place in the window. Pages never import each other; they share the session and the views."""
