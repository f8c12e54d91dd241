"""One YAML file describes a line PC. ``loader`` reads it, ``site``, ``masters`` and ``procedure`` say what may
stand in it."""
