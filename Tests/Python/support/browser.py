"""Drives a headless Chromium over its debugging pipe (file descriptors 3 and 4): no socket, no driver program."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path


def find_browser() -> str | None:
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    return None


class BrowserError(Exception):
    pass


class Browser:
    """One browser with one tab. Everything the tab asks the network for is in `requests`, everything it logs in `log`."""

    def __init__(self, dark: bool = False):
        self.profile = tempfile.mkdtemp(prefix="indelible-browser.")
        in_read, in_write = os.pipe()
        out_read, out_write = os.pipe()

        def wire():  # in the child: 3 is what it reads, 4 is what it writes
            high_in, high_out = os.dup(in_read), os.dup(out_write)
            os.dup2(high_in, 3)
            os.dup2(high_out, 4)

        self.errors = open(Path(self.profile) / "stderr", "wb")
        self.process = subprocess.Popen(
            [find_browser(), "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", f"--user-data-dir={self.profile}", "about:blank"]
            + (["--force-dark-mode"] if dark else []),
            stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors, close_fds=False, preexec_fn=wire)
        os.close(in_read)
        os.close(out_write)
        self.to, self.back = in_write, out_read
        self.pending = b""
        self.number = 0
        self.requests: list[str] = []
        self.log: list[str] = []
        self.loads = 0
        targets = self._call("Target.getTargets")["targetInfos"]
        page = next(t for t in targets if t["type"] == "page")
        self.session = None
        self.session = self._call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "DOM", "Log"):
            self._call(f"{domain}.enable")

    def close(self):
        try:
            self._call("Browser.close")
        except (BrowserError, OSError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        os.close(self.to)
        os.close(self.back)
        self.errors.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def _call(self, method: str, timeout: float = 60, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if getattr(self, "session", None) and not method.startswith(("Target.", "Browser.")):
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        number, limit = self.number, time.monotonic() + timeout
        while True:
            answer = self._next(limit)
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                return answer["result"]

    def _next(self, limit: float) -> dict:
        while b"\0" not in self.pending:
            ready, _, _ = select.select([self.back], [], [], max(0, limit - time.monotonic()))
            if not ready:
                raise BrowserError("the browser does not answer")
            more = os.read(self.back, 1 << 20)
            if not more:
                raise BrowserError("the browser has ended: " + Path(self.errors.name).read_text(errors="replace")[-2000:])
            self.pending += more
        text, self.pending = self.pending.split(b"\0", 1)
        event = json.loads(text)
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(event["params"]["request"]["url"])
            case "Runtime.consoleAPICalled":
                self.log.append(" ".join(str(a.get("value", a.get("description"))) for a in event["params"]["args"]))
            case "Runtime.exceptionThrown":
                self.log.append("exception: " + json.dumps(event["params"]["exceptionDetails"])[:500])
            case "Log.entryAdded":
                self.log.append(event["params"]["entry"]["text"])
            case "Page.loadEventFired":
                self.loads += 1
        return event

    def open(self, path: Path):
        self.requests.clear()
        self.log.clear()
        self.loads = 0
        self._call("Page.navigate", url=Path(path).resolve().as_uri())
        limit = time.monotonic() + 30
        while not self.loads:
            self._next(limit)

    def evaluate(self, expression: str, timeout: float = 120):
        """The value of a JavaScript expression; promises are waited for."""
        answer = self._call(
            "Runtime.evaluate", timeout=timeout, expression=expression, awaitPromise=True, returnByValue=True,
            userGesture=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def call(self, function: str, *arguments, timeout: float = 120):
        return self.evaluate(f"({function})({', '.join(json.dumps(a) for a in arguments)})", timeout)

    def choose_file(self, selector: str, path: Path):
        root = self._call("DOM.getDocument")["root"]["nodeId"]
        node = self._call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._call("DOM.setFileInputFiles", nodeId=node, files=[str(Path(path).resolve())])

    def emulate(self, scheme: str = "light", media: str = ""):
        self._call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path: Path):
        self._call("Emulation.setDeviceMetricsOverride", width=1000, height=900, deviceScaleFactor=1, mobile=False)
        data = self._call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def pdf(self) -> bytes:
        return base64.b64decode(self._call("Page.printToPDF", printBackground=True)["data"])
