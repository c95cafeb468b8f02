"""`spfrom web` in Chromium: contrib/check --browser, or --all. SPFROM_SCREENSHOTS names a directory that keeps the pictures."""

import contextlib
import itertools
import os
from pathlib import Path

import pytest

from lab import browser as chromium
from lab import ledger_history
from lab import private_store
from lab import processes
from conftest import need
from lab.control_client import ask_control
from lab.private_store import PrivateStore
from lab.private_web import PrivateWeb
from lab.spfrom import Spfrom
from web_test import HOSTILE, ZONE, seen

PAGES = {"overview": "/", "domains": "/domains", "broken": "/domain/praxis-am-see.de",
         "letter": "/letter/praxis-ohne.de", "letters": "/letters", "changes": "/changes", "authorised": "/domain/praxis-mueller.de",
         "publish": "/domain/praxis-ohne.de", "provider": "/domain/gmx.de", "extend": "/domain/tief.example",
         "merge": "/domain/praxis-doppelt.de", "hostile": "/domain/hostile.example", "trouble": "/domain/praxis-langsam.de",
         "wrong": "/search?q=%3Cscript%3Ealert(1)%3C/script%3E", "search": "/search", "nothing": "/nothing?"}
SHOWN = list(itertools.product((1280, 390, 320), ("en", "de"), ("light", "dark")))
DUTY = "is for contrib/check --browser"


@pytest.fixture(scope="module")
def web(directory, is_browser_wanted):
    if not is_browser_wanted:
        pytest.skip(DUTY)
    ledger = directory / "browser" / "ledger.db"
    with Spfrom(directory / "browser", ZONE, ledger=ledger) as daemon:
        processes.wait_until(lambda: seen(ledger) is not None, 20, "the ledger")
        ledger_history.write(ledger)
        ledger_history.write_letters(ledger.with_name("letters.db"))
        assert daemon.tool("watch", "--rate", "1000").returncode in (0, 1, 75)
        ledger_history.write_changes(ledger.with_name("watch.db"))
        with PrivateWeb(daemon) as web:
            yield web


@pytest.fixture(scope="module")
def browser(tmp_path_factory, is_browser_wanted):
    if not is_browser_wanted:
        pytest.skip(DUTY)
    need(chromium.why_not())
    with chromium.Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def pictures(tmp_path):
    place = Path(os.environ.get("SPFROM_SCREENSHOTS") or tmp_path)
    place.mkdir(exist_ok=True)
    return place


def open_page(browser, web, target, language="en"):
    browser.open(web.url.rstrip("/") + target + ("&" if "?" in target else "?") + "lang=" + language)


# The contrast of each text with what is behind it (WCAG 2.2, 1.4.3), where it is less than wanted.
CONTRAST = """
const luminance = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const numbers = text => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
const ground = element => {
  for (let e = element; e; e = e.parentElement) {
    const colour = numbers(getComputedStyle(e).backgroundColor);
    if (colour[3] === 1) return colour;
  }
  throw new Error("no ground");
};
const low = [];
let least = 21;
for (const element of document.querySelectorAll("body, body *")) {
  const has_text = [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || element.value;
  if (!has_text || element.closest("svg") || !element.checkVisibility()) continue;
  const style = getComputedStyle(element);
  const [a, b] = [luminance(numbers(style.color)), luminance(ground(element))].sort((x, y) => y - x);
  const contrast = (a + 0.05) / (b + 0.05);
  const size = parseFloat(style.fontSize);
  const is_large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  least = Math.min(least, contrast);
  if (contrast < (is_large ? 3 : 4.5)) low.push([element.tagName, element.className, contrast]);
}
return [low, least];
"""

