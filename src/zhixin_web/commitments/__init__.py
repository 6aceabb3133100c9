"""Credit commitments (信用承诺): signed by enterprises, followed, and what becomes of a broken one."""
