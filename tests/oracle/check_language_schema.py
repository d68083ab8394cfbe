"""Validates language files against the published JSON Schema.

usage: check_language_schema.py SCHEMA FILE...
Every FILE must be valid; each with one unknown key, and with a place that is none, must not.
Exit 77: jsonschema is not installed.
"""
import json
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)

schema_path, *paths = sys.argv[1:]
with open(schema_path, encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)

failed = not paths
for path in paths:
    with open(path, encoding="utf-8") as file:
        language = json.load(file)
    for error in validator.iter_errors(language):
        print(f"{path}: {error.json_path}: {error.message}")
        failed = True
    for wrong in ({"tumor": []}, {"places": {"lung front": ["front"]}}, {"each": "each"}):
        if validator.is_valid({**language, **wrong}):
            print(f"{path}: accepted with {wrong}, but should be refused")
            failed = True
sys.exit(1 if failed else 0)
