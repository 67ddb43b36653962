"""The page on which holes are painted, filled and saved: a server for this computer alone."""

from npfill.paint.server import Server
from npfill.paint.session import Session

__all__ = ["Server", "Session"]
