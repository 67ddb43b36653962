"""The page of `npfill paint` in a browser: painted, filled, looked at, undone and saved."""

import json
import shlex
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from npfill.paint import server as serving
from tests.cli.conftest import Command
from tests.cli.test_paint import Page

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
By = pytest.importorskip("selenium.webdriver.common.by").By
Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
Wait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium with its driver"),
]
_ARGUMENTS = (
    "headless=new no-sandbox disable-gpu disable-quic no-first-run disable-component-update "
    "disable-background-networking disable-sync disable-dev-shm-usage window-size=1280,800"
)


class Browser:
    """A browser on a page, by what a person does there."""

    def __init__(self, driver: Any, address: str) -> None:
        self.driver = driver
        driver.get(address)
        self.until(lambda: "there" in self["paper"].get_attribute("class"))
        assert "pixels" in self["status"].text or self["status"].text == "Ready."

    def __getitem__(self, name: str) -> Any:
        return self.driver.find_element(By.ID, name)

    def until(self, true: Callable[[], object]) -> None:
        Wait(self.driver, 60, 0.02).until(lambda _: true())

    def stroke(self, *points: tuple[int, int]) -> None:
        """Drag from one pixel of the picture to others, once it is in sight and rests."""
        where = (
            "const picture = document.getElementById('before');"
            "picture.scrollIntoView({block: 'nearest'});"
            "const box = picture.getBoundingClientRect();"
            "return [box.width / picture.naturalWidth, box.left, box.top]"
        )
        seen = [None, self.driver.execute_script(where)]
        while seen[-1] != seen[-2]:
            seen.append(self.driver.execute_script(where))
        scale, left, top = seen[-1]
        places = [(round(left + x * scale), round(top + y * scale)) for x, y in points]
        actions = webdriver.ActionChains(self.driver, duration=5)
        for number, (x, y) in enumerate(places):
            actions.w3c_actions.pointer_action.move_to_location(x, y)
            if number == 0:
                actions.w3c_actions.pointer_action.pointer_down()
        actions.w3c_actions.pointer_action.pointer_up()
        actions.perform()

    def keys(self, *keys: str) -> None:
        webdriver.ActionChains(self.driver, duration=5).send_keys(*keys).perform()

    def control(self, key: str, *others: str) -> None:
        """Press a key with Control, and others, held down."""
        actions, held = webdriver.ActionChains(self.driver, duration=5), (Keys.CONTROL, *others)
        for each in held:
            actions.key_down(each)
        actions.send_keys(key)
        for each in held:
            actions.key_up(each)
        actions.perform()

    def tab_to(self, name: str) -> None:
        """Press Tab until an element has the focus."""
        for _ in range(60):
            if self.driver.switch_to.active_element.get_attribute("id") == name:
                return
            self.keys(Keys.TAB)
        raise AssertionError(f"Tab never reaches {name}")

    def event(self, name: str, **how: object) -> None:
        """A single event of a mouse or pen, or of fingers."""
        self.driver.execute_cdp_cmd(f"Input.dispatch{name}Event", how)

    def slide(self, name: str, value: int) -> None:
        script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
        self.driver.execute_script(script, self[name], value)

    def filled(self) -> None:
        self.until(lambda: self["result"].is_displayed() and not self["progress"].is_displayed())

    def save(self, button: str = "saveResult") -> list[Path]:
        self[button].click()
        self.until(lambda: self["status"].text.startswith("Saved"))
        return [Path(name) for name in self["status"].text.removeprefix("Saved ").split(" and ")]

    def page(self, button: str) -> None:
        """Go to another picture, and wait until it is there."""
        self[button].click()
        self.until(lambda: page_is_there(self))

    def painted(self) -> int:
        """The number of pixels that are painted."""
        script = (
            "const mask = document.getElementById('mask'), { width, height } = mask;"
            "const context = new OffscreenCanvas(width, height).getContext('2d');"
            "context.drawImage(mask, 0, 0);"
            "const { data } = context.getImageData(0, 0, width, height);"
            "return data.filter((value, at) => at % 4 === 3 && value).length"
        )
        return int(self.driver.execute_script(script))

    def warns(self) -> bool:
        """True if a person who leaves is asked first, as something is not saved."""
        script = (
            "const leaving = new Event('beforeunload', {cancelable: true});"
            "dispatchEvent(leaving); return leaving.defaultPrevented"
        )
        return bool(self.driver.execute_script(script))

    def opacity(self) -> float:
        return float(self["veil"].value_of_css_property("opacity"))


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in [*_ARGUMENTS.split(), f"user-data-dir={tmp_path_factory.mktemp('browser')}"]:
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    service = webdriver.ChromeService(DRIVER)
    started = webdriver.Chrome(options, service)
    yield started
    started.quit()


