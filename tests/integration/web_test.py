"""`spfrom web` against the real program, a daemon, its ledger and a zone file."""

import base64
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.parse
from html.parser import HTMLParser

import pytest

from lab import ledger_history
from lab import milter_client
from lab import paths
from lab import processes
from lab.faulty_dns import FaultyDns, Silence, Txt
from lab.private_web import PrivateWeb
from lab.spfrom import Spfrom
from lab.zone import ZONE_FILE

pytestmark = [pytest.mark.address, pytest.mark.thread]

HOSTILE = "<script>alert(1)</script>"
ZONE = ZONE_FILE + rf"""
hostile.example.  TXT "v=spf1 {HOSTILE} \027[31mred\007\226\128\174 -all"
innen.example.    TXT "v=spf1 include:aus.example ~all"
aus.example.      TXT "v=spf1 ip4:198.51.100.1 include:eng.example -all"
eng.example.      TXT "v=spf1 ?all"
tief.example.     TXT "v=spf1 include:eins.example mx ~all"
eins.example.     TXT "v=spf1 a:relay.lemniscus.de -all"
_dmarc.gmx.de.    TXT "v=DMARC1; p={HOSTILE}"
"""
VOID = {"meta", "link", "input", "img", "br", "rect"}


class Page(HTMLParser):
    """A page, which has to be well-formed: .text, .values (of fields), .links, .attributes."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self._open = []
        self.parts, self.values, self.links, self.tags, self.attributes = [], {}, [], [], []
        self.feed(html)
        self.close()
        assert self._open == []
        self.text = " ".join(" ".join(self.parts).split())

    def handle_starttag(self, tag, attributes):
        names = dict(attributes)
        self.tags.append(tag)
        self.attributes += [name for name, _ in attributes]
        if tag == "a":
            self.links.append(names["href"])
        if tag == "input":
            self.values[names["name"]] = names["value"]
        if tag not in VOID:
            self._open.append((tag, names))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        self.parts.append(data)
        if self._open and self._open[-1][0] == "textarea":
            self.values[self._open[-1][1]["id"]] = data


def page_of(answer, status=200):
    assert answer.status == status
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert page.tags.count("script") == 1  # ours, from a file
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
    return page


@pytest.fixture(scope="module")
def daemon(directory):
    ledger = directory / "web" / "ledger.db"
    with Spfrom(directory / "web", ZONE, ledger=ledger) as daemon:
        for name in ("gmx.de", "gmx.de", "praxis-ohne.de", "praxis-mueller.de"):
            milter_client.ask(daemon.address, [("From", f"Anna <anna@{name}>")], f"anna@{name}")
        processes.wait_until(lambda: seen(ledger) == 4, 30, "four messages in the ledger")
        yield daemon


def seen(ledger):
    """Messages in the ledger; None where there is none yet."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as database:
            return database.execute("SELECT ifnull(sum(messages), 0) FROM seen").fetchone()[0]
    except sqlite3.OperationalError:
        return None


@pytest.fixture(scope="module")
def web(daemon):
    with PrivateWeb(daemon, "--host", "spfrom.example.org") as web:
        yield web
        assert web.process.poll() is None, web.log()
    assert not [line for line in web.log().splitlines() if "Sanitizer" in line or "CRITICAL" in line], web.log()
    assert web.last_status == 0, web.log()


def test_overview(web):
    page = page_of(web.get("/"))
    assert "Mode rewrite" in page.text
    assert "Outgoing messages 4" in page.text
    assert "75.0 %" in page.text and "3 messages" in page.text
    assert "/domain/gmx.de" in page.links and "/domain/praxis-ohne.de" in page.links
    assert "/domain/praxis-mueller.de" not in page.links  # was never rewritten


def test_overview_in_german(web):
    answer = web.get("/", Accept_Language="de-DE,de;q=0.9,en;q=0.5")
    page = page_of(answer)
    assert "Modus rewrite" in page.text and "75,0 %" in page.text
    assert answer.headers["Content-Language"] == "de" and '<html lang="de">' in answer.text
    assert "Cookie" in answer.headers["Vary"]