# What assistive technology needs and this page lacks.
LACKING = """
const lacking = [];
const all = selector => [...document.querySelectorAll(selector)];
if (!document.documentElement.lang) lacking.push("lang");
if (!document.title) lacking.push("title");
if (all("h1").length !== 1) lacking.push("one h1");
if (all("main").length !== 1) lacking.push("one main");
for (const e of all("input:not([type=hidden]), select, textarea")) if (!e.labels.length) lacking.push("a label of " + e.id);
for (const e of all("img")) if (!e.hasAttribute("alt")) lacking.push("alt of " + e.src);
for (const e of all("a, button, summary"))
  if (!e.textContent.trim() && !e.getAttribute("aria-label")) lacking.push("a name of " + e.outerHTML);
for (const e of all("th")) if (!e.scope) lacking.push("scope of " + e.textContent);
for (const e of all("svg:not([aria-hidden])")) if (!e.getAttribute("aria-label")) lacking.push("a name of an svg");
for (const name of ["aria-labelledby", "for", "data-copy"])
  for (const e of all(`[${name}]`))
    if (!document.getElementById(e.getAttribute(name))) lacking.push(`what ${name} ${e.getAttribute(name)} names`);
const ids = all("[id]").map(e => e.id);
if (new Set(ids).size !== ids.length) lacking.push("unique ids");
let level = 0;
for (const e of all("h1, h2, h3, h4")) {
  const next = Number(e.tagName[1]);
  if (next > level + 1) lacking.push("a heading above " + e.textContent);
  level = next;
}
return lacking;
"""


def look_at(browser, web, pictures, name, target):
    """A page at each width, in each language and scheme: nothing is blocked, cut off, or hard to read."""
    for width, language, scheme in SHOWN:
        browser.show(width, 900, scheme)
        open_page(browser, web, target, language)
        assert [line for line in browser.console() if name != "nothing" or "404" not in line] == []
        assert browser.run("return document.documentElement.lang") == language
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert browser.run("return getComputedStyle(document.body).backgroundColor") not in ("rgba(0, 0, 0, 0)",)
        low, least = browser.run(CONTRAST)
        assert low == [], f"{width} {language} {scheme}"
        assert browser.run(LACKING) == []
        browser.screenshot(pictures / f"{name}-{width}-{language}-{scheme}.png")
        print(f"{name} {width} {language} {scheme}: least contrast {least:.2f}")


@pytest.mark.parametrize("name", PAGES)
def test_page(browser, web, pictures, name):
    look_at(browser, web, pictures, name, PAGES[name])


def told(host):
    """The mode of each host, in what it differs, and whether it stopped."""
    return {row["host"]: (row["mode"], row["differs"], row["stopped"]) for row in ask_control(host, "fleet")["hosts"]}


def test_fleet(browser, pictures, directory):
    """Three hosts, one of which differs and one of which stopped; then the store is killed."""
    need(private_store.why_not())
    place = directory / "browser-fleet"
    place.mkdir()
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(PrivateStore(place / "store"))
        one, two, three, four = (stack.enter_context(Spfrom(
            place / f"mx{i}", ZONE, fleet=[f"redis://127.0.0.1:{store.port}"], hostname=f"mx{i}.mail.lemniscus.de", ledger="",
            reply_to="never" if i == 3 else "add")) for i in range(1, 5))
        two.tool("mode", "log-only", "--here")
        four.stop()
        wanted = [("log-only", [], False), ("rewrite", ["reply_to"], False), ("rewrite", [], True)]
        processes.wait_until(lambda: [told(one).get(f"mx{i}.mail.lemniscus.de") for i in (2, 3, 4)] == wanted, 30, "the four")
        web = stack.enter_context(PrivateWeb(one))
        look_at(browser, web, pictures, "fleet", "/fleet")
        store.kill()
        processes.wait_until(lambda: ask_control(one, "status")["fleet"]["up"] is False, 30, "the store to be missed")
        look_at(browser, web, pictures, "fleet-away", "/fleet")
        look_at(browser, web, pictures, "fleet-overview", "/")


def test_report(browser, web, pictures, tmp_path):
    """The page that `spfrom report --html` writes, opened as a file: its table fits, and it names nothing but itself."""
    for language in ("en", "de"):
        assert web.daemon.tool("report", "--html", tmp_path / f"{language}.html", "--lang", language).returncode == 0
    for width, language, scheme in SHOWN:
        browser.show(width, 900, scheme)
        browser.open((tmp_path / f"{language}.html").as_uri())
        assert browser.console() == []
        assert browser.run("return document.documentElement.lang") == language
        assert browser.run("return document.documentElement.scrollWidth") <= width
        wide = browser.run("""return [...document.querySelectorAll(".scroll")].filter(
                                  e => e.checkVisibility() && e.scrollWidth > e.clientWidth).map(e => e.outerHTML)""")
        assert wide == [], f"{width} {language}"
        low, _ = browser.run(CONTRAST)
        assert low == [], f"{width} {language} {scheme}"
        assert browser.run(LACKING) == []
        browser.run("""const script = document.createElement("script"); script.textContent = "window.evil = 1";
                       document.body.append(script);""")
        assert browser.run("return window.evil") is None and len(browser.console()) == 1
        browser.screenshot(pictures / f"report-{width}-{language}-{scheme}.png")


