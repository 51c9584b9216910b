import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("councils", "0001_initial"),
        ("dissent", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="dissent",
            name="lapse_reasons",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="dissent",
            name="lapsed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="dissent",
            name="lapsed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="dissent",
            name="tried",
            field=models.TextField(blank=True, help_text="How, and what came of it."),
        ),
        migrations.AddField(
            model_name="dissent",
            name="tried_at",
            field=models.DateTimeField(
                help_text="When somebody last tried to reach the dissenter.", null=True
            ),
        ),
        migrations.AddField(
            model_name="dissent",
            name="withdrawal_reasons",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="dissent",
            name="withdrawn_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="dissent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lapsed_at__isnull", True), ("lapsed_by__isnull", True)),
                    models.Q(("lapsed_at__isnull", False), ("lapsed_by__isnull", False)),
                    _connector="OR",
                ),
                name="dissent_lapsed_at_and_by",
            ),
        ),
        migrations.AddConstraint(
            model_name="dissent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lapsed_at", None), ("tried", ""), ("tried_at", None)),
                    models.Q(
                        ("lapsed_at__isnull", False),
                        ("tried_at__isnull", False),
                        models.Q(("tried", ""), _negated=True),
                        models.Q(("lapse_reasons", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="dissent_lapsed_after_trying",
            ),
        ),
    ]
