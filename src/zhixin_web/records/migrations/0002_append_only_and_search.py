from django.db import migrations

from zhixin_web.audit.triggers import append_only


def make_search(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute("CREATE TABLE records_search (subject_id bigint PRIMARY KEY, words tsvector NOT NULL)")
        editor.execute("CREATE INDEX records_search_words ON records_search USING gin (words)")
    else:
        editor.execute("CREATE VIRTUAL TABLE records_search USING fts5(words, tokenize='unicode61')")


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]
    operations = [
        append_only(
            "records_creditrecord",
            "seq",
            erasable=("body", "salt"),
            projected=("severity", "publicity_from", "publicity_min_until", "publicity_until"),
        ),
        append_only("records_subjectversion", "seq", erasable=("body", "salt")),
        migrations.RunPython(make_search, migrations.RunPython.noop),
    ]
