"""Machines, versions or element types side by side: what they share, and what they differ in."""
