"""A real Chromium without a screen."""
import base64
import contextlib
import os
import shutil
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from process import ROOT

# Where pictures go; those of the documentation are made with CALLWEAVE_PICTURES=docs/pictures.
PICTURES = ROOT / os.environ.get("CALLWEAVE_PICTURES", "build/pictures")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
         "--disable-component-update", "--disable-default-apps", "--disable-sync", "--no-first-run", "--mute-audio",
         "--hide-scrollbars", "--force-device-scale-factor=1")


@contextlib.contextmanager
def chromium(folder, width=1280, height=800, language="ru", flags=(), but=None):
    """A browser with a profile of its own in `folder`; what its console said must hold no errors but those with `but` in them."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (*FLAGS, *flags, f"--window-size={width},{height}", f"--user-data-dir={Path(folder) / 'profile'}",
                 f"--lang={language}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"intl.accept_languages": language})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
    try:
        resize(driver, width, height)
        yield driver
        severe = [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE" and not (but and but in entry["message"])]
        assert not severe, severe
    finally:
        driver.quit()


def resize(driver, width, height):
    """The page's own size, without window borders; also below the window's minimum."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})


def picture(driver, path):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    data = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
    Path(path).write_bytes(base64.b64decode(data))


def overflow(driver):
    """How many pixels the page is wider than the window: people would have to scroll sideways."""
    return driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
