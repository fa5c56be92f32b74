"""axe-core over every page: nothing that keeps people from reading it.

axe-core comes from npm: `npm install --prefix "$NEWSWIRE_TOOLS/axe" axe-core@4.14.1`, or NEWSWIRE_AXE names axe.min.js."""

import os

RUN = """axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations.map(violation =>
  `${violation.id} (${violation.impact}), ${violation.nodes.length} times: ${violation.nodes[0].target} ${violation.nodes[0].html.slice(0, 120)}`))"""


def source():
    """The script, or None."""
    tools = os.environ.get("NEWSWIRE_TOOLS", "/var/cache/newswire-tools")
    path = os.environ.get("NEWSWIRE_AXE") or os.path.join(tools, "axe/node_modules/axe-core/axe.min.js")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return None


class Axe:
    def __init__(self, browser):
        self.browser, self.script, self.pages = browser, source(), 0

    def faults(self, name):
        """The violations of the page that the browser shows."""
        if self.script is None:
            return []
        self.pages += 1
        self.browser.evaluate(self.script + "\n0")
        return [f"{name}: {violation}" for violation in self.browser.evaluate(RUN)]

    def control(self):
        """It sees what is wrong, so that its silence means something."""
        if self.script is None:
            return
        self.browser.evaluate("document.body.innerHTML = '<img src=x><button></button>'")
        found = " ".join(self.faults("control"))
        self.pages = 0
        if "image-alt" not in found or "button-name" not in found:
            raise SystemExit(f"axe-core is blind: {found}")
