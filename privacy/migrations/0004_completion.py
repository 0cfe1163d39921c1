from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("privacy", "0003_forgotten_work")]

    operations = [
        migrations.AddField("erasureplan", "key_epoch", models.PositiveIntegerField(null=True)),
        migrations.AddField("erasureplan", "completed_at", models.DateTimeField(null=True)),
        migrations.AddConstraint(
            "erasureplan",
            models.CheckConstraint(
                condition=~models.Q(state="complete") | models.Q(completed_at__isnull=False),
                name="privacy_plan_complete_has_time",
            ),
        ),
    ]
