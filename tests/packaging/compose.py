#!/usr/bin/env python3
"""The compose file: against the schema of the Compose Specification, and against what the image and docs/service.md promise.

    tests/packaging/compose.py [SCHEMA]      SCHEMA: compose_spec.json, as the package docker-compose of PyPI has it
"""

import json
import pathlib
import re
import sys

import yaml

container = pathlib.Path(__file__).resolve().parents[2] / "packaging/container"
compose = yaml.safe_load((container / "compose.yaml").read_text())
image = (container / "Containerfile").read_text()
problems = []


def check(what, passed):
    """Notes what does not hold."""
    if not passed:
        problems.append(what)


def in_image(instruction):
    """The arguments of an instruction of the last stage."""
    return re.findall(rf"^{instruction} +(.*)$", image[image.rindex("\nFROM ") :], re.MULTILINE)


if len(sys.argv) > 1:
    import jsonschema

    schema = json.loads(pathlib.Path(sys.argv[1]).read_text())
    validator = jsonschema.Draft201909Validator(schema)
    check("the schema accepts everything", not validator.is_valid({**compose, "servcies": {}}))
    for error in validator.iter_errors(compose):
        problems.append(f"{'.'.join(map(str, error.absolute_path))}: {error.message}")

newswire, caddy = compose["services"]["newswire"], compose["services"]["caddy"]
user, volume, health = in_image("USER")[0], in_image("VOLUME")[0], in_image("HEALTHCHECK")[0]
port = in_image("EXPOSE")[0]
context = (container / newswire["build"]["context"]).resolve()
check("the image is not built from the Containerfile", (context / newswire["build"]["dockerfile"]) == container / "Containerfile")
check("the user is not that of the image", newswire["user"] == user == "65532:65532")
check("the root can be written", newswire["read_only"] is True and newswire["tmpfs"] == ["/tmp"])
check("the volume is not that of the image", newswire["volumes"] == [f"newswire:{volume}"])
check("a volume is not declared", {"newswire", "caddy"} == set(compose["volumes"]))
check("the health check is not that of the image", newswire["healthcheck"]["test"] == ["CMD", *json.loads(health[health.index("[") :])])
check("its times are not those of the image", all(f"--{key.replace('_', '-')}={newswire['healthcheck'][key]}" in health for key in ("interval", "timeout", "start_period")))
check("it is stopped by another signal", newswire["stop_signal"] == in_image("STOPSIGNAL")[0] == "SIGTERM")
check("it has capabilities", newswire["cap_drop"] == ["ALL"] and newswire["security_opt"] == ["no-new-privileges:true"])
check("it is reachable past Caddy", "ports" not in newswire)
check("the public URL needs no host", newswire["environment"]["NEWSWIRE_WEB_PUBLIC_URL"] == "https://${NEWSWIRE_HOST:?set NEWSWIRE_HOST}/")
check("Caddy leads elsewhere", caddy["command"][-2:] == ["--to", f"newswire:{port}"] and f"NEWSWIRE_WEB_LISTEN=0.0.0.0:{port}" in image)
check("Caddy does not wait for it", caddy["depends_on"] == {"newswire": {"condition": "service_healthy"}})
check("Caddy forgets its certificates", caddy["volumes"] == ["caddy:/data"])
check("Caddy has no ports", {"80:80", "443:443"} <= set(caddy["ports"]))
for problem in problems:
    print("FAILED: compose.yaml:", problem)
print(f"compose.yaml: {len(problems)} problems, {'with' if len(sys.argv) > 1 else 'without'} the schema")
sys.exit(bool(problems))
