"""The server of the page: for this computer alone, and for who knows its address."""

import hmac
import secrets
import select
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread, Timer
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from npfill.errors import InputError, OverwriteError, UsageError
from npfill.files import json_text
from npfill.paint.session import Asked, Session
from npfill.paint.shown import completion, picture_png
from npfill.pictures.planes import Selected

_PAGE = Path(__file__).parent / "page"
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_RESULTS = ("mask", "mean", "std", "samples", "sheet")
_MOST_SAMPLES, _FARTHEST = 16, 1000
_HEADER = 16  # bytes before the bits of a hole: left, top, width and height
_SECONDS_TO_COME_BACK = 2.0
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src blob: data:; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
Words = Callable[[Path, dict[str, object]], str]
Said = Callable[[Exception], dict[str, str]]


class Server(ThreadingHTTPServer):
    """The server of a session's page, on a free port of this computer.

    Args:
        session: The pictures.
        models: The words for models that the page offers; the first is loaded at once.
        words: The command line of a picture and options by name.
        said: The message and hint of an error, as the user reads them.

    Attributes:
        address: The address of the page; who has it may paint.
    """

    daemon_threads = True

    def __init__(self, session: Session, models: list[str], words: Words, said: Said) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.session, self.models, self.words, self.said = session, models, words, said
        self.token = secrets.token_urlsafe(16)
        self.address = f"http://127.0.0.1:{self.server_port}/{self.token}/"
        self.tabs, self.state = set[object](), "loading"
        Thread(target=self._load, daemon=True).start()

    def _load(self) -> None:
        try:
            self.session.load(self.models[0])
            self.state = "ready"
        except Exception as error:
            self.state = self.said(error)["message"]

    def leave(self, tab: object) -> None:
        """Let go of a tab that was closed; some time after the last one, the server ends."""
        self.tabs.discard(tab)

        def end() -> None:
            if not self.tabs:
                self.shutdown()

        timer = Timer(_SECONDS_TO_COME_BACK, end)  # a page that is loaded again comes back
        timer.daemon = True
        timer.start()


