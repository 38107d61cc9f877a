"""The files beside the pages: their style."""

from __future__ import annotations

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .desk import WebDesk

#: Seconds for which a browser keeps the style; then it asks whether there is another.
KEEP_S = 3600


def routes(desk: WebDesk) -> list[Route]:
    """`site.css`."""
    css = desk.look.css
    headers = {"cache-control": f"public, max-age={KEEP_S}", "etag": f'"{sha256(css).hexdigest()[:16]}"'}

    async def show_css(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(css, headers=headers, media_type="text/css")

    return [Route("/site.css", show_css)]
