#!/usr/bin/env python3
"""Checks the form of a workflow for GitHub Pages and runs its own steps here, except the installation.

  workflow.py FILE SITE"""

import os
import subprocess
import sys

import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    workflow = yaml.safe_load(file)
# YAML 1.1 reads `on` as true.
assert workflow[True]["schedule"][0]["cron"].split().__len__() == 5
assert workflow["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
steps = workflow["jobs"]["publish"]["steps"]
assert workflow["jobs"]["publish"]["environment"]["name"] == "github-pages"
assert all(("uses" in step) != ("run" in step) for step in steps)
used = [step["uses"].split("@")[0] for step in steps if "uses" in step]
assert used == ["actions/checkout", "actions/cache/restore", "actions/cache/save", "actions/upload-pages-artifact", "actions/deploy-pages"], used
caches = [step["with"]["path"] for step in steps if "cache" in step.get("uses", "")]
deployed = next(step["with"]["path"] for step in steps if "artifact" in step.get("uses", ""))
ran = 0
for step in steps:
    if "run" in step and step["name"] != "Install":
        # As the runner does it.
        subprocess.run(["bash", "-e", "-c", step["run"]], check=True, env={**os.environ, "SITE": sys.argv[2]})
        ran += 1
assert ran == 2 and all(os.path.isdir(path) for path in caches)
assert os.path.isfile(os.path.join(deployed, "planet", "index.html")), deployed
# What upload-pages-artifact refuses or makes unreadable.
for below, _, names in os.walk(deployed):
    for name in names:
        path = os.path.join(below, name)
        assert not os.path.islink(path) and os.stat(path).st_mode & 0o444 == 0o444, path
