"""Makes a credit record of what was decided on this site, through the pipeline that every delivery takes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from zhixin_web.accounts.models import User
from zhixin_web.collection.models import Batch
from zhixin_web.collection.services.batches import deliver, process, request_commit
from zhixin_web.records.models import CreditRecord, Subject


def deliver_own(source: str, subject: Subject, row: Mapping[str, str], *, name: str, by: User) -> CreditRecord:
    """Deliver one row of a source, by the titles of its columns, and return its record.

    Raises:
        ValidationError: the pipeline refused the row; what it records is then not carried out either.
    """
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["统一社会信用代码", "企业名称", *row])
    rows.writerow([subject.code, subject.name, *row.values()])
    batch, _is_new = deliver(
        source=source, file_name=f"{name}.csv", chunks=[text.getvalue().encode()], way=Batch.Way.CASE, by=by
    )
    batch = process(batch)
    if request_commit(batch, by):
        batch.refresh_from_db()
        batch = process(batch)
    if batch.accepted != 1:
        raise ValidationError(_("批次 %(batch)s 未入库，请先处理") % {"batch": batch.pk})
    return CreditRecord.objects.get(batch=batch)
