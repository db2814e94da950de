"""`import locust_plugin` in a locustfile. serve: LOCUSTCTL_URL; its token: LOCUSTCTL_TOKEN_FILE."""
from os import getenv

from flask import request
from flask_cors import cross_origin
from locust import events
from requests import Session


@events.init.add_listener
def add_panel(web_ui, url=getenv("LOCUSTCTL_URL", "http://locustctl"), **_):
    def relay(path="", file=getenv("LOCUSTCTL_TOKEN_FILE")):
        site = request.headers.get("Sec-Fetch-Site", str(request.origin).partition(":")[2])
        if request.method != "GET" and site not in ("same-origin", f"//{request.host}"):
            return {"detail": "A change must come from Locust's own page."}, 403
        headers = {name: request.headers.get(name) for name in ("Content-Type", "If-None-Match")}
        try:
            headers["Authorization"] = file and f"Bearer {open(file).read().strip()}"
            answer = Session().request(request.method, f"{url}/{path}", request.query_string,
                                       request.get_data(), headers, stream=True, timeout=(3, 660))
        except OSError:
            return {"detail": "locustctl serve does not answer."}, 502
        return answer.raw.stream(), answer.status_code, {**answer.headers, "Transfer-Encoding": []}
    if app := web_ui and web_ui.app:
        view = cross_origin(origins=[])(web_ui.auth_required_if_enabled(relay))
        for at in ("/-/locustctl/", "/-/locustctl/<path:path>"):
            app.route(app.blueprints["locust"].url_prefix + at, methods=["GET", "PUT", "POST"])(view)
        app.after_request(lambda page: page if request.endpoint != "locust.index" else page.set_data(
            page.data.replace(b"</body>", (
                b'<script type="module" src="-/locustctl/assets/panel.js"></script></body>'), 1)) or page)