def test_german_throughout(directory):
    """What is said besides is German, too, with nothing seen yet; English stays what strangers and programs say."""
    ledger = directory / "web-german" / "ledger.db"
    with Spfrom(directory / "web-german", ZONE, ledger=ledger, mode="log-only") as daemon:
        processes.wait_until(lambda: seen(ledger) is not None, 20, "the ledger")
        with PrivateWeb(daemon) as web:
            for target in ("/", "/domains"):
                page = page_of(web.get(target, Accept_Language="de"))
                assert "spfrom doctor" in page.text and "Bis dahin lässt sich oben jede Domain prüfen." in page.text
            text = part(page_of(web.get("/domain/makros.example", Accept_Language="de")), "Außerdem", "Nachrichten dieser Domain")
            assert "Der Modus ist log-only: Nachrichten bleiben unverändert" in text and "Der Eintrag fragt nach dem Teil" in text
            assert "the mode" not in text and "the record" not in text
            assert "Diese Domain gibt es nicht." in page_of(web.get("/domain/gibt-es-nicht.example", Accept_Language="de")).text
            notes = json.loads(daemon.tool("check", "--json", "gmx.de").stdout)["notes"]
            assert "the mode is log-only: messages are not touched, only logged" in notes


def test_language_is_kept(web):
    answer = web.get("/?lang=de", Accept_Language="en")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert "Modus" in page_of(web.get("/", Accept_Language="en", Cookie=cookie.split(";")[0])).text
    assert web.get("/").headers["Set-Cookie"] is None


def test_newly_authorised(directory):
    ledger = directory / "web-history" / "ledger.db"
    with Spfrom(directory / "web-history", ZONE, ledger=ledger, mode="log-only") as daemon:
        processes.wait_until(lambda: seen(ledger) is not None, 20, "the ledger")
        messages = ledger_history.write(ledger, days=30)
        with PrivateWeb(daemon) as web:
            page = page_of(web.get("/"))
            assert "Mode log-only" in page.text
            assert f"Outgoing messages {messages:,}" in page.text
            text = page.text[page.text.rindex("Newly authorised"):]
            assert text.index("praxis-müller.de") < text.index("praxis-mueller.de") < text.index("klinik-nord.de")
            assert "gmx.de" not in text
            text = part(page, "No longer authorised", "Messages a day")
            assert "praxis-am-see.de No longer authorised since" in text and "before that since" in text and "gmx.de" not in text
            seen_by_day = part(page_of(web.get("/domain/praxis-am-see.de")), "Mail of this domain", "These pages only show")
            assert "No longer authorised since" in seen_by_day
            days = seen_by_day[seen_by_day.index("Day by day"):]
            assert days.count("softfail") == 5 and days.count("pass") == 25 and days.index("softfail") < days.index("pass")
            report = daemon.tool("report").stdout
            assert re.search(r"\nNo longer authorised\n\d{4}-\d\d-\d\d  praxis-am-see\.de  \(before that since \d{4}-", report)
            broken, = json.loads(daemon.tool("report", "--json").stdout)["no_longer_authorised"]
            assert broken["domain"] == "praxis-am-see.de" and broken["unauthorised_since"] > broken["authorised_before"]
            listed = page_of(web.get("/domains?days=90"))
            assert "all others" not in listed.text and "/domain/versand.example" in listed.links


def test_list(directory):
    """The list of a big ledger is searched, narrowed, sorted and read a page at a time, and as CSV."""
    ledger = directory / "web-list" / "ledger.db"
    with Spfrom(directory / "web-list", ZONE, ledger=ledger) as daemon:
        processes.wait_until(lambda: seen(ledger) is not None, 20, "the ledger")
        ledger_history.write(ledger, days=2)
        ledger_history.write_domains(ledger, 5000)
        with PrivateWeb(daemon) as web:
            first = web.get("/domains")
            assert "5,014 domains." in page_of(first).text and "Page 1 of 101" in page_of(first).text
            assert len(first.body) < 100_000
            last = page_of(web.get("/domains?sort=domain&page=101"))
            assert "xn--" not in last.text and "praxis-müller.de" in last.text and "Page 101 of 101" in last.text
            found = page_of(web.get("/domains?q=D4999.many&result=none"))
            assert "1 of 5,014 domains." in found.text and "/domain/d4999.many.example" in found.links
            owners = page_of(web.get("/domains?advice=provider"))
            assert "/domain/gmx.de" in owners.links and "/domain/praxis-ohne.de" not in owners.links
            table = web.get("/domains.csv?q=many.example&sort=domain")
            assert table.headers["Content-Type"].startswith("text/csv")
            assert table.headers["Content-Disposition"] == 'attachment; filename="spfrom-domains.csv"'
            lines = table.text.split("\r\n")
            assert lines[0].startswith("domain,messages,") and len(lines) == 5002 and lines[1].startswith("d0.many.example,1,")
            assert lines[0] + "\n" in daemon.tool("report", "--csv", "--limit", 1).stdout


