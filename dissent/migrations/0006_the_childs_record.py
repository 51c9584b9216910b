"""What goes onto a child's record, and that the database refuses to change it once it is made."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

TABLE = "dissent_recordpackcontent"
POSTGRESQL = f"""
CREATE TRIGGER record_packs_are_never_emptied BEFORE TRUNCATE ON {TABLE}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER record_pack_never_changes BEFORE UPDATE OR DELETE ON {TABLE}
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
POSTGRESQL_BACK = f"""
DROP TRIGGER record_pack_never_changes ON {TABLE};
DROP TRIGGER record_packs_are_never_emptied ON {TABLE};
"""


def forwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute(POSTGRESQL)
            return
        # SQLite replaces a row (INSERT OR REPLACE) without asking the trigger on deleting.
        replaced = f"WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE pack_id = NEW.pack_id)"  # noqa: S608
        for act, when in (("UPDATE", ""), ("DELETE", ""), ("INSERT", replaced)):
            cursor.execute(
                f"CREATE TRIGGER {TABLE}_no_{act.lower()} BEFORE {act} ON {TABLE} {when} BEGIN "
                f"SELECT RAISE(ABORT, '{TABLE} only grows: a row is never changed or deleted'); END"
            )


def backwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute(POSTGRESQL_BACK)
            return
        for act in ("update", "delete", "insert"):
            cursor.execute(f"DROP TRIGGER {TABLE}_no_{act}")


class Migration(migrations.Migration):
    dependencies = [
        ("councils", "0002_absences"),
        ("dissent", "0005_unmatched"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="child",
            name="record_number_because",
            field=models.TextField(blank=True, help_text="Why it was put right."),
        ),
        migrations.AddField(
            model_name="decision",
            name="goes_on_record",
            field=models.BooleanField(default=False, help_text="Whether it goes on each child's record."),
        ),
        migrations.CreateModel(
            name="RecordPack",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("says", models.JSONField(help_text="Everything the file is made from.")),
                ("size", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("manifest_sha256", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                ("replaced_at", models.DateTimeField(null=True)),
                (
                    "overtaken_at",
                    models.DateTimeField(help_text="When something that it says was corrected.", null=True),
                ),
                (
                    "uploaded_on",
                    models.DateField(
                        help_text="The day on which it went onto the child's record.", null=True
                    ),
                ),
                ("upload_said_at", models.DateTimeField(null=True)),
                (
                    "child",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dissent.child"
                    ),
                ),
                (
                    "council",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="councils.council"
                    ),
                ),
                (
                    "dissent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="record_packs",
                        to="dissent.dissent",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "upload_said_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["made_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="RecordPackContent",
            fields=[
                (
                    "pack",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="content",
                        serialize=False,
                        to="dissent.recordpack",
                    ),
                ),
                ("pdf", models.BinaryField()),
                ("manifest", models.BinaryField()),
            ],
        ),
        migrations.AddConstraint(
            model_name="recordpack",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("upload_said_at__isnull", True), ("upload_said_by__isnull", True)),
                    models.Q(("upload_said_at__isnull", False), ("upload_said_by__isnull", False)),
                    _connector="OR",
                ),
                name="record_pack_upload_said_at_and_by",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordpack",
            constraint=models.UniqueConstraint(
                condition=models.Q(("replaced_at", None)),
                fields=("dissent", "child"),
                name="record_pack_once_a_child",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordpack",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("upload_said_at", None), ("uploaded_on", None)),
                    models.Q(("upload_said_at__isnull", False), ("uploaded_on__isnull", False)),
                    _connector="OR",
                ),
                name="record_pack_uploaded_says_who",
            ),
        ),
        migrations.RunPython(forwards, backwards),
    ]
