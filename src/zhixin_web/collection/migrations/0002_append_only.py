from django.db import migrations

from zhixin_web.audit.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("collection", "0001_initial")]
    operations = [append_only("collection_duplicaterow", "id")]
