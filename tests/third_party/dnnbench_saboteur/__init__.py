"""A third party's backend that misbehaves, one way a mode."""
