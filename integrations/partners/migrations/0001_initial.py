"""First tables of the partners.

They come before those of oauth2_provider, whose tokens point at our client: the swapped
application must exist when its first migration runs.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import oauth2_provider.generators
from django.conf import settings
from django.db import migrations, models

import encryption.fields
import encryption.sealed
import foundation.identifiers


class Migration(migrations.Migration):
    initial = True

    run_before = [("oauth2_provider", "0001_initial")]

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ApprovalRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=foundation.identifiers.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("plan", models.CharField(blank=True, default="", max_length=32, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("automatic", "Certificate"),
                            ("staff", "Certificate and approval by staff"),
                            ("staff_without_certificate", "Approval by staff, without certificate"),
                        ],
                        max_length=32,
                    ),
                ),
                ("changed_at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, default="", max_length=1000)),
            ],
            options={
                "verbose_name": "approval rule",
                "verbose_name_plural": "approval rules",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["automatic", "staff", "staff_without_certificate"])
                        ),
                        name="partners_approval_rule_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Onboarding",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=foundation.identifiers.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("started", "Started"),
                            ("address_confirmed", "Address confirmed"),
                            ("described", "Described"),
                            ("domain_proved", "Domain proved"),
                            ("agreed", "Terms accepted"),
                            ("sandbox", "Sandbox"),
                            ("certifying", "Certifying"),
                            ("certified", "Certified"),
                            ("awaiting_approval", "Awaiting approval"),
                            ("live", "Live"),
                            ("suspended", "Suspended"),
                            ("refused", "Refused"),
                            ("lapsed", "Lapsed"),
                            ("ended", "Ended"),
                        ],
                        default="started",
                        max_length=24,
                    ),
                ),
                ("resumes_to", models.CharField(blank=True, default="", max_length=24)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "contact_subject_id",
                    models.UUIDField(default=foundation.identifiers.uuid7, editable=False),
                ),
                (
                    "contact_email",
                    encryption.fields.SealedEmailField(
                        blind_index=True,
                        label="partners.onboarding.contact_email",
                        owner="contact_subject_id",
                        owner_kind="subject",
                    ),
                ),
                (
                    "contact_name",
                    encryption.fields.SealedTextField(
                        label="partners.onboarding.contact_name",
                        null=True,
                        owner="contact_subject_id",
                        owner_kind="subject",
                    ),
                ),
                ("language", models.CharField(default="en", max_length=8)),
                ("email_domain", models.CharField(max_length=255)),
                ("started_net", models.CharField(blank=True, default="", max_length=64)),
                ("registration_hash", models.CharField(max_length=64, unique=True)),
                ("registration_expires_at", models.DateTimeField()),
                ("confirmation_hash", models.CharField(max_length=64, null=True, unique=True)),
                ("confirmation_expires_at", models.DateTimeField(null=True)),
                ("confirmation_sent_at", models.DateTimeField(null=True)),
                ("organisation_name", models.CharField(blank=True, default="", max_length=200)),
                ("purpose", models.CharField(blank=True, default="", max_length=500)),
                (
                    "wanted_scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("jwks", models.JSONField(blank=True, default=dict)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision_reason", models.CharField(blank=True, default="", max_length=1000)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("warned_at", models.DateTimeField(null=True)),
                (
                    "contact_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="onboarding",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "sandbox_organisation",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "onboarding",
                "verbose_name_plural": "onboardings",
            },
            bases=(encryption.sealed.SealedMixin, models.Model),
            managers=[
                ("objects", encryption.sealed.SealedManager()),
            ],
        ),
        migrations.CreateModel(
            name="OnboardingStep",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=foundation.identifiers.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "from_state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("started", "Started"),
                            ("address_confirmed", "Address confirmed"),
                            ("described", "Described"),
                            ("domain_proved", "Domain proved"),
                            ("agreed", "Terms accepted"),
                            ("sandbox", "Sandbox"),
                            ("certifying", "Certifying"),
                            ("certified", "Certified"),
                            ("awaiting_approval", "Awaiting approval"),
                            ("live", "Live"),
                            ("suspended", "Suspended"),
                            ("refused", "Refused"),
                            ("lapsed", "Lapsed"),
                            ("ended", "Ended"),
                        ],
                        max_length=24,
                    ),
                ),
                (
                    "to_state",
                    models.CharField(
                        choices=[
                            ("started", "Started"),
                            ("address_confirmed", "Address confirmed"),
                            ("described", "Described"),
                            ("domain_proved", "Domain proved"),
                            ("agreed", "Terms accepted"),
                            ("sandbox", "Sandbox"),
                            ("certifying", "Certifying"),
                            ("certified", "Certified"),
                            ("awaiting_approval", "Awaiting approval"),
                            ("live", "Live"),
                            ("suspended", "Suspended"),
                            ("refused", "Refused"),
                            ("lapsed", "Lapsed"),
                            ("ended", "Ended"),
                        ],
                        max_length=24,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("actor_type", models.CharField(max_length=16)),
                ("actor_id", models.UUIDField(null=True)),
                ("evidence", models.JSONField(default=dict)),
                (
                    "onboarding",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="partners.onboarding",
                    ),
                ),
            ],
            options={
                "verbose_name": "onboarding step",
                "verbose_name_plural": "onboarding steps",
                "ordering": ["at", "id"],
            },
        ),
        migrations.CreateModel(
            name="PartnerClient",
            fields=[
                (
                    "client_id",
                    models.CharField(
                        db_index=True,
                        default=oauth2_provider.generators.generate_client_id,
                        max_length=255,
                        unique=True,
                        verbose_name="client ID",
                    ),
                ),
                (
                    "redirect_uris",
                    models.TextField(
                        blank=True,
                        help_text="Allowed URIs list, space separated",
                        verbose_name="redirect URIs",
                    ),
                ),
                (
                    "post_logout_redirect_uris",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Allowed Post Logout URIs list, space separated",
                        verbose_name="post logout redirect URIs",
                    ),
                ),
                (
                    "client_type",
                    models.CharField(
                        choices=[("confidential", "Confidential"), ("public", "Public")],
                        max_length=32,
                        verbose_name="client type",
                    ),
                ),
                (
                    "authorization_grant_type",
                    models.CharField(
                        choices=[
                            ("authorization-code", "Authorization code"),
                            ("urn:ietf:params:oauth:grant-type:device_code", "Device Code"),
                            ("implicit", "Implicit"),
                            ("password", "Resource owner password-based"),
                            ("client-credentials", "Client credentials"),
                            ("openid-hybrid", "OpenID connect hybrid"),
                        ],
                        max_length=44,
                        verbose_name="authorization grant type",
                    ),
                ),
                (
                    "hash_client_secret",
                    models.BooleanField(default=True, verbose_name="hash client secret"),
                ),
                ("name", models.CharField(blank=True, max_length=255, verbose_name="name")),
                (
                    "skip_authorization",
                    models.BooleanField(default=False, verbose_name="skip authorization"),
                ),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "algorithm",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "No OIDC support"),
                            ("RS256", "RSA with SHA-2 256"),
                            ("HS256", "HMAC with SHA-2 256"),
                        ],
                        default="",
                        max_length=5,
                        verbose_name="algorithm",
                    ),
                ),
                (
                    "allowed_origins",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Allowed origins list to enable CORS, space separated",
                        verbose_name="allowed origins",
                    ),
                ),
                (
                    "registration_source",
                    models.CharField(
                        choices=[
                            ("manual", "Manual"),
                            ("dcr", "Dynamic Client Registration"),
                            ("cimd", "Client ID Metadata Document"),
                        ],
                        default="manual",
                        help_text="How this application was registered (manual, DCR per RFC 7591, or CIMD)",
                        max_length=32,
                        verbose_name="registration source",
                    ),
                ),
                (
                    "cimd_expires_at",
                    models.DateTimeField(
                        blank=True,
                        default=None,
                        help_text="When the cached Client ID Metadata Document should be re-fetched",
                        null=True,
                        verbose_name="CIMD expires at",
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=foundation.identifiers.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "client_secret",
                    models.CharField(blank=True, default="", editable=False, max_length=255),
                ),
                (
                    "environment",
                    models.CharField(
                        choices=[("sandbox", "Sandbox"), ("live", "Live")], max_length=16
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("valid_until", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "allowed_scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), default=list, size=None
                    ),
                ),
                ("granted_fields", models.JSONField(default=dict)),
                (
                    "ip_allowlist",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("jwks", models.JSONField(blank=True, default=dict)),
                ("plan", models.CharField(default="standard", max_length=32)),
                ("purpose", models.CharField(max_length=500)),
                ("last_used_at", models.DateTimeField(null=True)),
                ("last_used_net", models.CharField(blank=True, default="", max_length=64)),
                (
                    "acts_in",
                    models.ForeignKey(
                        editable=False,
                        help_text="Whose data it reads and writes: the organisation itself, or its sandbox.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "onboarding",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clients",
                        to="partners.onboarding",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        editable=False,
                        help_text="Whose client it is.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="partner_clients",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="owned_partner_clients",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "partner client",
                "verbose_name_plural": "partner clients",
            },
        ),
        migrations.CreateModel(
            name="ClientSecret",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=foundation.identifiers.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hash", models.CharField(max_length=64, unique=True)),
                (
                    "form_id",
                    models.UUIDField(help_text="The form that made it, used once.", unique=True),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="secrets",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "client secret",
                "verbose_name_plural": "client secrets",
            },
        ),
        migrations.CreateModel(
            name="UsedAssertion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=foundation.identifiers.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("jti_hash", models.CharField(max_length=64)),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "used assertion",
                "verbose_name_plural": "used assertions",
            },
        ),
        migrations.AddIndex(
            model_name="onboarding",
            index=models.Index(fields=["state", "changed_at"], name="partners_on_state_10fb1b_idx"),
        ),
        migrations.AddConstraint(
            model_name="onboarding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "started",
                            "address_confirmed",
                            "described",
                            "domain_proved",
                            "agreed",
                            "sandbox",
                            "certifying",
                            "certified",
                            "awaiting_approval",
                            "live",
                            "suspended",
                            "refused",
                            "lapsed",
                            "ended",
                        ],
                    )
                ),
                name="partners_onboarding_state",
            ),
        ),
        migrations.AddIndex(
            model_name="partnerclient",
            index=models.Index(
                fields=["organisation", "environment"], name="partners_pa_organis_b108f3_idx"
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerclient",
            constraint=models.CheckConstraint(
                condition=models.Q(("client_secret", "")), name="partners_client_no_secret_column"
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerclient",
            constraint=models.CheckConstraint(
                condition=models.Q(("environment__in", ["sandbox", "live"])),
                name="partners_client_environment",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerclient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("environment", "sandbox"),
                    ("acts_in", models.F("organisation")),
                    _connector="OR",
                ),
                name="partners_client_live_acts_in_own",
            ),
        ),
        migrations.AddConstraint(
            model_name="usedassertion",
            constraint=models.UniqueConstraint(
                fields=("client", "jti_hash"), name="partners_assertion_once"
            ),
        ),
    ]
