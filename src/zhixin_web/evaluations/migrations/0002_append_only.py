from django.db import migrations

from zhixin_web.audit.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("evaluations", "0001_initial")]
    operations = [
        append_only("evaluations_grade", "id"),
        append_only("evaluations_segment", "id"),
    ]
