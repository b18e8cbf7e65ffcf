"""The pages in a real browser, opened from their folder as a person would."""

from __future__ import annotations

import csv
import re
import shutil
from itertools import combinations

import numpy as np
import pytest

from hybridcolor.compare import Method, compare, find_cases
from hybridcolor.compare.blind import tally

from .pictures import colour_photo, save

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright to test pages in a browser")

BROWSERS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
NASTY = 'a "b" & <i>c #1?%20'
SHOWN = "document.querySelector('.pair.shown') !== null"
METHODS = ["gray", "cnn", "watershed"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A report on four pictures, one with a name that HTML and addresses choke on."""
    root = tmp_path_factory.mktemp("pages")
    photos = save(root / "photos", **{name: colour_photo(i) for i, name in enumerate(["one", "two", "three", NASTY])})
    theirs = save(root / "theirs", **{path.stem: colour_photo(9) for path in photos.iterdir()})
    cases = find_cases([photos], results={"<b>theirs</b>": theirs})
    compare(cases, [Method.parse(name) for name in METHODS], root / "report", blind=True)
    return root / "report"


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with playwright.sync_playwright() as driver:
        try:
            found = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except playwright.Error:
            pytest.skip("no Chromium here; on Debian: apt-get install chromium-headless-shell")
        yield found
        found.close()


@pytest.fixture
def page(browser, folder):
    """A page that may not complain, nor ask for anything outside the report's folder."""
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    trouble = []

    def failed(request):
        if request.failure != "net::ERR_ABORTED":  # of a picture that was left, or closed, before it had come
            trouble.append(f"failed: {request.url}: {request.failure}")

    inside = (folder.as_uri(), "data:", "blob:")
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("requestfailed", failed)
    page.on("request", lambda request: request.url.startswith(inside) or trouble.append(request.url))
    yield page
    context.close()
    assert trouble == []


def right(page):
    return page.locator("#right-image").get_attribute("src")


def test_numbers_switch_methods_and_arrows_pictures(page, folder):
    page.goto((folder / "index.html").as_uri())
    assert page.title().startswith("4 methods on 4 pictures")
    assert right(page).endswith("/cnn.jpg")
    page.keyboard.press("3")
    assert right(page).endswith("/watershed.jpg")
    assert page.locator("[data-method='2']").get_attribute("aria-pressed") == "true"
    assert page.locator("[data-method='1']").get_attribute("aria-pressed") == "false"
    first = page.locator("#place").inner_text()
    page.keyboard.press("ArrowRight")
    assert (first, page.locator("#place").inner_text()) == ("1 of 4", "2 of 4")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#place").inner_text() == "4 of 4"
    page.keyboard.press("9")
    assert right(page).endswith("/watershed.jpg")
    page.keyboard.press("g")
    assert page.locator("#left-image").get_attribute("src").endswith("/_gray.jpg")
    page.keyboard.press("m")
    assert right(page).endswith("/watershed.error.jpg")
    assert page.locator("#scale").is_visible()
    page.keyboard.press("p")
    page.keyboard.press("1")
    page.keyboard.press("b")
    assert page.locator("#left-image").get_attribute("src").endswith("/watershed.jpg")


def test_the_slider_moves_by_mouse_and_by_keys(page, folder):
    page.goto((folder / "index.html").as_uri())
    stage, line = page.locator("#stage").bounding_box(), page.locator("#line")

    def share():
        box = line.bounding_box()
        return (box["x"] + box["width"] / 2 - stage["x"]) / stage["width"]

    assert share() == pytest.approx(0.5, abs=0.01)
    middle = stage["y"] + stage["height"] / 2
    page.mouse.move(stage["x"] + stage["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"] * 0.2, middle, steps=5)
    page.mouse.up()
    assert share() == pytest.approx(0.2, abs=0.02)
    clip = page.evaluate("getComputedStyle(document.getElementById('left-image')).clipPath")
    assert float(re.fullmatch(r"inset\(0px ([0-9.]+)% 0px 0px\)", clip)[1]) == pytest.approx(80, abs=2)
    page.keyboard.press("ArrowRight")  # after a drag the arrows are for pictures
    assert page.locator("#place").inner_text() == "2 of 4"
    page.locator("#slider").focus()
    page.keyboard.press("End")
    assert share() == pytest.approx(1, abs=0.01)
    page.keyboard.press("ArrowLeft")
    assert 0.97 < share() < 1
    assert page.locator("#place").inner_text() == "2 of 4"
    page.keyboard.press("3")
    assert right(page).endswith("/watershed.jpg")


def test_every_image_loads_and_has_words(page, folder):
    page.goto((folder / "index.html").as_uri())
    for _ in range(4):
        for key in "1234m":
            page.keyboard.press(key)
            page.wait_for_function("[...document.images].every((image) => image.complete)")
        page.keyboard.press("p")
        page.keyboard.press("ArrowRight")
    page.locator("#thumbs").scroll_into_view_if_needed()
    page.wait_for_function("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert page.evaluate("[...document.images].every((image) => image.alt.length >= 3)")
    assert page.locator("#thumbs img[loading=lazy]").count() == 4


def test_the_chosen_picture_is_in_sight_among_the_small_ones(page, folder):
    page.set_viewport_size({"width": 200, "height": 900})  # two in a row, two rows
    page.goto((folder / "index.html").as_uri())
    page.add_style_tag(content=".thumbs { max-height: 60px }")
    for place in ("2 of 4", "3 of 4", "4 of 4", "1 of 4"):
        page.keyboard.press("ArrowRight")
        assert page.locator("#place").inner_text() == place
        box, chosen = (page.locator(name).bounding_box() for name in ("#thumbs", "#thumbs [aria-pressed=true]"))
        middle = chosen["y"] + chosen["height"] / 2
        assert box["y"] <= middle <= box["y"] + box["height"]


def test_names_are_text_and_nothing_else(page, folder):
    page.goto((folder / "index.html").as_uri())
    page.locator("#thumbs button", has=page.get_by_alt_text(NASTY, exact=True)).click()
    assert NASTY in page.locator("#caption").inner_text()
    assert page.locator("b, i:not([class]):not(.scale i)").count() == 0
    assert "<b>theirs</b>" in page.locator("table.means thead").inner_text()


def test_worst_first_is_worst_first(page, folder):
    page.goto((folder / "index.html").as_uri())
    page.locator("#order").select_option(label="worst first: PSNR, dB")
    page.locator("#table thead button", has_text="cnn").click()
    column = [float(text) for text in page.locator("#table tbody tr td:nth-child(3)").all_inner_texts()]
    assert column == sorted(column)
    assert len(set(column)) == 4
    worst = page.locator("#table tbody tr").first.locator("th").inner_text()
    assert page.locator("#caption").inner_text().startswith(worst)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(browser, folder, scheme):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto((folder / "index.html").as_uri())
    colours = page.evaluate(
        """[...document.querySelectorAll("p, th, td small, a, .plot text, label")].map((element) =>
            [getComputedStyle(element).color, getComputedStyle(element).fill, element.tagName])"""
    )
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for color, fill, tag in colours:
        assert contrast(fill if tag == "text" else color, paper) >= 4.5, (tag, color, fill)
    context.close()


def contrast(first, second):
    """The contrast ratio of WCAG 2.2."""

    def luminance(text):
        channels = np.array([float(part) for part in text[text.index("(") + 1 : -1].split(",")[:3]]) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def take_test(page, folder, participant, *, count, question="real", key="ArrowLeft"):
    page.goto((folder / "blind.html").as_uri())
    page.fill("#participant", participant)
    page.select_option("#question", question)
    page.fill("#count", str(count))
    page.click("text=Begin")
    for number in range(count):
        page.wait_for_function(f"document.getElementById('place').textContent.startsWith('{number + 1} of')")
        page.wait_for_function(SHOWN)
        page.wait_for_timeout(40)
        page.keyboard.press(key)
    page.wait_for_selector("#end:not([hidden])")
    page.click("summary")


def saved(page, path):
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(path)
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_blind_test_from_start_to_tally(page, folder, tmp_path):
    take_test(page, folder, 'Anna "1", x', count=6)
    shown = page.locator("#result tr").all_inner_texts()[1:]
    rows = saved(page, tmp_path / "anna.csv")
    assert len(rows) == 6
    assert all(row["chosen"] == row["left"] and "truth" in (row["left"], row["right"]) for row in rows)
    assert {row["left"] for row in rows} - {"truth"}
    assert all("gray" not in (row["left"], row["right"]) for row in rows)
    for line in tally([tmp_path / "anna.csv"]):
        cells = [line.method, line.against, f"{line.wins} of {line.trials}", f"{line.wins / line.trials:.1%}"]
        assert "\t".join([*cells, f"{line.low:.1%} to {line.high:.1%}"]) in shown


def test_the_same_code_gives_the_same_order_and_another_another(page, folder, tmp_path):
    orders = []
    for number, code in enumerate(["anna", "anna", "bert"]):
        take_test(page, folder, code, count=4, question="better", key="ArrowRight")
        rows = saved(page, tmp_path / f"{number}.csv")
        assert all(row["chosen"] == row["right"] for row in rows)
        orders.append([(row["picture"], row["left"], row["right"]) for row in rows])
    assert orders[0] == orders[1] != orders[2]
    assert len({picture for picture, *_ in orders[0]}) == 4  # every picture once before any comes again


def test_pairs_take_turns_where_they_are_more_than_the_pictures(page, folder, tmp_path):
    photos = save(tmp_path / "photos", one=colour_photo(0), two=colour_photo(1))
    results = {name: save(tmp_path / name, one=colour_photo(2), two=colour_photo(3)) for name in ("a", "b", "c", "d")}
    compare(find_cases([photos], results=results), [], folder / "few", blind=True)
    for count in (6, 12):
        take_test(page, folder / "few", "anna", count=count, question="better")
        rows = saved(page, tmp_path / f"{count}.csv")
        pairs = [tuple(sorted((row["left"], row["right"]))) for row in rows]
        assert {pairs.count(pair) for pair in combinations("abcd", 2)} == {count // 6}
        assert len(set(zip(pairs, (row["picture"] for row in rows), strict=True))) == count


def test_pictures_vanish_and_the_answer_still_counts(page, folder):
    page.goto((folder / "blind.html").as_uri())
    page.fill("#participant", "x")
    page.fill("#seconds", "0.2")
    page.click("text=Begin")
    page.wait_for_function(SHOWN)
    page.wait_for_function(f"!({SHOWN})")
    assert page.evaluate("getComputedStyle(document.getElementById('left')).visibility") == "hidden"
    page.click("[data-answer=right]")
    page.wait_for_function("document.getElementById('place').textContent.startsWith('2 of')")
    page.click("#stop")
    assert page.locator("#result tr").count() == 2
