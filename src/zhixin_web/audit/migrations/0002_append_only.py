from django.db import migrations

from zhixin_web.audit.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        append_only("audit_event", "id"),
        append_only("audit_ledgerentry", "seq", gapless=True),
        append_only("audit_ledgertile", "number", gapless=True),
        append_only("audit_sealedbody", "seq", erasable=("body", "salt")),
        append_only("audit_signedcheckpoint", "id"),
        append_only("audit_rowcommitment", "id", projected=("head",)),
    ]
