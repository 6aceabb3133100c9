"""An agency with a mandate of the enterprise, and an application that it has begun."""

from __future__ import annotations

import io
from datetime import timedelta

from django.utils import timezone
from PIL import Image, ImageDraw

from zhixin.law.procedures import procedures
from zhixin_web.accounts.demonstration_people import AGENT, PASSWORD
from zhixin_web.accounts.models import Organisation, Role, RoleGrant, User
from zhixin_web.accounts.services.mandates import give_mandate
from zhixin_web.cases.services.attachments import attach
from zhixin_web.cases.services.drafts import begin, keep_words
from zhixin_web.records.models import CreditRecord, Subject
from zhixin_web.records.services.repair_and_revocation import is_current

MANDATE_DAYS = 180


def make_agent(people: dict[str, User]) -> None:
    """Let another enterprise act for the enterprise of the demonstration for half a year, and begin an application."""
    principal = people["enterprise"].organisation
    assert principal is not None
    firm = Subject.objects.exclude(code=principal.code).order_by("code")[0]
    agency = Organisation.objects.create(code=firm.code, name=firm.name, kind=Organisation.Kind.ENTERPRISE)
    user = User(username=AGENT[0], display_name=AGENT[1], role=Role.ENTERPRISE_USER, organisation=agency)
    user.set_password(PASSWORD)
    user.save()
    RoleGrant.objects.create(user=user, role=user.role, reason="演示环境初始化")
    people["agent"] = user
    give_mandate(principal, agency.code, timezone.localdate() + timedelta(days=MANDATE_DAYS), people["enterprise"])
    records = CreditRecord.objects.filter(subject__code=principal.code, source="penalties").order_by("-seq")
    record = next((item for item in records if is_current(item)), None)
    if record is not None:
        draft = begin(procedures()["statement"], record, user)
        keep_words(draft, "演示数据：我公司已更换包装并培训员工，说明材料整理中。", draft.version, user)
        attach(draft, "整改照片（演示）.png", [_picture()], user)


def _picture() -> bytes:
    """Draw a picture for the attachment: nothing of anybody."""
    picture = Image.new("RGB", (640, 400), "#e8eef5")
    ImageDraw.Draw(picture).rectangle((60, 60, 580, 340), outline="#1a5fb4", width=6)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