@pytest.fixture
def page(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for name in ("one.png", "two.png"):
        levels = random.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(levels).resize((80, 60), Image.Resampling.BICUBIC).save(name)
    serving = Page("one.png", "two.png", model=str(weights))
    yield serving
    serving.close()


@pytest.fixture
def browser(driver: Any, page: Page) -> Iterator[Browser]:
    driver.set_window_size(1280, 800)
    driver.get_log("performance")
    driver.get_log("browser")
    yield Browser(driver, page.server.address)
    # Refusals are said on the page, and noted by the browser.
    said = [entry["message"] for entry in driver.get_log("browser")]
    assert [each for each in said if "responded with a status of 4" not in each] == []
    driver.get("about:blank")


def is_that_of_the_command(browser: Browser, npfill: Command, path: Path) -> bool:
    before = path.read_bytes()
    path.unlink()
    words = shlex.split(browser["command"].text)
    assert words[:2] == ["npfill", "complete"]
    assert npfill(*words[1:], "--overwrite").code == 0
    return path.read_bytes() == before


def test_a_stroke_is_filled_looked_at_undone_and_saved_as_the_command_does(
    browser: Browser, page: Page, npfill: Command
) -> None:
    browser["fill"].click()
    assert "Nothing is painted" in browser["status"].text
    browser.slide("size", 8)
    browser.stroke((20, 20), (40, 30))
    browser["fill"].click()
    browser.filled()
    assert browser.opacity() == 0
    browser.slide("doubt", 70)
    assert browser.opacity() == 0.7
    browser.stroke((70, 50))  # a dot elsewhere takes the result back, and undo brings it again
    assert not browser["result"].is_displayed()
    browser["undo"].click()
    assert browser["result"].is_displayed()
    browser["draw"].click()
    browser.until(lambda: len(browser["samples"].find_elements(By.TAG_NAME, "button")) == 4)
    browser.filled()
    browser["samples"].find_elements(By.TAG_NAME, "button")[2].click()
    browser.until(lambda: "--samples 2" in browser["command"].text)
    mask, sample = browser.save()
    assert (str(mask), str(sample)) == ("one_mask.png", "one_sample-2.png")
    selected = np.asarray(Image.open(mask)) > 0
    assert selected[25, 30]
    assert not selected[50, 70]
    assert is_that_of_the_command(browser, npfill, sample)
    browser["undo"].click()
    browser["undo"].click()
    browser.until(lambda: browser["command"].text.endswith("--emit mean"))
    (mean,) = browser.save()
    assert is_that_of_the_command(browser, npfill, mean)
    urls = [
        said["params"]["request"]["url"]
        for said in (json.loads(entry["message"])["message"] for entry in page_log(browser))
        if said["method"] == "Network.requestWillBeSent"
    ]
    assert len(urls) > 10
    here = (page.server.address, f"blob:http://127.0.0.1:{page.server.server_port}/", "data:")
    elsewhere = [url for url in urls if not url.startswith(here)]
    assert elsewhere == []


def page_log(browser: Browser) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = browser.driver.get_log("performance")
    return entries


def test_every_tool_paints_what_it_says(browser: Browser) -> None:
    browser.keys("r")
    browser.stroke((10, 10), (30, 20))
    browser.keys("l")
    browser.stroke((40, 10), (60, 10), (60, 30), (40, 30))
    browser["saveMask"].click()
    browser.until(lambda: browser["status"].text.startswith("Saved"))
    selected = np.asarray(Image.open("one_mask.png")) > 0
    assert abs(int(selected[:, :35].sum()) - 200) <= 30
    assert abs(int(selected[:, 35:].sum()) - 400) <= 60
    browser.keys("w")
    browser.slide("size", 255)
    browser.stroke((70, 50))
    browser.keys("e")
    browser.slide("size", 10)
    browser.stroke((5, 40))
    browser["saveMask"].click()
    browser.until(browser["exists"].is_displayed)
    browser["replace"].click()
    browser.until(lambda: browser["status"].text.startswith("Saved"))
    selected = np.asarray(Image.open("one_mask.png")) > 0
    assert 60 < (~selected).sum() < 100


def test_it_works_by_keyboard_alone(browser: Browser, npfill: Command) -> None:
    browser.keys("b", "[", "[")
    browser.tab_to("stage")
    browser.keys("x", *[Keys.ARROW_RIGHT] * 4, "x", Keys.ENTER)
    browser.filled()
    browser.control("z")
    assert not browser["result"].is_displayed()
    browser.control("z", Keys.SHIFT)
    assert browser["result"].is_displayed()
    browser.tab_to("doubt")
    browser.keys(*[Keys.ARROW_RIGHT] * 5)
    assert browser.opacity() == 0.05
    browser.tab_to("draw")
    browser.keys(Keys.ENTER)
    browser.until(lambda: "--samples 1" in browser["command"].text)
    browser.filled()
    browser.tab_to("saveSheet")
    browser.keys(Keys.SPACE)
    browser.until(lambda: browser["status"].text.startswith("Saved"))
    assert Path("one_sheet.png").exists()
    browser.control("s")
    browser.until(lambda: "one_sample-1.png" in browser["status"].text)
    assert is_that_of_the_command(browser, npfill, Path("one_sample-1.png"))


def test_it_works_400_pixels_wide(browser: Browser) -> None:
    metrics = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    size = "return [document.documentElement.scrollWidth, innerWidth]"
    browser.until(lambda: browser.driver.execute_script(size)[1] == 400)
    wide, shown = browser.driver.execute_script(size)
    assert wide <= shown
    browser.until(lambda: browser["before"].rect["x"] + browser["before"].rect["width"] < 400)
    browser.stroke((20, 20), (40, 30))
    browser["fill"].click()
    browser.filled()
    for name in ("fill", "split", "doubt", "saveResult"):
        browser.driver.execute_script("arguments[0].scrollIntoView()", browser[name])
        left, right = browser[name].rect["x"], browser[name].rect["x"] + browser[name].rect["width"]
        assert left >= 0
        assert right <= shown
    assert browser.save()[1] == Path("one_mean.png")
    edges = "const box = arguments[0].getBoundingClientRect(); return [box.top, box.bottom]"
    assert browser.driver.execute_script(edges, browser["status"])[1] < 801
    for width, height in ((427, 267), (740, 360)):  # low: zoomed in, or a telephone on its side
        metrics |= {"width": width, "height": height}
        browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.until(lambda: width == browser.driver.execute_script(size)[1])  # noqa: B023
        assert browser["stage"].rect["height"] >= height / 2
        browser["whole"].click()
        top, bottom = browser.driver.execute_script(edges, browser["before"])
        assert bottom - top > height / 3
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_each_picture_and_tab_keeps_what_was_painted_on_it(browser: Browser, page: Page) -> None:
    browser.stroke((20, 20), (40, 30))
    browser["next"].click()
    browser.until(lambda: browser["name"].text == "two.png" and page_is_there(browser))
    assert browser["undo"].get_attribute("disabled")
    browser["saveMask"].click()
    browser.until(lambda: browser["status"].text == "Nothing is painted yet.")
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    other = Browser(browser.driver, page.server.address)
    other.stroke((60, 50), (70, 50))
    assert str(other.save("saveMask")[0]) == "one_mask.png"
    browser.driver.close()
    browser.driver.switch_to.window(first)
    browser["previous"].click()
    browser.until(lambda: browser["name"].text == "one.png" and page_is_there(browser))
    browser["saveMask"].click()
    browser.until(browser["exists"].is_displayed)
    browser["replace"].click()
    browser.until(lambda: browser["status"].text.startswith("Saved"))
    selected = np.asarray(Image.open("one_mask.png")) > 0
    assert selected[25, 30]
    assert not selected[50, 65]


def test_a_picture_that_cannot_be_read_says_why_and_the_next_one_opens(
    browser: Browser, page: Page
) -> None:
    Path("two.png").write_bytes(b"no picture")
    browser["next"].click()
    browser.until(lambda: "two.png: not a picture" in browser["status"].text)
    browser["previous"].click()
    browser.until(lambda: page_is_there(browser))


def page_is_there(browser: Browser) -> bool:
    return "there" in browser["paper"].get_attribute("class")


class Held:
    """A function whose first call waits until it is let go; what it then does is as before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        self.reached, self._go, self._first = threading.Event(), threading.Event(), threading.Lock()
        self._function = getattr(owner, name)
        monkeypatch.setattr(owner, name, self)

    def __call__(self, *args: object, **how: object) -> object:
        if self._first.acquire(blocking=False):
            self.reached.set()
            self._go.wait(60)
        return self._function(*args, **how)

    def let_go(self) -> None:
        """Let it go on, and give its answer time to be heard."""
        assert self.reached.is_set()
        self._go.set()
        time.sleep(0.5)


@pytest.mark.parametrize("what", ["picture_png", "begun"])
def test_who_pages_on_sees_the_picture_that_is_named_with_its_own_mask(
    browser: Browser, page: Page, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    Image.new("RGB", (40, 30), "teal").save("two.png")
    Image.fromarray(np.pad(np.full((3, 4), 255, np.uint8), ((9, 18), (9, 27)))).save("two_mask.png")
    width = "return document.getElementById('before').naturalWidth"
    held = Held(monkeypatch, serving if what == "picture_png" else page.server.session, what)
    browser["next"].click()
    assert held.reached.wait(60)
    browser.page("previous")
    held.let_go()
    assert (browser.driver.execute_script(width), browser.painted()) == (80, 0)
    assert "80 × 60 pixels" in browser["status"].text
    browser.page("next")
    assert (browser.driver.execute_script(width), browser.painted()) == (40, 12)


@pytest.mark.parametrize("exists", [False, True])
def test_what_a_save_says_later_is_of_the_picture_that_was_saved(
    browser: Browser, page: Page, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    if exists:
        Image.new("L", (80, 60), 255).save("one_mask.png")
    browser.stroke((20, 20), (40, 30))
    held = Held(monkeypatch, page.server.session, "save")
    browser["saveMask"].click()
    assert held.reached.wait(60)
    browser.page("next")
    browser.stroke((60, 50), (70, 50))
    held.let_go()
    said = "Not saved. one_mask.png: exists" if exists else "Saved one_mask.png"
    browser.until(lambda: browser["status"].text == said)
    assert not browser["exists"].is_displayed()
    assert browser.warns()
    assert browser.save("saveMask") == [Path("two_mask.png")]
    assert browser.warns() == exists


def test_who_undoes_what_was_saved_is_warned(browser: Browser) -> None:
    browser.stroke((20, 20), (40, 30))
    assert browser.warns()
    browser.save("saveMask")
    assert not browser.warns()
    browser["undo"].click()
    assert browser.warns()
    browser["redo"].click()
    assert not browser.warns()


@pytest.mark.parametrize("where", ["server", "page"])
def test_a_stroke_ends_the_fill_under_way_and_what_is_said_of_it(
    browser: Browser, page: Page, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    browser.stroke((20, 20), (40, 30))
    held = Held(monkeypatch, page.server.session, "fill")
    browser["fill"].click()
    assert held.reached.wait(60)
    if where == "server":
        browser.stroke((60, 50), (70, 50))
    else:  # as the result is decoded
        browser.driver.execute_script(
            "const decode = createImageBitmap;"
            "window.createImageBitmap = (content) => new Promise((done) => {"
            "  window.go = () => done(decode(content));"
            "})"
        )
    held.let_go()
    if where == "page":
        browser.until(lambda: browser.driver.execute_script("return !!window.go"))
        browser.stroke((60, 50), (70, 50))
        browser.driver.execute_script("window.go()")
        time.sleep(0.3)
    assert not browser["result"].is_displayed()
    assert (browser["status"].text, browser["progress"].is_displayed()) == ("", False)


def test_undo_while_samples_are_drawn_shows_the_command_of_what_is_seen(
    browser: Browser, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.stroke((20, 20), (40, 30))
    browser["fill"].click()
    browser.filled()
    browser.driver.execute_script("arguments[0].value = 7", browser["seed"])
    browser.driver.execute_script("arguments[0].value = '1e1'", browser["grow"])
    browser["fill"].click()
    browser.until(lambda: "--grow 10 --seed 7" in browser["command"].text)
    held = Held(monkeypatch, page.server.session, "fill")
    browser["draw"].click()
    assert held.reached.wait(60)
    browser["undo"].click()
    browser.until(lambda: browser["command"].text.endswith("--emit mean"))
    assert "--seed" not in browser["command"].text
    held.let_go()
    browser.save("saveMask")
    assert browser.warns(), "the result is not saved"


def test_the_pen_of_the_keyboard_is_lifted_to_fill_and_to_go_on(browser: Browser) -> None:
    browser.tab_to("stage")
    browser.keys("x", Keys.ARROW_RIGHT, Keys.ENTER)
    browser.filled()
    browser.keys("x", Keys.ARROW_DOWN, Keys.PAGE_DOWN)
    browser.until(lambda: browser["name"].text == "two.png" and page_is_there(browser))
    browser.keys(Keys.ARROW_RIGHT)
    assert browser.painted() == 0
    browser.keys("x", Keys.ARROW_RIGHT, "x")
    assert browser.painted() > 0
    browser["undo"].click()
    assert browser.painted() == 0


def test_a_stroke_of_keys_ends_where_another_begins(browser: Browser) -> None:
    browser.tab_to("stage")
    browser.keys("x", Keys.ARROW_RIGHT)
    by_keys = browser.painted()
    browser.stroke((10, 10))
    assert browser.painted() > by_keys
    browser["undo"].click()
    assert browser.painted() == by_keys
    browser.tab_to("stage")
    browser.keys("x", Keys.ARROW_DOWN)
    drawn = browser.painted()
    browser.keys("r")
    assert browser.painted() == drawn > by_keys
    browser.control(Keys.ARROW_RIGHT)
    browser.control("x")
    browser.keys(Keys.ARROW_RIGHT)
    assert browser.painted() == drawn, "Control and a key paint nothing"


def test_a_tool_chosen_in_a_stroke_ends_it_and_the_mouse_moves_nothing(browser: Browser) -> None:
    box = browser["before"].rect
    at: dict[str, object] = {"button": "left", "y": box["y"] + 100, "clickCount": 1}
    browser.event("Mouse", type="mousePressed", x=box["x"] + 50, **at)
    browser.event("Mouse", type="mouseMoved", x=box["x"] + 90, buttons=1, **at)
    drawn = browser.painted()
    browser.keys("r")
    browser.event("Mouse", type="mouseMoved", x=box["x"] + 200, buttons=1, **at)
    browser.event("Mouse", type="mouseReleased", x=box["x"] + 200, **at)
    assert (browser.painted(), browser["before"].rect) == (drawn, box)


def test_the_pen_of_the_keyboard_reaches_all_and_stays_in_sight(browser: Browser) -> None:
    browser.tab_to("stage")
    browser.keys("r", *["-"] * 20, *[Keys.ARROW_LEFT] * 3, *[Keys.ARROW_UP] * 3)
    browser.keys("x", *[Keys.ARROW_RIGHT] * 4, *[Keys.ARROW_DOWN] * 4, "x")
    assert browser.painted() == 80 * 60
    where = (
        "const [pen, paper, stage] = ['pen', 'before', 'stage'].map("
        "  (id) => document.getElementById(id).getBoundingClientRect());"
        "const x = pen.x + pen.width / 2, y = pen.y + pen.height / 2;"
        "return [80 * (x - paper.x) / paper.width, 60 * (y - paper.y) / paper.height,"
        "  x >= stage.left && x <= stage.right && y >= stage.top && y <= stage.bottom]"
    )
    for keys, place in (("0", (80, 60)), ("+" * 16, (80, 60)), (Keys.ARROW_LEFT * 30, (50, 60))):
        browser.keys(*keys)
        *at, in_sight = browser.driver.execute_script(where)
        assert (at, in_sight) == (pytest.approx(place, abs=0.2), True)
    side = "return document.getElementById('pen').offsetWidth"
    browser.keys("b")
    before = browser.driver.execute_script(side)
    browser.keys("]")
    assert browser.driver.execute_script(side) > before


def test_a_brush_of_one_pixel_paints_the_pixel_that_it_is_on(browser: Browser) -> None:
    browser.slide("size", 1)
    browser.tab_to("stage")
    browser.keys("x", "x")  # in the middle of the picture, where four pixels meet
    assert browser.painted() == 1


def test_keys_do_what_they_say_beside_sliders_and_fields(browser: Browser) -> None:
    browser.stroke((20, 20), (40, 30))
    painted = browser.painted()
    browser.driver.execute_script("document.getElementById('size').focus()")
    browser.keys("e")
    eraser = browser.driver.find_element(By.CSS_SELECTOR, "[data-tool=eraser]")
    assert eraser.get_attribute("aria-pressed") == "true"
    script = (
        "document.querySelector('details').open = true; document.getElementById('seed').focus()"
    )
    browser.driver.execute_script(script)
    browser.keys("5")
    browser.control("z")
    assert browser.painted() == painted
    browser.tab_to("stage")
    webdriver.ActionChains(browser.driver, duration=5).key_down(Keys.SPACE).perform()
    browser.driver.execute_script("dispatchEvent(new Event('blur'))")
    browser.stroke((20, 20), (40, 30))
    assert browser.painted() < painted


def test_a_hand_beside_a_pen_does_nothing(browser: Browser) -> None:
    box, event = browser["before"].rect, browser.event
    pen: dict[str, object] = {"pointerType": "pen", "button": "left", "y": box["y"] + 100}
    event("Mouse", type="mousePressed", x=box["x"] + 50, clickCount=1, **pen)
    event("Mouse", type="mouseMoved", x=box["x"] + 90, buttons=1, **pen)
    drawn = browser.painted()
    event("Touch", type="touchStart", touchPoints=[{"x": box["x"] + 200, "y": box["y"] + 200}])
    event("Touch", type="touchEnd", touchPoints=[])
    assert browser.painted() == drawn > 0
    event("Mouse", type="mouseMoved", x=box["x"] + 300, buttons=1, **pen)
    event("Mouse", type="mouseReleased", x=box["x"] + 300, clickCount=1, **pen)
    assert browser.painted() > drawn
    browser["undo"].click()
    assert browser.painted() == 0


def test_of_a_picture_that_has_another_size_now_nothing_stays_painted(
    browser: Browser, page: Page
) -> None:
    browser.page("next")
    browser.stroke((20, 20), (40, 30))
    browser.page("previous")
    Image.new("RGB", (50, 60), "teal").save("two.png")
    page.server.session.picture.cache_clear()  # as of several pictures
    browser.page("next")
    assert "two.png has another size now" in browser["status"].text
    assert (browser.painted(), browser["undo"].get_attribute("disabled")) == (0, "true")


def test_what_is_said_while_a_fill_waits_for_the_model_and_once_npfill_has_ended(
    browser: Browser, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.until(lambda: page.server.state == "ready")
    page.server.state = "loading"
    monkeypatch.setattr(serving, "_SECONDS_TO_COME_BACK", 60)
    browser = Browser(browser.driver, page.server.address)
    browser.stroke((20, 20), (40, 30))
    held = Held(monkeypatch, page.server.session, "fill")
    browser["fill"].click()
    assert browser["status"].text == "The model is still loading …"
    assert held.reached.wait(60)
    page.server.state = "ready"
    browser.until(lambda: browser["status"].text == "Filling …")
    held.let_go()
    browser.filled()
    page.server.shutdown()
    page.server.server_close()
    browser["saveMask"].click()
    browser.until(lambda: browser["status"].text.startswith("npfill has ended\nstart it again"))
    browser.driver.get("about:blank")  # it asks no more
    browser.driver.get_log("browser")


def test_what_is_shown_of_data_in_a_long_folder(
    driver: Any, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [Path("a/long/way/down", name) for name in ("here/a.npy", "there/a.npy", "there/b.npy")]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.linspace(0, 90_000, 30).reshape(5, 6))
    several = Page(*map(str, paths), model=str(weights))
    several.server.models.append("nearest")
    browser = Browser(driver, several.server.address)
    assert browser["name"].text == "here/a.npy"
    assert browser["name"].get_attribute("title") == str(paths[0])
    browser.slide("size", 1)
    browser.stroke((2, 2), (4, 2))
    browser["fill"].click()
    browser.filled()
    assert "e+" not in browser["ramp"].get_attribute("title")
    assert browser["doubt"].is_displayed()
    browser.page("next")
    browser.page("next")
    assert browser["name"].text == "b.npy"
    browser.driver.execute_script("arguments[0].value = 'nearest'", browser["model"])
    browser.stroke((2, 2), (4, 2))
    browser["fill"].click()
    browser.filled()
    assert not browser["doubt"].is_displayed()
    driver.get("about:blank")
    several.close()
