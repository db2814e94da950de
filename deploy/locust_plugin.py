"""Import in the locustfile. LOCUSTCTL_URL: address of serve; LOCUSTCTL_TOKEN_FILE: token's path."""
from os import getenv

from flask import Response, request
from flask_cors import cross_origin
from locust import events
from requests import Session

NAMES = ("Accept-Encoding", "Content-Type", "If-None-Match")
SCRIPT = b'<script type="module" src="-/locustctl/assets/panel.js"></script>'


@events.init.add_listener
def add_panel(web_ui, url=getenv("LOCUSTCTL_URL", "http://locustctl").rstrip("/"), **_):
    def relay(path="", file=getenv("LOCUSTCTL_TOKEN_FILE"), kind="application/problem+json"):
        site = request.headers.get("Sec-Fetch-Site", str(request.origin).partition(":")[2])
        if request.method in ("PUT", "POST") and site not in ("same-origin", f"//{request.host}"):
            return {"detail": "A change must come from Locust's page."}, 403, {"Content-Type": kind}
        headers = {name: request.headers.get(name) for name in NAMES}
        try:
            headers["Authorization"] = file and f"Bearer {open(file).read().strip()}"
            got = Session().request(request.method, f"{url}/{path}", request.query_string,
                                    request.get_data(), headers, stream=True, timeout=(3, 660))
        except OSError:
            return {"detail": "locustctl serve does not answer."}, 502, {"Content-Type": kind}
        return Response(got.raw.stream()), got.status_code, {**got.headers, "Transfer-Encoding": []}

    def insert(page):
        if request.endpoint == "locust.index":
            page.set_data(page.data.replace(b"</body>", SCRIPT + b"</body>", 1))
            # No frames on other sites, unless Locust has its own rule. Its frame-ancestors win.
            if "X-Frame-Options" not in page.headers:
                page.headers["X-Frame-Options"] = "SAMEORIGIN"
                page.headers.setdefault("Content-Security-Policy", "frame-ancestors 'self'")
        return page
    if app := web_ui and web_ui.app:
        ask = cross_origin(origins=[])(web_ui.auth_required_if_enabled(relay))
        for at in ("/-/locustctl/", "/-/locustctl/<path:path>"):
            app.route(app.blueprints["locust"].url_prefix + at, methods=["GET", "PUT", "POST"])(ask)
        app.after_request(insert)
