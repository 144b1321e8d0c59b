"""A file that pytest-benchmark could have written: one benchmark, its median alone."""

import json

OLD = json.dumps(
    {
        "machine_info": {"node": "lab", "machine": "x86_64", "python_version": "3.11.7"},
        "commit_info": {"id": "0123456789" * 4, "dirty": False},
        "benchmarks": [
            {"fullname": "test_old.py::test_it", "stats": {"median": 0.25, "iterations": 2}}
        ],
        "datetime": "2024-02-03T04:05:06.789000+00:00",
        "version": "4.0.0",
    }
)
