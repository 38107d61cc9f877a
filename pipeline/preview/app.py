"""The preview as a web application: a page, what it shows, and news of what was saved."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..model import FaceSpec
from ..typeset import prepare_type
from .changes import Changes
from .desk import Desk, Outdated
from .proofs import View, describe_trouble

HOSTS = frozenset({"127.0.0.1", "localhost"})
_PAGE = {path.name: path.read_bytes() for path in (Path(__file__).parent / "page").iterdir()}
#: The preview's own words, in what the layouts that come with the project use beside the text.
_FACES = tuple(FaceSpec("Source Sans 3", "fontpkg-source-sans-3", weight) for weight in (400, 600))

_TYPES = {
    ".css": "text/css", ".html": "text/html", ".jpg": "image/jpeg", ".js": "text/javascript", ".png": "image/png",
    ".svg": "image/svg+xml", ".ttf": "font/ttf", ".txt": "text/plain", ".xhtml": "application/xhtml+xml",
}  # fmt: skip
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'"
_PAGE_POLICY = (
    f"{_NOTHING}; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
    " frame-src 'self'; frame-ancestors 'none'"
)
#: What is shown may have style, pictures and fonts; no script runs in it, whatever a layout holds.
_PROOF_POLICY = (
    f"{_NOTHING}; style-src 'self' 'unsafe-inline'; font-src 'self'; frame-ancestors 'self';"
    " sandbox allow-same-origin"
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def make_app(folder: Path, changes: Changes, *, today: date) -> ASGIApp:
    """The preview of the book in `folder`; it answers its own page alone, and tells of `changes`."""
    preview = _Preview(folder, changes, Desk(folder, changes, today=today))
    routes = [
        Route("/", preview.show_page),
        Route("/page/{name}", preview.show_page_file),
        Route("/fonts/{name}", preview.show_font),
        Route("/news", preview.tell_news),
        Route("/proof/{number:int}/pages/{page:int}.png", preview.draw_page),
        Route("/proof/{number:int}/{path:path}", preview.show_file),
    ]
    return _Gate(Starlette(routes=routes))


class _Preview:
    """Answers each kind of request; whatever is asked for is looked up by name in what was made."""

    def __init__(self, folder: Path, changes: Changes, desk: Desk) -> None:
        self._folder = folder
        self._changes = changes
        self._desk = desk
        faces = prepare_type(_FACES, folder / "build" / "cache").faces
        self._page = _PAGE | {f"{face.weight}.ttf": face.path.read_bytes() for face in faces}

    async def show_page(self, _: Request) -> Response:
        return _answer("index.html", self._page["index.html"], _PAGE_POLICY)

    async def show_page_file(self, request: Request) -> Response:
        name = request.path_params["name"]
        return _answer(name, self._page.get(name), _PAGE_POLICY)

    async def show_font(self, request: Request) -> Response:
        path = self._desk.fonts.get(request.path_params["name"])
        data = path.read_bytes() if path else None
        return _answer("font.ttf", data, _PROOF_POLICY, keep=True)

    async def show_file(self, request: Request) -> Response:
        path = request.path_params["path"]
        try:
            data = self._desk.find(request.path_params["number"]).proof.files.get(path)
        except LookupError:
            data = None
        pictures = "'none'" if path == "letter/no-pictures.html" else "'self'"
        return _answer(path, data, f"{_PROOF_POLICY}; img-src {pictures}")

    async def draw_page(self, request: Request) -> Response:
        try:
            data = await self._desk.draw(request.path_params["number"], request.path_params["page"])
        except LookupError:
            data = None
        return _answer("page.png", data, _PROOF_POLICY)

    async def tell_news(self, request: Request) -> Response:
        view = View(request.query_params.get("chapter", ""), request.query_params.get("layout", ""))
        return StreamingResponse(self._follow(view), media_type="text/event-stream")

    async def _follow(self, view: View) -> AsyncIterator[str]:
        """News of `view`, now and after each save, the quick outputs before the pages (WHATWG HTML, 9.2)."""
        while True:
            seen = self._changes.count
            yield _write_event("busy")
            try:
                made = await self._desk.make(view, seen)
                yield _write_event("proof", {**made.proof.about, "number": made.number})
                async for pages in self._desk.lay_out(made):
                    yield _write_event("pages", {**pages.about, "number": made.number})
                yield _write_event("done")
            except Outdated:
                continue
            except Exception as error:  # noqa: BLE001  (told on the page; the last good proof stays)
                yield _write_event("trouble", {"findings": describe_trouble(error, self._folder)})
            await self._changes.wait(seen)


def _write_event(name: str, data: Mapping[str, Any] | None = None) -> str:
    return f"event: {name}\ndata: {json.dumps(data or {}, ensure_ascii=False)}\n\n"


def _answer(name: str, data: bytes | None, policy: str, *, keep: bool = False) -> Response:
    """`data` as the file `name`, or the answer that there is none."""
    if data is None:
        return PlainTextResponse("There is nothing here.", 404)
    headers = {
        "content-security-policy": policy,
        "cache-control": "max-age=31536000, immutable" if keep else "no-store",
    }
    return Response(data, headers=headers, media_type=_TYPES[PurePosixPath(name).suffix])


class _Gate:
    """Lets pass only what the preview's own pages ask for.

    A page from elsewhere may have its name lead to this machine (DNS rebinding), but it cannot
    change the Host header; and what it asks for across sites, browsers say of themselves.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        answer = self._app if _is_own(Headers(scope=scope)) else _REFUSAL
        await answer(scope, receive, send_guarded)


_REFUSAL = PlainTextResponse("This preview is for the machine it runs on. Open it at http://127.0.0.1.", 403)


def _is_own(headers: Headers) -> bool:
    strange = headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate"
    return headers.get("host", "").partition(":")[0] in HOSTS and not strange