# typed, what the page says, what is to be published
CHECKS = [
    ("praxis-mueller.de", "authorised", None),
    ("PRAXIS-Mueller.de.", "authorised", None),
    ("praxis-müller.de", "authorised", None),
    ("praxis-ohne.de", "not authorised", "v=spf1 ip4:192.0.2.25 ~all"),
    ("praxis-neutral.de", "not authorised", "v=spf1 ip4:192.0.2.25 ?all"),
    ("anna@makros.example", "authorised", None),
    ("Berta <berta@makros.example>", "not authorised", "v=spf1 exists:%{l}.erlaubt.makros.example ip4:192.0.2.25 -all"),
    ("gmx.de", "not authorised", None),
    ("gibt-es-nicht.example", "not authorised", None),
    ("praxis-langsam.de", "not known", None),
]


def search(web, typed, **headers):
    """What a browser gets that fills in the form."""
    answer = web.get("/search?q=" + urllib.parse.quote_plus(typed), **headers)
    return web.get(answer.headers["Location"], **headers) if answer.status == 303 else answer


@pytest.mark.parametrize("typed, verdict, record", CHECKS, ids=[row[0] for row in CHECKS])
def test_search(web, typed, verdict, record):
    page = page_of(search(web, typed))
    assert re.search(rf"(?<!not ){verdict} SPF: ", page.text)
    found = [value for name, value in page.values.items() if name.startswith("record-")]
    assert found == ([record] if record else [])


def test_domain_page(web):
    page = page_of(web.get("/domain/tief.example"))
    for text in ("v=spf1 include:eins.example mx ~all", "v=spf1 a:relay.lemniscus.de -all", "a:relay.lemniscus.de",
                 "2 of 10 look-ups", "192.0.2.25", "No mail of this domain has been seen."):
        assert text in page.text
    page = page_of(web.get("/domain/gmx.de", Accept_Language="de"))
    assert "umgeschrieben" in page.text and "Zuerst gesehen" in page.text
    assert "gmx.de" in page.values["letter-text"]


def part(page, heading, end):
    """The text of a page from a heading to the next."""
    return page.text[page.text.index(heading):page.text.index(end, page.text.index(heading))]


def test_did_you_mean(web):
    page = page_of(web.get("/domain/praxis-onhe.de"))
    assert "Did you mean this domain? praxis-ohne.de" in page.text and "/domain/praxis-ohne.de" in page.links
    assert "Did you mean this domain? praxis-ohne.de" in page_of(search(web, "https://www.praxis-ohne.de/kontakt")).text
    assert "Did you mean" not in page_of(web.get("/domain/praxis-ohne.de")).text


def test_when_it_was_asked(web):
    page = page_of(web.get("/domain/praxis-ohne.de"))
    assert re.search(r"Asked \d+ \w{3} \d{4}, \d\d:\d\d\. Check again The milter may go by an older answer until "
                     r"\d+ \w{3} \d{4}, \d\d:\d\d, .*spfrom flush praxis-ohne\.de", page.text)
    assert "/domain/praxis-ohne.de" in page.links


