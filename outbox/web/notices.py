"""What machines ask every site for: robots.txt, security.txt (RFC 9116) and an icon."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from .desk import WebDesk

#: Nothing here is for search engines; the static site, which is, lies elsewhere (RFC 9309).
ROBOTS = "User-agent: *\nDisallow: /\n"
#: RFC 9116 wants a date within a year; the file is written at each request.
GOOD_FOR = timedelta(days=180)
#: A letter, in the colour of the layout by day and by night.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><style>path{{fill:none;stroke:{day};stroke-width:2.5;'
    "stroke-linejoin:round}}@media(prefers-color-scheme:dark){{path{{stroke:{night}}}}}</style>"
    '<path d="M3 7h26v18H3z"/><path d="m3 8 13 10L29 8"/></svg>'
)
KEPT = {"cache-control": "public, max-age=86400"}


def routes(desk: WebDesk) -> list[Route]:
    """These few files; browsers look for `favicon.ico` whatever a page says."""
    tokens = desk.look.tokens
    icon = ICON.format(day=tokens["accent"], night=tokens["dark-accent"])
    contact, host = desk.settings.security, desk.settings.envelope.base_url

    async def show_robots(_: Request) -> Response:
        return PlainTextResponse(ROBOTS, headers=KEPT)

    async def show_security(_: Request) -> Response:
        end = (desk.clock() + GOOD_FOR).replace(microsecond=0).isoformat()
        lines = [f"Contact: {contact}", f"Expires: {end}", f"Preferred-Languages: {desk.settings.language}"]
        lines.append(f"Canonical: {host}/.well-known/security.txt")
        return PlainTextResponse("".join(f"{line}\n" for line in lines), headers=KEPT)

    async def show_icon(_: Request) -> Response:
        return Response(icon, media_type="image/svg+xml", headers=KEPT)

    return [
        Route("/robots.txt", show_robots),
        Route("/.well-known/security.txt", show_security),
        Route("/favicon.svg", show_icon),
        Route("/favicon.ico", show_icon),
    ]
