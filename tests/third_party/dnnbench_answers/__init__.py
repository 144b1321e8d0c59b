"""A third party's backend that only infers: right in one mode, with a fault in each other one."""