def test_what_the_recipient_sees(web):
    text = part(page_of(web.get("/domain/praxis-ohne.de")), "What the recipient sees", "What DNS says now")
    assert "Anna Example <anna@praxis-ohne.de> Anna Example <noreply@lemniscus.de>" in text
    assert "Reply-To – Anna Example <anna@praxis-ohne.de>" in text
    text = part(page_of(web.get("/domain/praxis-mueller.de")), "What the recipient sees", "What DNS says now")
    assert "arrives as it was sent" in text and "noreply@lemniscus.de" not in text
    text = part(page_of(search(web, "berta@makros.example")), "What the recipient sees", "What DNS says now")
    assert "Reply-To – Anna Example <berta@makros.example>" in text


def test_last_messages(daemon, web):
    text = part(page_of(web.get("/domain/gmx.de")), "Last messages of this domain", "Mail of this domain")
    assert text.count("sender replaced") == 2 and text.count("fail") == 2 and "-all" in text
    assert "None of the last" in page_of(web.get("/domain/tief.example")).text


def test_letter(web):
    page = page_of(web.get("/domain/praxis-ohne.de", Accept_Language="de"))
    letter = page.values["letter-text"]
    [mail] = [link for link in page.links if link.startswith("mailto:")]
    link = urllib.parse.urlsplit(mail)
    fields = dict(pair.split("=", 1) for pair in link.query.split("&"))
    assert link.path == ""
    assert urllib.parse.unquote(fields["subject"]) == letter.split("\n")[0].split(": ", 1)[1]
    assert urllib.parse.unquote(fields["body"]) == letter.split("\n\n", 1)[1].replace("\n", "\r\n")
    assert "/letter/praxis-ohne.de" in page.links
    paper = page_of(web.get("/letter/praxis-ohne.de", Accept_Language="de"))
    assert all(line.strip() in " ".join(paper.parts) for line in letter.split("\n\n", 1)[1].splitlines())
    # Paragraphs have no line ends of their own there, so that they fill a screen of any width; what stands alone still does.
    shown = "".join(paper.parts)
    assert " ".join(letter.split("\n\n")[2].split("\n")) in shown
    assert "Mit freundlichen Grüßen\n" in shown and "\n\nv=spf1 ip4:192.0.2.25 ~all\n\n" in shown
    [mail] = [link for link in page_of(search(web, "a+b&c@makros.example")).links if link.startswith("mailto:")]
    assert mail.startswith("mailto:a%2Bb%26c@makros.example?subject=")


def test_tree_of_a_record(web):
    """The row that decides is marked; in an include that does not match, nothing is said to match."""
    answer = web.get("/domain/innen.example")
    tree = part(page_of(answer), "What was asked", "look-ups are used")
    assert tree.count("yes") == 1 and "~all yes, this decides" in tree and "-all yes" not in tree
    assert answer.text.count('class="decides"') == 1
    tree = part(page_of(web.get("/domain/tief.example")), "What was asked", "look-ups are used")
    assert re.search(r"include:eins\.example .* yes, this decides a:relay\.lemniscus\.de 1 yes", tree)


def test_address_without_macros_is_a_domain(web):
    assert web.get("/search?q=gmx.de").headers["Location"] == "/domain/gmx.de"
    assert web.get("/search?q=praxis-m%C3%BCller.de").headers["Location"] == "/domain/xn--praxis-mller-klb.de"


# typed, status of the page under /domain/
WRONG = [
    (HOSTILE, 404), ('"><img src=x onerror=alert(1)>', 404), ("\x1b[31m", 404), ("a b", 404), ("a..b", 404),
    ("x" * 300, 404), (".".join(["abcdefghi"] * 30), 404), ("x" * 1025, 414), ("a@b@c", 404),
    (f'"{HOSTILE}" <a@<b>', 404), ("\u202egmx.de", 404), ("../../etc/passwd", 404), ("\r\nSet-Cookie: a=b", 404),
]


@pytest.mark.parametrize("typed, status", WRONG, ids=[repr(row[0][:30]) for row in WRONG])
def test_no_domain(web, typed, status):
    for target, wanted in (("/domain/" + urllib.parse.quote(typed, safe=""), status),
                           ("/search?q=" + urllib.parse.quote_plus(typed), 414 if status == 414 else 200)):
        answer = web.get(target)
        page = page_of(answer, wanted)
        assert "Set-Cookie" not in answer.headers
        assert "img" not in page.tags[page.tags.index("main"):]
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", answer.text)
        if wanted != 414:
            assert "That is no domain" in page.text