class _Handler(BaseHTTPRequestHandler):
    """One request; what is not of this page is refused before it is looked at."""

    server: Server

    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal quiet."""

    def _answer(self) -> None:
        address = urlsplit(self.path)
        token, _, name = address.path[1:].partition("/")
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        is_here = host.rpartition(":")[0] in {"127.0.0.1", "localhost"}
        is_own = is_here and origin in {None, f"http://{host}"}
        if not (is_own and hmac.compare_digest(token.encode(), self.server.token.encode())):
            self._send("text/plain", b"not the address that npfill printed\n", 403)
            return
        self.asked = dict(parse_qsl(address.query))
        page = {file.name: file for file in _PAGE.iterdir()}
        route = getattr(self, f"_{self.command}_{name}".lower(), None)
        with suppress(ConnectionError):
            if route is not None:
                self._said(route, self._error)
            elif self.command == "GET" and (file := page.get(name or "index.html")):
                self._send(f"{_KINDS[file.suffix]}; charset=utf-8", file.read_bytes())
            else:
                self._send("text/plain", b"not here\n", 404)

    do_GET = do_POST = _answer  # noqa: N815 - as `http.server` names them

    def _said(self, work: Callable[[], None], say: Callable[[Exception], None]) -> None:
        """Work, and say what is wrong with it to a page that is still there."""
        try:
            work()
        except ConnectionError:
            raise
        except Exception as error:
            say(error)

    def _error(self, error: Exception) -> None:
        exists = isinstance(error, OverwriteError)
        self._json(self.server.said(error) | {"exists": exists}, 409 if exists else 400)

    def _send(self, kind: str, content: bytes | None, code: int = 200) -> None:
        """Answer; what has no content yet is of any length."""
        self.send_response(code)
        length = {} if content is None else {"Content-Length": str(len(content))}
        for key, value in (_HEADERS | length | {"Content-Type": kind}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content or b"")

    def _json(self, value: object, code: int = 200) -> None:
        self._send("application/json", json_text(value).encode(), code)

    def _number(self, name: str, most: int) -> int:
        text = self.asked.get(name, "0")
        if not (text.isascii() and text.isdecimal() and int(text[:20]) <= most):
            raise UsageError(f"{name}: {text} is no number up to {most:,}")
        return int(text)

    def _which(self) -> int:
        return self._number("picture", len(self.server.session.files) - 1)

    def _request(self) -> tuple[Asked, Selected]:
        """A request, and the hole that is painted in it."""
        model, samples = self.asked.get("model"), self._number("samples", _MOST_SAMPLES)
        if model not in self.server.models or self._result() not in _RESULTS:
            raise UsageError(f"{model}, {self._result()}: not offered by the page")
        grow, seed = self._number("grow", _FARTHEST), self._number("seed", 10**9)
        asked = Asked(self._which(), grow, seed, model, samples)
        return asked, self._painted(self.server.session.picture(asked.number).size)

    def _result(self) -> str:
        return self.asked.get("result", "mean")

    def _get_pictures(self) -> None:
        names = [str(path) for path in self.server.session.files]
        self._json({"pictures": names, "models": self.server.models})

    def _get_picture(self) -> None:
        self._send("image/png", picture_png(self.server.session.picture(self._which())))

    def _get_mask(self) -> None:
        selected = self.server.session.begun(self._which())
        selected = selected if selected.any() else selected[:0, :0]
        header = np.array([0, 0, *selected.shape[::-1]], "<u4").tobytes()
        self._send("application/octet-stream", header + np.packbits(selected).tobytes())

    def _post_command(self) -> None:
        (asked, selected), session = self._request(), self.server.session
        options = session.options(asked, selected, self._result())
        self._json({"command": self.server.words(session.files[asked.number], options)})

    def _get_alive(self) -> None:
        """A connection that is open for as long as a tab is, and says when the model is there."""
        self._send("text/event-stream", None)
        self.server.tabs.add(self)
        said, is_open = "", True
        try:
            while is_open:
                if said != self.server.state:
                    said = self.server.state
                    self.wfile.write(f"data: {json_text(said)}\n\n".encode())
                closed, _, _ = select.select([self.connection], [], [], 0.2)
                is_open = not closed or bool(self.connection.recv(1))
        finally:
            self.server.leave(self)

    def _painted(self, size: tuple[int, int]) -> Selected:
        """The hole in the body of a request, of a picture of this height and width."""
        length = int(self.headers.get("Content-Length", "0"))
        if not _HEADER <= length <= _HEADER + size[0] * size[1] // 8 + 1:
            raise InputError("a request without a hole of this picture")
        body = self.rfile.read(length)
        left, top, width, height = map(int, np.frombuffer(body, "<u4", 4))
        bits = np.unpackbits(np.frombuffer(body, np.uint8, offset=_HEADER))
        selected = np.zeros(size, dtype=bool)
        part = selected[top : top + height, left : left + width]
        if part.shape != (height, width) or bits.size != -(-part.size // 8) * 8:
            raise InputError("a request with a hole of another picture")
        part[:] = bits[: part.size].reshape(part.shape)
        return selected

    def _post_fill(self) -> None:
        (asked, selected), session = self._request(), self.server.session
        self._send("application/x-ndjson", None)

        def line(value: object) -> None:
            self.wfile.write(f"{json_text(value)}\n".encode())

        def work() -> None:
            done = session.fill(asked, selected, lambda *step: line({"step": step}))
            line(completion(done))

        self._said(work, lambda error: line(self.server.said(error)))

    def _post_save(self) -> None:
        (asked, selected), session = self._request(), self.server.session
        save = partial(session.save, overwrite=self._number("overwrite", 1) == 1)
        paths, notes = save(asked, selected, self._result(), self._number("sample", _MOST_SAMPLES))
        self._json({"saved": [str(path) for path in paths], "notes": notes})
