"""Shapes of input about people; none of them writes."""

from typing import ClassVar, cast

from allauth.account.forms import LoginForm
from allauth.account.internal.flows.login import perform_password_login
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts import axes_glue, factors
from accounts.factors import Proof
from accounts.models import Membership, Role
from accounts.types import Theme
from foundation import rate_limit
from foundation.lines import check_one_line
from foundation.web.forms import PortalForm, SecretField, prepare

MAX_PASSPHRASE = 256
MAX_NAME = 120
MAX_CODE = 24
CODES_PER_WINDOW = 20
CODES_WINDOW_SECONDS = 900

LANGUAGE_CHOICES = tuple(settings.LANGUAGES)


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth ships no types
    """Address and passphrase; neither is kept in the session (trap J)."""

    autocomplete: ClassVar[dict[str, str]] = {
        "login": "username",
        "password": "current-password",
    }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail address")
        self.fields["login"].max_length = 254
        self.fields["login"].widget.attrs.pop("placeholder", None)
        self.fields["password"] = SecretField(
            label=_("Passphrase"), max_length=MAX_PASSPHRASE, help_text=""
        )
        prepare(self)

    def _login_with_password(
        self, request: HttpRequest, redirect_url: str | None, credentials: dict[str, object]
    ) -> HttpResponse:
        del credentials  # allauth would store the address in the session
        self._login.email = None
        self._login.redirect_url = redirect_url
        return cast("HttpResponse", perform_password_login(request, {}, self._login))


class _CodeChecks:
    """Lock-out and single use for allauth's code forms."""

    user: object
    proof: Proof | None = None
    is_step_up: ClassVar[bool] = False
    cleaned_data: dict[str, object]

    def clean_code(self) -> str:
        """Use up the code.

        Raises:
            ValidationError: wrong, used before, or too many failures.
        """
        request = context.request
        code = str(self.cleaned_data["code"])
        identifier = self.user.email  # type: ignore[attr-defined]  # set by allauth's base
        if not self._may_try(request, identifier):
            raise forms.ValidationError(
                _("Too many codes were wrong. Wait 15 minutes and try again."), code="locked"
            )
        self.proof = factors.check(self.user.pk, code)  # type: ignore[attr-defined]
        if self.proof is None:
            axes_glue.count_failure(request, identifier, method="totp", step_up=self.is_step_up)
            raise forms.ValidationError(
                _("This code is wrong or was used already. Wait for the next one."),
                code="incorrect_code",
            )
        if not self.is_step_up:
            rate_limit.forget(self._tries)
        self.authenticator = Authenticator.objects.select_related("user").get(
            user=self.user, type=self.proof.kind
        )
        return code

    @property
    def _tries(self) -> str:
        return f"second-factor:{self.user.pk}"  # type: ignore[attr-defined]  # as above

    def _may_try(self, request: HttpRequest, identifier: str) -> bool:
        """Count per net as axes does, and at sign-in over all nets together.

        Whoever holds the passphrase could else try codes from one net after the other. A step-up
        is not counted over all nets: the person is in already and stays so.
        """
        if not axes_glue.may_try(request, identifier, method="totp"):
            request.axes_locked_out = True  # type: ignore[attr-defined]  # axes' own
            return False
        return self.is_step_up or rate_limit.allow(
            self._tries, limit=CODES_PER_WINDOW, window_seconds=CODES_WINDOW_SECONDS
        )


