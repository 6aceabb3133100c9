"""Evaluation of a rulebook on the tables of a dataset: the interpreter, the plan, the engines, the run."""
