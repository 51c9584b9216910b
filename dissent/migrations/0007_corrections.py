"""What was recorded wrongly is said rightly: corrections, and the rows that replace others."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("councils", "0002_absences"),
        ("dissent", "0006_the_childs_record"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Correction",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "of",
                    models.CharField(
                        choices=[
                            ("child", "What the record says of a child"),
                            ("end", "The end of the conference"),
                            ("attendance", "Who was at the conference"),
                            ("decision", "What was decided about which child"),
                        ],
                        max_length=10,
                    ),
                ),
                ("was", models.JSONField(default=dict)),
                ("now", models.JSONField(default=dict)),
                ("because", models.TextField()),
                (
                    "clocks",
                    models.JSONField(
                        default=list, help_text="Whose due time moved: case, clock, from when, to when."
                    ),
                ),
                ("corrected_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["corrected_at"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="attendance",
            name="attendance_once_a_person",
        ),
        migrations.AddField(
            model_name="attendance",
            name="replaced_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="attendance",
            name="replaces",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="successor",
                to="dissent.attendance",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="replaces",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="successor",
                to="dissent.decision",
            ),
        ),
        migrations.AddField(
            model_name="letter",
            name="replaces",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="successor",
                to="dissent.letter",
            ),
        ),
        migrations.AddField(
            model_name="moment",
            name="replaces",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="successor",
                to="dissent.moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="attendance",
            constraint=models.UniqueConstraint(
                condition=models.Q(("replaced_at", None)),
                fields=("conference", "person"),
                name="attendance_once_a_person",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="attendance",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="dissent.attendance",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="child",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="dissent.child",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="conference",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="dissent.conference",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="corrected_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="council",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="councils.council"
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="decision",
            field=models.ForeignKey(
                help_text="The new one.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="dissent.decision",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="dissent",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="dissent.dissent",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="moment",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dissent.moment"
            ),
        ),
        migrations.AddField(
            model_name="letter",
            name="ended_by",
            field=models.ForeignKey(
                help_text="What was corrected, so that it is not right any more.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="ended",
                to="dissent.correction",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(("because", ""), _negated=True), name="correction_says_why"
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("child__isnull", False), ("of", "child")),
                    models.Q(("moment__isnull", False), ("of", "end")),
                    models.Q(("attendance__isnull", False), ("of", "attendance")),
                    models.Q(("decision__isnull", False), ("dissent__isnull", False), ("of", "decision")),
                    _connector="OR",
                ),
                name="correction_names_what_is_right_now",
            ),
        ),
    ]