def test_hostile_record(web):
    answer = web.get("/domain/hostile.example")
    page = page_of(answer)
    assert HOSTILE in page.text and HOSTILE not in answer.text
    assert "\\x1b[31mred\\x07\\u202e" in page.text
    assert HOSTILE in page_of(web.get("/domain/gmx.de")).text  # its DMARC record


def test_display_name(web):
    page = page_of(search(web, f'"{HOSTILE}" <anna@gmx.de>'))
    assert "Checked for: anna@gmx.de" in page.text
    assert page.values["q"] == f'"{HOSTILE}" <anna@gmx.de>'


def test_empty_search(web):
    for target in ("/search", "/search?q=", "/search?q=+++"):
        assert "Type a domain" in page_of(web.get(target)).text


@pytest.mark.parametrize("target", ["/x", "/domain/", "/assets/../server.c", "/search?q=%", "//", "/domain/%00"])
def test_not_found(web, target):
    assert "There is no such page." in page_of(web.get(target), 404).text


def test_headers(web):
    for target in ("/", "/domain/gmx.de", "/assets/spfrom.css", "/healthz", "/x"):
        headers = web.get(target).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_nothing_foreign(web):
    for target in ("/", "/domain/praxis-ohne.de"):
        for place in re.findall(r'(?:src|href|action)="([^"]*)"', web.get(target).text):
            assert place.startswith(("/", "#", "mailto:")) and not place.startswith("//")
    assert not re.search(r"url\(|@import", web.get("/assets/spfrom.css").text)


def test_assets(web):
    for name, kind in (("spfrom.css", "text/css"), ("spfrom.js", "text/javascript"), ("icon.svg", "image/svg+xml")):
        answer = web.get("/assets/" + name)
        assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind)
        assert "max-age" in answer.headers["Cache-Control"]
    assert web.get("/").headers["Cache-Control"] == "no-store"


def test_health_and_metrics(web):
    assert (web.get("/healthz").status, web.get("/healthz").text) == (200, "ok\n")
    answer = web.get("/metrics")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert 'spfrom_messages_total{action="rewrite"} 3' in answer.text
    assert answer.text.endswith("# EOF\n") and "spfrom_up" not in answer.text
    assert web.get("/metrics?up=1").text.split("spfrom_up 1\n")[1].splitlines()[0] == answer.text.splitlines()[0]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_read_only(web, method):
    answer = web.get("/", method=method)
    assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD"


def test_head(web):
    answer = web.get("/domain/gmx.de", method="HEAD")
    assert (answer.status, answer.body) == (200, b"") and int(answer.headers["Content-Length"]) > 1000


