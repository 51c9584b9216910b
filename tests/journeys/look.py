"""What is asked of every page: it says what it is, fits a small screen, and can be used by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page

WIDE, NARROW = 1280, 320
TITLE = re.compile(r"(?P<wrong>Error: )?(?P<words>.+) – Child protection conference dissent( – \w+ Council)?")

# What Tab comes to, in the order of the document. Of radio buttons with one name it is one.
STOPS = """() => {
  const groups = new Set();
  const every = "a[href], button, input, select, textarea, summary, [tabindex]";
  return [...document.querySelectorAll(every)].filter(one => {
    if (one.disabled || one.type === "hidden" || one.tabIndex < 0) return false;
    if (!one.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true })) return false;
    if (one.type !== "radio") return true;
    const group = [...document.getElementsByName(one.name)];
    const stop = group.find(each => each.checked) || group[0];
    return one === stop;
  });
}"""

SAYS = "one => `${one.tagName} ${one.name || one.textContent.trim().slice(0, 40)}`"

# Notes each element that takes focus, and whether that can be seen.
WATCH = f"""() => {{
  const body = document.body;
  body.tabIndex = -1;
  body.focus();
  body.removeAttribute("tabindex");
  const stops = ({STOPS})();
  const SHOWS = ["outlineStyle", "outlineWidth", "boxShadow", "backgroundColor", "borderColor"];
  const parts = one => [
    [one, null],
    [one, "::before"],
    ...[...(one.labels || [])].map(label => [label, "::before"]),
    ...[...one.children].map(child => [child, null]),
  ];
  const look = one => parts(one).map(([part, pseudo]) => {{
    const style = getComputedStyle(part, pseudo);
    return SHOWS.map(key => style[key]).join();
  }}).join("|");
  const before = new Map(stops.map(one => [one, look(one)]));
  window.walked = [];
  document.addEventListener("focusin", event => {{
    const one = event.target, box = one.getBoundingClientRect();
    window.walked.push({{
      place: stops.indexOf(one),
      says: ({SAYS})(one),
      seen: look(one) !== before.get(one) && box.width > 0 && box.bottom > 0 && box.top < innerHeight,
    }});
  }});
  return stops.map({SAYS});
}}"""

# Text that sticks out of the screen, or is cut off by what it stands in.
CUT_OFF = """() => {
  const faults = [], width = document.documentElement.scrollWidth;
  if (width > innerWidth) faults.push(`the page is ${width} wide`);
  const unseen = ".govuk-visually-hidden, .govuk-skip-link, thead, script, select, textarea";
  const hidden = one => one.closest(unseen);
  const clips = one => getComputedStyle(one).overflow !== "visible";
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode, parent = node.parentElement, says = node.data.trim();
    if (!says || hidden(parent) || !parent.checkVisibility({ contentVisibilityAuto: true })) continue;
    const frames = [];
    for (let one = parent; one !== document.body; one = one.parentElement)
      if (clips(one)) frames.push(one.getBoundingClientRect());
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.right > innerWidth + 1 || box.left < -1) faults.push(`sticks out: ${says}`);
      const outside = frame => box.right > frame.right + 1 || box.left < frame.left - 1
        || box.bottom > frame.bottom + 1 || box.top < frame.top - 1;
      if (frames.some(outside)) faults.push(`cut off: ${says}`);
    }
  }
  return faults;
}"""

# In one column, whatever comes next stands below or beside.
OUT_OF_ORDER = f"""() => {{
  const stops = ({STOPS})().filter(one => !one.matches(".govuk-skip-link"));
  const top = one => one.getBoundingClientRect().top;
  return stops.filter((one, place) => place && top(one) < top(stops[place - 1]) - 24).map({SAYS});
}}"""

SPACED = """
  * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
  p { margin-bottom: 2em !important; }
"""
"""The spacing that a reader may set for themselves (WCAG 1.4.12)."""


def land(page: Page, link_or_button: Locator) -> None:
    """Press it and wait until the page that it leads to is there: a click alone does not wait."""
    with page.expect_navigation():
        link_or_button.click()


def look_at(page: Page, accessible: Callable[[Page], None], *, wrong: bool = False) -> None:
    """Ask everything of the page that is open, at both widths."""
    says_what_it_is(page, wrong=wrong)
    accessible(page)
    goes_by_tab(page)
    fits(page)


def says_what_it_is(page: Page, *, wrong: bool = False) -> None:
    title = page.title()
    found = TITLE.fullmatch(title)
    assert found, f"{page.url} is called {title!r}"
    assert bool(found["wrong"]) == wrong, f"{page.url} is called {title!r}"
    headings = page.locator("h1").all_inner_texts()
    assert len(headings) == 1, f"{page.url} has the headings {headings}"
    assert headings[0].strip()


def goes_by_tab(page: Page) -> None:
    """Walk through the page with Tab: everything once, in order, to be seen, and out; then skip the head."""
    stops = page.evaluate(WATCH)
    for _ in stops:
        page.keyboard.press("Tab")
    walked = page.evaluate("window.walked")
    assert [each["place"] for each in walked] == list(range(len(stops))), (
        f"{page.url}: Tab goes {[each['says'] for each in walked]}, not {stops}"
    )
    unseen = [each["says"] for each in walked if not each["seen"]]
    assert not unseen, f"{page.url}: nobody sees that {unseen} have focus"
    assert not page.locator("[tabindex]:not([tabindex='0'], [tabindex='-1'])").count()
    page.locator(".govuk-skip-link").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main-content", (
        f"{page.url}: the skip link skips nothing"
    )


def fits(page: Page) -> None:
    """See that nothing sticks out or is cut off on a small screen, as at 400 % zoom (WCAG 1.4.10)."""
    page.set_viewport_size({"width": NARROW, "height": 900})
    faults = [*page.evaluate(CUT_OFF), *(f"out of order: {one}" for one in page.evaluate(OUT_OF_ORDER))]
    page.set_viewport_size({"width": WIDE, "height": 900})
    assert not faults, f"{page.url} at {NARROW} pixels: {faults}"


def fits_when_spaced(page: Page) -> None:
    page.evaluate("css => document.adoptedStyleSheets.push(Object.assign(new CSSStyleSheet(), {}))", SPACED)
    page.evaluate("css => document.adoptedStyleSheets.at(-1).replaceSync(css)", SPACED)
    faults = page.evaluate(CUT_OFF)
    assert not faults, f"{page.url} with a reader's own spacing: {faults}"
    fits(page)