class AxesAuthenticateForm(_CodeChecks, AuthenticateForm):  # type: ignore[misc]
    """Code of the second factor at sign-in."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        _prepare_code(self)


class AxesReauthenticateForm(_CodeChecks, ReauthenticateForm):  # type: ignore[misc]
    """Code of a step-up."""

    is_step_up = True

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        _prepare_code(self)


class EnrolmentForm(PortalForm):
    """Name and passphrase of an invited person."""

    autocomplete: ClassVar[dict[str, str]] = {
        "display_name": "name",
        "passphrase": "new-password",
    }

    display_name = forms.CharField(
        label=_("Your name"),
        help_text=_("Shown to members of your organisation. Example: Maria Nowak."),
        max_length=MAX_NAME,
        validators=[check_one_line],
    )
    passphrase = SecretField(
        label=_("New passphrase"),
        help_text=_(
            "At least 15 characters. Several words in a row are easy to remember and hard to "
            "guess. You can paste it from a password manager."
        ),
        max_length=MAX_PASSPHRASE,
    )


class CodeForm(PortalForm):
    """One code of an authenticator or a recovery code."""

    autocomplete: ClassVar[dict[str, str]] = {"code": "one-time-code"}

    code = forms.CharField(label=_("Code"), max_length=MAX_CODE)

    def __init__(self, *args: object, help_text: object = "", **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs.update(inputmode="numeric", spellcheck="false")
        self.fields["code"].help_text = help_text  # type: ignore[assignment]  # lazy text


class AddressForm(PortalForm):
    """An e-mail address."""

    autocomplete: ClassVar[dict[str, str]] = {"email": "email"}

    email = forms.EmailField(
        label=_("E-mail address"), help_text=_("The one you were invited with."), max_length=254
    )


class SetUpForm(PortalForm):
    """The operator and its first administrator."""

    autocomplete: ClassVar[dict[str, str]] = {
        "organisation_name": "organization",
        "email": "email",
    }

    organisation_name = forms.CharField(
        label=_("Name of your organisation"),
        help_text=_("It runs this portal. Example: Northwind Pumps GmbH."),
        max_length=200,
    )
    email = forms.EmailField(
        label=_("Your e-mail address"),
        help_text=_("You sign in with it. No mail is sent now."),
        max_length=254,
    )


class ProfileForm(PortalForm):
    """What a person changes about himself."""

    autocomplete: ClassVar[dict[str, str]] = {"display_name": "name", "language": "language"}

    display_name = forms.CharField(
        label=_("Your name"),
        help_text=_("Shown to members of your organisation. Example: Maria Nowak."),
        max_length=MAX_NAME,
        validators=[check_one_line],
    )
    language = forms.ChoiceField(
        label=_("Language"), help_text=_("Of pages and of mails to you."), choices=LANGUAGE_CHOICES
    )
    theme = forms.ChoiceField(label=_("Colours"), choices=Theme.choices)


class PassphraseForm(PortalForm):
    """The present and the new passphrase."""

    autocomplete: ClassVar[dict[str, str]] = {
        "old": "current-password",
        "passphrase": "new-password",
    }

    old = SecretField(label=_("Present passphrase"), max_length=MAX_PASSPHRASE)
    passphrase = SecretField(
        label=_("New passphrase"),
        help_text=_("At least 15 characters. All your other sessions end."),
        max_length=MAX_PASSPHRASE,
    )


class InviteForm(PortalForm):
    """Who is invited, with which role."""

    email = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("The invitation goes to this address and is good for 7 days."),
        max_length=254,
    )
    role = forms.ModelChoiceField(
        label=_("Role"),
        queryset=Role.objects.none(),
        help_text=_("What the person may do. You can change it later."),
        empty_label=None,
    )
    language = forms.ChoiceField(label=_("Language of the mail"), choices=LANGUAGE_CHOICES)

    def __init__(self, *args: object, roles: QuerySet[Role], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        field.queryset = roles  # type: ignore[attr-defined]  # a ModelChoiceField


class MemberRoleForm(PortalForm):
    """The role of a member."""

    role = forms.ModelChoiceField(
        label=_("Role"),
        queryset=Role.objects.none(),
        help_text=_("Acts at the next request of the person."),
        empty_label=None,
    )

    def __init__(
        self,
        *args: object,
        roles: QuerySet[Role],
        member: Membership,
        **kwargs: object,
    ) -> None:
        super().__init__(*args, initial={"role": member.role_id}, **kwargs)
        self.fields["role"].queryset = roles  # type: ignore[attr-defined]


def _prepare_code(form: forms.Form) -> None:
    """Label a library's code field: one input, no puzzle (WCAG 2.2, 3.3.8)."""
    field = form.fields["code"]
    field.label = _("Code")
    field.help_text = _("Six digits from your authenticator app, or one of your recovery codes.")
    field.max_length = MAX_CODE  # type: ignore[attr-defined]  # a CharField
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs.update(
        autocomplete="one-time-code",
        inputmode="numeric",
        spellcheck="false",
        maxlength=str(MAX_CODE),
    )
    prepare(form)
