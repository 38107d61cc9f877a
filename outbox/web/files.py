"""The files beside the pages: their style, and the script of the proof of work."""

from __future__ import annotations

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .desk import WebDesk

#: Seconds for which a browser keeps a file; then it asks whether there is another.
KEEP_S = 3600


def routes(desk: WebDesk) -> list[Route]:
    """`site.css` and `proof.js`."""
    return [
        _serve("/site.css", desk.look.css, "text/css"),
        _serve("/proof.js", desk.look.read("door/proof.js"), "text/javascript"),
    ]


def _serve(path: str, content: bytes, kind: str) -> Route:
    headers = {"cache-control": f"public, max-age={KEEP_S}", "etag": f'"{sha256(content).hexdigest()[:16]}"'}

    async def show(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=kind)

    return Route(path, show)
