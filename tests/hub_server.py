"""A server on 127.0.0.1 that speaks the Hub's protocol for single files, with its faults."""

import hashlib
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_ERRORS = {
    "no file": (404, "EntryNotFound"),
    "no repository": (401, "RepoNotFound"),
    "no revision": (404, "RevisionNotFound"),
    "gated": (403, "GatedRepo"),
    "busy": (429, None),
    "down": (503, None),
}


@dataclass(frozen=True)
class Request:
    """What a client asked for; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class HubServer:
    """Serves one file of a repository, at every revision.

    Attributes:
        content: The file.
        fault: What is wrong; see `_ERRORS` and `_Handler`. Nothing: the file is served.
        times: How many downloads have the fault; after that they are right.
        requests: What was asked, in order.
        sent: Bytes of an endless content.
    """

    content: bytes
    fault: str = ""
    times: int = 1000
    requests: list[Request] = field(default_factory=list)
    sent: int = 0

    def __enter__(self) -> "HubServer":
        self.over = threading.Event()
        handler = type("Handler", (_Handler,), {"hub": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return self._http.server_address[1]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer

    def log_message(self, *_: Any) -> None:
        """Nothing: what was asked is kept."""

    def do_HEAD(self) -> None:
        fault = self._noted()
        if fault == "slow":
            self.hub.over.wait()
        elif fault in _ERRORS:
            self._refuse(*_ERRORS[fault])
        elif fault == "gated without a token" and "authorization" not in self._headers():
            self._refuse(*_ERRORS["gated"])
        elif fault == "redirect":
            # The Hub's large files are elsewhere: another host than the one that was asked.
            self._say(302, Location=f"http://localhost:{self.hub.port}/content")
        elif fault == "odd content":
            self._say(200, X_Linked_ETag='"/tmp/npfill-odd"')
        elif fault == "odd commit":
            self._say(200, X_Repo_Commit="../../odd")
        elif fault == "no commit":
            self._say(200, X_Repo_Commit="")
        else:
            self._say(200, Content_Length=str(len(self.hub.content)))

    def do_GET(self) -> None:
        fault, content = self._noted(), self.hub.content
        if self.hub.times <= 0:
            fault = ""
        self.hub.times -= 1
        if fault == "redirect" and self.path != "/content":
            self._say(302, Location=f"http://localhost:{self.hub.port}/content")
        elif fault == "slow content":
            self._say(200, Content_Length=str(len(content)))
            self.hub.over.wait()
        elif fault == "endless":
            self._say(200)
            with suppress(ConnectionError):
                while not self.hub.over.is_set():
                    self.wfile.write(bytes(2**16))
                    self.hub.sent += 2**16
        elif fault == "dripping":
            self._say(200, Content_Length=str(len(content)))
            with suppress(ConnectionError):
                for number in range(len(content)):
                    self.wfile.write(content[number : number + 1])
                    if self.hub.over.wait(0.05):
                        break
        elif fault == "wrong":
            self._say(200, Content_Length=str(len(content)))
            self.wfile.write(content[:-1] + bytes([content[-1] ^ 1]))
        elif fault == "short":
            self._say(200, Content_Length=str(len(content) - 1))
            self.wfile.write(content[:-1])
        elif fault == "dropped":
            self._say(200, Content_Length=str(len(content)))
            self.wfile.write(content[: len(content) // 2])
        else:
            self._say(200, Content_Length=str(len(content)))
            self.wfile.write(content)

    def _noted(self) -> str:
        self.hub.requests.append(Request(self.command, self.path, self._headers()))
        return self.hub.fault

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _refuse(self, status: int, code: str | None) -> None:
        self.send_response(status)
        if code is not None:
            self.send_header("X-Error-Code", code)
        self.end_headers()

    def _say(self, status: int, **headers: str) -> None:
        etag = hashlib.sha256(self.hub.content).hexdigest()
        linked = {"X-Linked-ETag": f'"{etag}"', "X-Linked-Size": str(len(self.hub.content))}
        said = {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"', **linked}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.send_response(status)
        for name, value in said.items():
            self.send_header(name, value)
        self.end_headers()
