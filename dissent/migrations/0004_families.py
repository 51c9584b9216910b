"""What families are told, and by which letter."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def each_is_somebody_else(apps, schema_editor):
    """Nobody has said yet of two rows that they are one person."""
    Relative = apps.get_model("dissent", "Relative")
    for pk in Relative.objects.values_list("pk", flat=True).iterator():
        Relative.objects.filter(pk=pk).update(who=uuid.uuid4())


class Migration(migrations.Migration):
    dependencies = [
        ("councils", "0001_initial"),
        ("dissent", "0003_ended_undecided"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ChildTold",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("told_on", models.DateField(null=True)),
                ("told_by", models.CharField(blank=True, max_length=200)),
                (
                    "why_not",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("age", "The child is too young to understand it"),
                            ("risk", "Telling the child would put somebody at risk"),
                        ],
                        max_length=10,
                    ),
                ),
                ("words", models.TextField(blank=True)),
                ("recorded_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="HeldBack",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("who", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("police", "The police asked for it"),
                            ("court", "A court, or a case before one"),
                            ("risk", "A risk to somebody"),
                        ],
                        max_length=10,
                    ),
                ),
                ("why", models.TextField()),
                ("held_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
                ("lifted_because", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["held_at"],
            },
        ),
        migrations.CreateModel(
            name="MayHear",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("stage", models.CharField(max_length=60)),
                ("who", models.UUIDField()),
                ("may", models.BooleanField()),
                ("said_by", models.CharField(max_length=200)),
                ("why", models.TextField()),
                ("answered_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["answered_at"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="letter",
            name="letter_has_an_addressee",
        ),
        migrations.AddField(
            model_name="finding",
            name="plain_reasons",
            field=models.TextField(blank=True, help_text="For the family, where they have a letter."),
        ),
        migrations.AddField(
            model_name="letter",
            name="about",
            field=models.ManyToManyField(
                help_text="For a family: of whom it speaks.", related_name="+", to="dissent.child"
            ),
        ),
        migrations.AddField(
            model_name="letter",
            name="goes_by",
            field=models.CharField(
                blank=True,
                choices=[
                    ("email", "By a link, sent by e-mail"),
                    ("post", "Printed, and sent by post"),
                    ("by_hand", "Printed, and given by the social worker"),
                    ("printed", "Printed, and given in person"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="letter",
            name="handed_over_how",
            field=models.CharField(
                blank=True,
                choices=[
                    ("email", "By a link, sent by e-mail"),
                    ("post", "Printed, and sent by post"),
                    ("by_hand", "Printed, and given by the social worker"),
                    ("printed", "Printed, and given in person"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="letter",
            name="who",
            field=models.UUIDField(help_text="For somebody of the family: who, as in Relative.", null=True),
        ),
        migrations.AddField(
            model_name="relative",
            name="replaced_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="relative",
            name="replaced_because",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="relative",
            name="replaced_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="relative",
            name="replaces",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="successor",
                to="dissent.relative",
            ),
        ),
        migrations.AddField(
            model_name="relative",
            name="who",
            field=models.UUIDField(null=True, editable=False),
        ),
        migrations.RunPython(each_is_somebody_else, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="relative",
            name="who",
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
        migrations.AddConstraint(
            model_name="letter",
            constraint=models.UniqueConstraint(
                condition=models.Q(("replaced_at", None), ("who__isnull", False)),
                fields=("decision", "rule", "who"),
                name="letter_once_a_decision_and_relative",
            ),
        ),
        migrations.AddConstraint(
            model_name="letter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("to__isnull", False),
                    ("attendance__isnull", False),
                    ("who__isnull", False),
                    _connector="OR",
                ),
                name="letter_has_an_addressee",
            ),
        ),
        migrations.AddConstraint(
            model_name="letter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("goes_by", ""), ("who", None)),
                    models.Q(
                        ("attendance", None),
                        ("goes_by", "email"),
                        ("to__isnull", False),
                        ("who__isnull", False),
                    ),
                    models.Q(
                        ("attendance", None),
                        ("goes_by__in", ["post", "by_hand", "printed"]),
                        ("to", None),
                        ("who__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="letter_to_a_relative_says_how_it_goes",
            ),
        ),
        migrations.AddConstraint(
            model_name="relative",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("replaced_at__isnull", True), ("replaced_by__isnull", True)),
                    models.Q(("replaced_at__isnull", False), ("replaced_by__isnull", False)),
                    _connector="OR",
                ),
                name="relative_replaced_at_and_by",
            ),
        ),
        migrations.AddConstraint(
            model_name="relative",
            constraint=models.UniqueConstraint(
                condition=models.Q(("replaced_at", None)),
                fields=("child", "who"),
                name="relative_once_a_child_and_person",
            ),
        ),
        migrations.AddField(
            model_name="childtold",
            name="child",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dissent.child"
            ),
        ),
        migrations.AddField(
            model_name="childtold",
            name="council",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="councils.council"
            ),
        ),
        migrations.AddField(
            model_name="childtold",
            name="decision",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="children_told",
                to="dissent.decision",
            ),
        ),
        migrations.AddField(
            model_name="childtold",
            name="dissent",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="children_told",
                to="dissent.dissent",
            ),
        ),
        migrations.AddField(
            model_name="childtold",
            name="recorded_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="heldback",
            name="council",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="councils.council"
            ),
        ),
        migrations.AddField(
            model_name="heldback",
            name="dissent",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="held_back", to="dissent.dissent"
            ),
        ),
        migrations.AddField(
            model_name="heldback",
            name="held_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="heldback",
            name="lifted_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="mayhear",
            name="answered_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="mayhear",
            name="child",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="dissent.child"
            ),
        ),
        migrations.AddField(
            model_name="mayhear",
            name="council",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="councils.council"
            ),
        ),
        migrations.AddField(
            model_name="mayhear",
            name="dissent",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="may_hear", to="dissent.dissent"
            ),
        ),
        migrations.AddConstraint(
            model_name="childtold",
            constraint=models.UniqueConstraint(
                fields=("decision", "child"), name="child_told_once_a_decision"
            ),
        ),
        migrations.AddConstraint(
            model_name="childtold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("told_on__isnull", False), ("why_not", ""), models.Q(("told_by", ""), _negated=True)
                    ),
                    models.Q(
                        ("told_by", ""),
                        ("told_on", None),
                        models.Q(("why_not", ""), _negated=True),
                        models.Q(("words", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="child_was_told_or_it_says_why_not",
            ),
        ),
        migrations.AddConstraint(
            model_name="heldback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lifted_at__isnull", True), ("lifted_by__isnull", True)),
                    models.Q(("lifted_at__isnull", False), ("lifted_by__isnull", False)),
                    _connector="OR",
                ),
                name="held_back_lifted_at_and_by",
            ),
        ),
        migrations.AddConstraint(
            model_name="heldback",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at", None)),
                fields=("dissent", "who"),
                name="held_back_once_a_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="heldback",
            constraint=models.CheckConstraint(
                condition=models.Q(("why", ""), _negated=True), name="held_back_says_why"
            ),
        ),
        migrations.AddConstraint(
            model_name="mayhear",
            constraint=models.UniqueConstraint(
                fields=("dissent", "stage", "who", "child"), name="may_hear_once_a_stage_person_and_child"
            ),
        ),
        migrations.AddConstraint(
            model_name="mayhear",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("said_by", ""), _negated=True), models.Q(("why", ""), _negated=True)
                ),
                name="may_hear_says_who_said_so_and_why",
            ),
        ),
    ]
