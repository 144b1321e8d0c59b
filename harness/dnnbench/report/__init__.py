"""What a run says: statistics of its cells, tables for the terminal, and one offline HTML page."""
