"""Chromium without a screen, driven by chromedriver."""

import base64
import os
import shutil
import subprocess
from pathlib import Path

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")


def why_not():
    """Why there is no browser here; None where there is one."""
    if CHROMIUM is None or DRIVER is None:
        return "chromium and chromium-driver are not installed"
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "python3-selenium is not installed"
    return None


class Browser:
    """One window. profile is a directory of its own."""

    def __init__(self, profile, language="en"):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                         "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
                         f"--user-data-dir={profile}", f"--lang={language}", f"--accept-lang={language}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        environment = {**os.environ, "HOME": str(profile), "LD_PRELOAD": ""}
        service = Service(DRIVER, env=environment, log_output=subprocess.DEVNULL)
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_page_load_timeout(120)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.driver.quit()

    def show(self, width=1280, height=900, scheme="light", scripts=True):
        """How pages are shown from now on."""
        run = self.driver.execute_cdp_cmd
        run("Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        run("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        run("Emulation.setScriptExecutionDisabled", {"value": not scripts})

    def open(self, url):
        self.driver.get(url)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        from selenium.webdriver.common.by import By
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def console(self):
        """What the browser said since last asked: errors of the page, violations of its policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def screenshot(self, file):
        """The whole page, however long."""
        picture = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        Path(file).write_bytes(base64.b64decode(picture["data"]))
