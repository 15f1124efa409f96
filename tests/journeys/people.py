"""How people of the journeys get in."""

from __future__ import annotations

import html
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from http.cookiejar import CookieJar
from typing import Any

import lxml.html


def demo_accounts(url: str) -> list[str]:
    """The names on the demo's sign-in page, the participant last."""
    return re.findall(r'class="demo-account"><strong>(.*?)</strong>', urllib.request.urlopen(f"{url}/sign-in").read().decode())


def enter_demo(page: Any, url: str, place: int) -> None:
    """One click on the sign-in page; -1 is the participant."""
    page.goto(f"{url}/sign-in")
    page.locator(".demo-account").nth(place).click()
    page.wait_for_load_state()


def kind_of(path: str) -> str:
    """The same for pages that differ only in what they are about."""
    plain = re.sub(r"\b(comment|page|section|state|q)=\w*", "", path)
    return re.sub(r"/(mgi|national|local)-[\w-]+", "/X", re.sub(r"/[\w.]*\d[\w.]*(?=/|$|\?)", "/N", plain))


class Reader:
    """A signed-in demo account without a screen, for pages that need no browser."""

    def __init__(self, url: str, place: int | None) -> None:
        self.url, self.token = url, ""
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        if place is not None:
            forms = re.findall(r'<form method="post" action="(/(?:sign-in|open)/demo)">(.*?)</form>', self.get("/sign-in"), re.S)
            action, body = forms[place]
            data = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', body)}
            self.opener.open(url + action, urllib.parse.urlencode(data).encode()).close()

    def read(self, path: str) -> tuple[str, bytes]:
        """The media type and the body of a page."""
        with self.opener.open(self.url + path, timeout=60) as answer:
            return answer.headers.get_content_type(), answer.read()

    def get(self, path: str) -> str:
        return self.read(path)[1].decode()

    def form(self, path: str, form_id: str) -> dict[str, str]:
        """What a form of a page would send as it stands."""
        return dict(lxml.html.fromstring(self.get(path)).get_element_by_id(form_id).form_values())

    def post(self, path: str, data: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> tuple[int, str]:
        """Send a form; the status and the text of what came, after any redirect."""
        self.token = self.token or re.findall(r'name="csrf-token" content="([^"]+)"', self.get("/"))[0]
        given = {"csrf_token": self.token, **data}
        request = urllib.request.Request(self.url + path, method="POST")
        if files:
            fields = [(f'name="{name}"', str(value).encode()) for name, value in given.items()]
            fields += [(f'name="{name}"; filename="{name}.pdf"', content) for name, content in files.items()]
            parts = [b"--edge\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + body + b"\r\n" for head, body in fields]
            request.data = b"".join(parts) + b"--edge--\r\n"
            request.add_header("Content-Type", "multipart/form-data; boundary=edge")
        else:
            request.data = urllib.parse.urlencode(given, doseq=True).encode()
        try:
            with self.opener.open(request, timeout=60) as answer:
                return answer.status, html.unescape(answer.read().decode())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, html.unescape(refusal.read().decode())

    def crawl(self, start: str = "/", most_alike: int = 1) -> Iterator[tuple[str, str]]:
        """Every HTML page that can be reached by links, at most `most_alike` of a kind; yields its path and text."""
        seen: dict[str, int] = {}
        done, waiting = set(), [start]
        while waiting:
            path = waiting.pop(0).split("#")[0]
            kind = kind_of(path)
            if path in done or not path.startswith("/") or path.startswith(("/static", "/sign-in/demo")) or seen.get(kind, 0) >= most_alike:
                continue
            done.add(path)
            seen[kind] = seen.get(kind, 0) + 1
            media_type, body = self.read(path)
            if media_type == "text/html":
                text = body.decode()
                yield path, text
                links = [html.unescape(link) for link in re.findall(r'<a [^>]*href="([^"]+)"', text)]
                waiting += [urllib.parse.urljoin(path, link) for link in links if ":" not in link.split("/")[0]]
