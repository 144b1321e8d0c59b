"""Runs scripts in an interpreter that finds no dnnbench: `python -I -S scripts_alone.py FILE`.

FILE is JSON: folders to import from, and [script, arguments] of each. What a script raises stands
beside its place in the list, as JSON on stdout.
"""

import json
import runpy
import sys
import traceback


def main(path):
    with open(path) as file:
        folders, scripts = json.load(file)
    sys.path += folders
    try:
        import dnnbench
    except ImportError:
        pass
    else:
        raise SystemExit(f"dnnbench is here: {dnnbench.__file__}")
    print(json.dumps([_failure(*script) for script in scripts]))


def _failure(script, arguments):
    """What running it raised; empty for nothing."""
    sys.argv = [script, *arguments]
    try:
        runpy.run_path(script, run_name="__main__")
    except Exception:
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    main(sys.argv[1])
