"""``python -m edge``: the same as ``lotline``."""

from edge.cli import main

raise SystemExit(main())