def test_long_target(web):
    assert web.get("/domain/" + "x" * 5000).status == 414
    assert raw(web, b"GET /" + b"x" * 200000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")[:12] in (b"", b"HTTP/1.1 414")


# Host, whether it is one of ours
HOSTS = [("localhost", True), ("127.0.0.1:1", True), ("[::1]", True), ("spfrom.example.org", True),
         ("evil.example", False), ("192.0.2.1", False), ("localhost.evil.example", False)]


@pytest.mark.parametrize("host, is_ours", HOSTS, ids=[row[0] for row in HOSTS])
def test_host(web, host, is_ours):
    for target in ("/", "/metrics", "/healthz", "/assets/spfrom.css"):
        assert web.get(target, Host=host).status == (200 if is_ours else 421)


def raw(web, octets):
    """What is answered to octets, up to the end of the connection; b"" where it is cut off."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=60) as connection:
        try:
            connection.sendall(octets)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except OSError:
            return b""


@pytest.mark.parametrize("octets", [
    b"\0\0\0 / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 100000,
    b"GET /\xff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
], ids=range(9))
def test_no_http(web, octets):
    assert b" 200 " not in raw(web, octets).split(b"\r\n")[0]
    assert web.get("/healthz").status == 200


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_password(daemon, tmp_path):
    file = tmp_path / "password"
    file.write_text("ops:geheim\n")
    file.chmod(0o600)
    with PrivateWeb(daemon, "--password-file", file) as web:
        for target in ("/", "/metrics", "/domain/gmx.de", "/assets/spfrom.css"):
            answer = web.get(target)
            assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Basic ")
            assert web.get(target, Authorization=basic("ops:falsch")).status == 401
            assert web.get(target, Authorization=basic("ops:geheim")).status == 200
        assert web.get("/healthz").status == 200


def test_password_of_the_service(daemon, directory, needs_root):
    """spfrom-web.service has an account of its own (DynamicUser) that is in the daemon's group, and reads the password by it."""
    unit = (paths.SRCDIR / "conf" / "spfrom-web.service.in").read_text()
    assert "DynamicUser=yes\nSupplementaryGroups=spfrom\n" in unit and "--password-file /etc/spfrom/web" in unit
    assert "install -m 640 -g spfrom /dev/null /etc/spfrom/web" in unit
    assert "install -m 640 -g spfrom /dev/null /etc/spfrom/web" in (paths.SRCDIR / "README.md").read_text()
    file = directory / "web" / "password"
    file.write_text("ops:geheim\n")
    as_service = ["setpriv", "--reuid=61234", "--regid=61234", "--groups=61235", "--no-new-privs", "--bounding-set=-all"]
    command = [*as_service, paths.TOOL, "-c", daemon.configuration_file, "web", "--listen", "127.0.0.1:0",
               "--password-file", file]
    os.chown(file, 0, 61235)
    file.chmod(0o600)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 78 and f"chgrp spfrom {file}; chmod 640 {file}" in done.stderr
    file.chmod(0o640)
    with PrivateWeb(daemon, "--password-file", file, before=as_service) as web:
        assert web.get("/").status == 401
        assert web.get("/", Authorization=basic("ops:geheim")).status == 200


@pytest.mark.parametrize("arguments, status, said", [
    (["--listen", "mail.example.org"], 2, "is no address"), (["--listen", "127.0.0.1:99999"], 2, "is no address"),
    (["--nonsense"], 2, "try: spfrom web --help"), (["more"], 2, "unexpected argument"),
    (["--listen", "192.0.2.77:0"], 69, "cannot listen at http://192.0.2.77:0/"),
    (["--password-file", "/nonexistent"], 78, "/nonexistent: No such file"),
])
def test_command_line(daemon, arguments, status, said):
    done = daemon.tool("web", *arguments, timeout=60)
    assert done.returncode == status and said in done.stderr


def test_help(daemon):
    done = daemon.tool("web", "--help")
    assert done.returncode == 0 and "--password-file" in done.stdout


def test_no_daemon_no_ledger(directory):
    daemon = Spfrom(directory / "web-alone", ZONE, ledger=directory / "web-alone" / "none.db")
    daemon.write_configuration()
    with PrivateWeb(daemon) as web:
        page = page_of(web.get("/"))
        assert "The daemon does not answer." in page.text and "the ledger can't be read" in page.text
        assert web.get("/healthz").status == 503 and web.get("/metrics").status == 503
        answer = web.get("/metrics?up=1")
        assert answer.status == 200 and answer.text.splitlines()[-2:] == ["spfrom_up 0", "# EOF"]
        assert "the ledger can't be read" in page_of(web.get("/domains")).text
        page = page_of(web.get("/domain/praxis-ohne.de"))
        assert "not authorised" in page.text and "The ledger can't be read." in page.text


def test_silent_daemon(directory):
    """Somebody holds the control socket and says nothing: pages come, and say so."""
    daemon = Spfrom(directory / "web-silent", ZONE)
    daemon.write_configuration()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(daemon.control_socket))
        listener.listen(100)
        with PrivateWeb(daemon) as web:
            assert "The daemon does not answer." in page_of(web.get("/")).text
            assert web.get("/healthz").status == 503


@pytest.fixture
def silent_dns(directory):
    with FaultyDns({"schnell.example": Txt(["v=spf1 ip4:192.0.2.25 -all"])}, otherwise=Silence()) as dns:
        daemon = Spfrom(directory / "web-dns", dns_servers=[dns.server], check_timeout="2s", dns_timeout="60s",
                        dns_trust_anchor="")
        daemon.write_configuration()
        with PrivateWeb(daemon) as web:
            yield web


