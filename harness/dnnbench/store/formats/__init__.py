"""A recorded run in the files of other tools, a file a tool, and what they recorded brought in."""
