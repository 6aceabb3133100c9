"""Limits of a process that reads what came from outside; it sets them itself before it opens anything.

A parent that set them (``preexec_fn``) would have to fork with all its memory, which takes longer than reading most files.
"""

from __future__ import annotations

import resource


def limit_this_process(memory: int, seconds: int) -> None:
    """Bind this process to ``memory`` bytes of address space and ``seconds`` of the processor, without a core dump."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
