"""What a command comes to, as sections: the first is the outcome, the others are its details."""