def test_console_tells_what_is_blocked(browser, web):
    """The other tests see nothing blocked because nothing is, and not because they look in the wrong place."""
    browser.show()
    open_page(browser, web, "/")
    assert browser.console() == []
    browser.run("""const e = document.createElement("div"); e.setAttribute("style", "color: red");
                   document.body.append(e); const s = document.createElement("script"); s.textContent = "window.evil = 1";
                   document.body.append(s);""")
    assert len([line for line in browser.console() if "Content Security Policy" in line]) == 2
    assert browser.run("return window.evil") is None


def type_and_send(browser, text):
    from selenium.webdriver.common.keys import Keys
    field = browser.find("#q")
    field.clear()
    field.send_keys(text, Keys.ENTER)


def test_sign_of_life(browser, web):
    """Who asks for a domain is told that DNS is being asked, and no longer when back on the page."""
    browser.show(320, 800)
    open_page(browser, web, "/", "de")
    said = browser.run("""document.forms[0].addEventListener("submit", event => event.preventDefault());
                          document.getElementById("q").value = "gmx.de"; document.forms[0].requestSubmit();
                          return document.getElementById("asking").textContent;""")
    assert said == ""
    processes.wait_until(lambda: browser.find("#asking").text.startswith("Das DNS wird gefragt."), 20, "a sign of life")
    assert browser.run("return document.documentElement.scrollWidth") <= 320
    browser.run("window.dispatchEvent(new Event('pageshow'))")
    assert not browser.find("#asking").is_displayed()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_form(browser, web, scripts):
    browser.show(390, 800, scripts=scripts)
    open_page(browser, web, "/")
    type_and_send(browser, "praxis-ohne.de")
    processes.wait_until(lambda: browser.driver.current_url.endswith("/domain/praxis-ohne.de"), 30, "the page")
    assert browser.find("h1").text == "praxis-ohne.de"
    assert browser.find(".record textarea").get_attribute("value") == "v=spf1 ip4:192.0.2.25 ~all"
    assert browser.find(".record button").is_displayed() is scripts
    browser.find("nav.languages a[lang=de]").click()
    assert browser.find(".verdict .badge").text == "nicht autorisiert"
    type_and_send(browser, HOSTILE)
    processes.wait_until(lambda: "/search?q=" in browser.driver.current_url, 30, "the page")
    assert browser.find(".notice .detail").text == HOSTILE
    assert browser.find("h1").text == "Das ist keine Domain"  # the choice of language was kept


def test_copy(browser, web):
    browser.show()
    browser.driver.execute_cdp_cmd("Browser.grantPermissions",
                                   {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    open_page(browser, web, "/domain/praxis-ohne.de")
    browser.find(".record button").click()
    processes.wait_until(lambda: browser.find(".record [role=status]").text == "Copied.", 20, "Copied.")
    assert browser.driver.execute_async_script(
        "navigator.clipboard.readText().then(arguments[0], arguments[0])") == "v=spf1 ip4:192.0.2.25 ~all"
    assert browser.console() == []


def test_keyboard(browser, web):
    """The first key leads past the head of the page; where the focus is can be seen everywhere."""
    from selenium.webdriver.common.keys import Keys
    browser.show()
    open_page(browser, web, "/domain/praxis-ohne.de")

    def press(key):
        browser.driver.switch_to.active_element.send_keys(key)
        return browser.driver.switch_to.active_element

    first = press(Keys.TAB)
    assert first.get_attribute("class") == "skip" and browser.run("return arguments[0].getBoundingClientRect().top", first) >= 0
    assert press(Keys.ENTER).get_attribute("id") == "main"
    browser.run("document.activeElement.blur()")
    open_page(browser, web, "/domain/praxis-ohne.de")
    reached = []
    for _ in range(40):
        element = press(Keys.TAB)
        if element.tag_name == "body":
            break
        assert browser.run("return getComputedStyle(arguments[0]).outlineStyle", element) != "none", element.tag_name
        reached.append(element.get_attribute("id") or element.text)
    for name in ("q", "Check", "Deutsch", "Overview", "Copy the record", "90 days"):
        assert name in reached
