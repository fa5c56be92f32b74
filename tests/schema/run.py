#!/usr/bin/env python3
"""Holds the JSON Schema of the config against the draft itself, and configs against it.

usage: run.py NEWSWIRE
"""

import json
import subprocess
import sys
import tomllib

from jsonschema import Draft202012Validator

newswire = sys.argv[1]


def say(*arguments):
    return subprocess.run([newswire, *arguments], check=True, capture_output=True, text=True).stdout


schema = json.loads(say("schema"))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
example = say("config", "default")
validator.validate(tomllib.loads(example))

keys = [
    about
    for table in [schema, *schema["properties"].values()]
    for about in (table.get("items", table).get("properties") or {}).values()
    if "x-newswire" in about
]
for about in keys:
    validator_of_one = Draft202012Validator(about)
    for value in about["examples"] + ([about["default"]] if "default" in about else []):
        validator_of_one.validate(value)

# Every key with a letter too many is refused.
broken = 0
for line in example.splitlines():
    text = line.removeprefix("# ")
    name, _, value = text.partition(" = ")
    if not value or not name.replace("_", "").isalpha():
        continue
    table = next(t for t, s in schema["properties"].items() if name in s.get("items", s).get("properties", {name: 0}))
    listed = schema["properties"][table]["type"] == "array"
    head = "" if table == "version" else f"[[{table}]]\n" if listed else f"[{table}]\n"
    assert not validator.is_valid(tomllib.loads(f"{head}{name}x = {value}")), line
    broken += 1
assert broken > 50, broken
print(f"the schema holds: keys: {len(keys)}, broken keys refused: {broken}")
