"""What a page for the browser has besides sections: scripts, their data, and what lets them run."""
