"""Import in the locustfile. LOCUSTCTL_URL: address of serve; LOCUSTCTL_TOKEN_FILE: token's path."""
from os import getenv

from flask import Response, request
from flask_cors import cross_origin
from locust import events
from requests import Session


@events.init.add_listener
def add_panel(web_ui, url=getenv("LOCUSTCTL_URL", "http://locustctl").rstrip("/"), **_):
    def relay(path="", file=getenv("LOCUSTCTL_TOKEN_FILE"), kind="application/problem+json"):
        site = request.headers.get("Sec-Fetch-Site", str(request.origin).partition(":")[2])
        if request.method in ("PUT", "POST") and site not in ("same-origin", f"//{request.host}"):
            return {"detail": "A change must come from Locust's page."}, 403, {"Content-Type": kind}
        headers = {name: request.headers.get(name) for name in ("Content-Type", "If-None-Match")}
        try:
            headers["Authorization"] = file and f"Bearer {open(file).read().strip()}"
            got = Session().request(request.method, f"{url}/{path}", request.query_string,
                                    request.get_data(), headers, stream=True, timeout=(3, 660))
        except OSError:
            return {"detail": "locustctl serve does not answer."}, 502, {"Content-Type": kind}
        return Response(got.raw.stream()), got.status_code, {**got.headers, "Transfer-Encoding": []}
    if app := web_ui and web_ui.app:
        ask = cross_origin(origins=[])(web_ui.auth_required_if_enabled(relay))
        for at in ("/-/locustctl/", "/-/locustctl/<path:path>"):
            app.route(app.blueprints["locust"].url_prefix + at, methods=["GET", "PUT", "POST"])(ask)
        app.after_request(lambda page: request.endpoint == "locust.index" and page.set_data(
            page.data.replace(b"</body>", b'<script type="module" src="-/locustctl/assets/'
                              b'panel.js"></script></body>', 1)) or page)
