"""A headless Chromium on a pipe (the DevTools protocol), with nothing but the standard library."""

import json
import os
import shutil
import subprocess
import tempfile
import time

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run
--disable-background-networking --disable-component-update --disable-sync --disable-extensions
--hide-scrollbars --remote-debugging-pipe""".split()
# Every name leads to a closed port: whatever is asked for is seen, and nothing leaves the machine.
NOWHERE = "--host-resolver-rules=MAP * 127.0.0.1:9, EXCLUDE 127.0.0.1"


def program():
    """The browser of this machine, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


class Chromium:
    """One tab."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="newswire-browser-")
        child_reads, self.commands = os.pipe()
        self.answers, child_writes = os.pipe()

        def plumb():
            # Both are moved out of the way first, for either may be 3 or 4 already.
            a, b = os.dup2(child_reads, 200), os.dup2(child_writes, 201)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [program(), *FLAGS, NOWHERE, f"--user-data-dir={self.folder}", "about:blank"],
            preexec_fn=plumb, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(child_reads)
        os.close(child_writes)
        self.rest, self.last, self.events, self.session = b"", 0, [], None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")
        # Dialogs would stop everything.
        self.call("Page.addScriptToEvaluateOnNewDocument",
                  source="alert = confirm = prompt = () => { document.documentElement.dataset.pwned = 1 }")

    def close(self):
        # It may be waiting for somebody to read its messages.
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def read(self):
        """The next message."""
        while b"\0" not in self.rest:
            part = os.read(self.answers, 1 << 20)
            if not part:
                raise SystemExit("the browser has ended")
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def call(self, method, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data):]
        while True:
            answer = self.read()
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url, patience=20):
        """Shows a page; answers every request that it led to, as (address, kind, blocked)."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        until = time.monotonic() + patience
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            if time.monotonic() > until:
                raise SystemExit(f"{url} does not load")
            self.events.append(self.read())
        # What handlers and timers do comes after the loading. A page in a sandbox has no timer to wait for.
        time.sleep(0.03)
        self.evaluate("0")
        return self.requests()

    def requests(self):
        blocked = {e["params"]["requestId"] for e in self.events
                   if e.get("method") == "Network.loadingFailed" and e["params"].get("blockedReason")}
        return [(e["params"]["request"]["url"], e["params"].get("type"), e["params"]["requestId"] in blocked)
                for e in self.events if e.get("method") == "Network.requestWillBeSent"]

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise SystemExit(f"{expression[:80]}: {result['exceptionDetails']}")
        return result["result"].get("value")
