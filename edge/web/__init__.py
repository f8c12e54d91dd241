"""The operator's pages: server HTML, one stream per page, a few modules; nothing leaves this PC."""

from edge.web.app import create_app
from edge.web.serve import serve
from edge.web.view import Document, LineView

__all__ = ["Document", "LineView", "create_app", "serve"]
