"""Validates prompts against the published JSON Schema.

usage: check_prompt_schema.py SCHEMA GOOD.json BAD.jsonl
The document GOOD must be valid, every line of BAD must not. Exit 77: jsonschema is not installed.
"""
import json
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)

schema_path, good_path, bad_path = sys.argv[1:]
with open(schema_path, encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)

failed = False
with open(good_path, encoding="utf-8") as file:
    for error in validator.iter_errors(json.load(file)):
        print(f"{good_path}: {error.json_path}: {error.message}")
        failed = True
with open(bad_path, encoding="utf-8") as file:
    for line in file:
        if validator.is_valid(json.loads(line)):
            print(f"accepted, but should be refused: {line.strip()}")
            failed = True
sys.exit(1 if failed else 0)
