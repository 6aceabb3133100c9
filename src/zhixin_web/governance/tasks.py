"""What the worker does for governance."""

from __future__ import annotations

from django_tasks import task

from zhixin_web.governance.models import WhatIf
from zhixin_web.governance.what_if import do_what_if


@task()  # type: ignore[untyped-decorator]
def execute_what_if(pk: int) -> str:
    """Do a queued what-if."""
    return str(do_what_if(WhatIf.objects.get(pk=pk)).status)
