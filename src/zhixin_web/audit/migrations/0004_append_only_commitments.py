from django.db import migrations

from zhixin_web.audit.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_row_commitment")]
    operations = [append_only("audit_rowcommitment", "id", projected=("head",))]