def test_dns_that_never_answers(silent_dns):
    begin = time.monotonic()
    page = page_of(silent_dns.get("/domain/still.example"))
    assert "not known SPF: temperror" in page.text
    assert "does not answer" in page.text
    assert time.monotonic() - begin < 30  # all DNS together has check_timeout, 2 s; one question might take 60 s


def test_nothing_waits_for_a_tick(web):
    """What another thread has answered goes out at once, not when the loop looks around next (250 ms)."""
    def once():
        begin = time.monotonic()
        assert web.get("/healthz").status == 200
        return time.monotonic() - begin
    assert min(once() for _ in range(20)) < 0.2


def ask(web, target):
    """(status, headers) of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=120)
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        response.read()
        return response.status, response.headers
    finally:
        connection.close()


def test_crowd(web, daemon):
    """1,000 requests at once are all answered, and the daemon goes on as before."""
    targets = ["/", "/domains", "/domain/gmx.de", "/domain/praxis-ohne.de", "/assets/spfrom.css"] * 200
    with concurrent.futures.ThreadPoolExecutor(len(targets)) as crowd:
        answers = list(crowd.map(lambda target: ask(web, target), targets))
    statuses = {status for status, _ in answers}
    assert statuses <= {200, 503} and 200 in statuses
    assert all(headers["Retry-After"] for status, headers in answers if status == 503)
    assert web.get("/healthz").status == 200
    assert daemon.is_running()


def test_monitoring_beside_slow_overviews(directory):
    """Overviews that take for ever (the ledger is a pipe that nobody writes into) hold up neither /healthz nor /metrics."""
    ledger = directory / "web-slow" / "ledger.db"
    with Spfrom(directory / "web-slow", ZONE, ledger="") as daemon:
        os.mkfifo(ledger)
        daemon.settings["ledger"] = ledger  # for spfrom web: the daemon has none
        daemon.write_configuration()
        with PrivateWeb(daemon) as web, concurrent.futures.ThreadPoolExecutor(8) as crowd:
            pending = [crowd.submit(ask, web, f"/?days={days}") for days in (7, 30, 90, 365, 7, 30, 90, 365)]
            try:
                processes.wait_until(lambda: any(one.done() for one in pending), 30, "an overview that is refused")
                begin = time.monotonic()
                assert [ask(web, target)[0] for target in ("/healthz", "/metrics", "/healthz")] == [200, 200, 200]
                assert time.monotonic() - begin < 1.5  # a turn is waited for 2 s
            finally:
                ends = os.open(ledger, os.O_RDWR)  # and nothing waits any longer
            assert sorted(one.result()[0] for one in pending) == [200] * 2 + [503] * 6
            os.close(ends)


def test_crowd_at_silent_dns(silent_dns):
    """More questions than there are threads for, of a DNS that never answers: others are answered meanwhile."""
    with concurrent.futures.ThreadPoolExecutor(100) as crowd:
        pending = [crowd.submit(ask, silent_dns, f"/domain/still{number}.example") for number in range(100)]
        processes.wait_until(lambda: any(one.done() for one in pending), 60, "a first answer")
        assert silent_dns.get("/search").status == 200
        answers = [one.result() for one in pending]
    statuses = [status for status, _ in answers]
    assert set(statuses) == {200, 503}
    assert all(headers["Retry-After"] for status, headers in answers if status == 503)


def test_slow_loris(web):
    """As many as may be connected send a beginning and no more: others are served, and the first make room."""
    beginning = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "
    crowd = []
    try:
        for _ in range(1600):
            crowd.append(socket.create_connection(("127.0.0.1", web.port), timeout=60))
            crowd[-1].sendall(beginning)
        assert web.get("/", timeout=60).status == 200
        assert crowd[0].recv(1) == b""
    finally:
        for one in crowd:
            one.close()
    assert web.get("/healthz").status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop(daemon, number):
    web = PrivateWeb(daemon)
    web.start()
    assert web.get("/healthz").status == 200
    web.process.send_signal(number)
    assert web.process.wait(30) == 0
