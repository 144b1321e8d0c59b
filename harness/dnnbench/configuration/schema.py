"""The JSON Schema of the file, which ships beside this module for editors.

`python -m dnnbench.configuration.schema > harness/dnnbench/configuration/schema.json` writes it
anew.
"""

import json
from typing import Any

from .model import Configuration

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of_file() -> dict[str, Any]:
    """Of dnnbench.toml, and of the table [tool.dnnbench]."""
    return Configuration.model_json_schema(by_alias=True)


if __name__ == "__main__":
    print(json.dumps({"$schema": DIALECT, **schema_of_file()}, indent=2))
