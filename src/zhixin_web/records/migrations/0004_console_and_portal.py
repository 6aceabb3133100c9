from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("records", "0003_resuming")]
    operations = [
        migrations.RemoveField(model_name="batch", name="done_rows"),
        migrations.RemoveField(model_name="batch", name="stage"),
        migrations.AddIndex(
            model_name="creditrecord",
            index=models.Index(condition=models.Q(("version__gt", 1)), fields=["seq"], name="records_changed"),
        ),
        migrations.AddIndex(
            model_name="creditrecord",
            index=models.Index(
                condition=models.Q(("publicity_from__isnull", False)),
                fields=["publicity_until", "decided_on"],
                name="records_published",
            ),
        ),
    ]
