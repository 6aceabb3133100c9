"""Files that people send: each is checked in a process of its own and kept under its hash."""
