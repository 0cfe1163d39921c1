"""Staff pages of keys: what there is, how old and how used, and how far rotations are.

Nothing here shows a key or a blob. Who starts a rotation or destroys an epoch proves a strong
factor again.
"""

from typing import ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from encryption.contributions import key_service_health
from encryption.key_tables import DataKey, KekEpoch, RootVersion, RotationRun
from encryption.permissions import DESTROY_KEYS, READ_KEYS, ROTATE_KEYS
from encryption.rotation import overview, runs
from encryption.router import KEYS
from encryption.types import GENERAL, VAULT, OwnerKind, RotationKind
from foundation.access.guards import step_up
from foundation.access.model_admin import GuardedModelAdmin
from foundation.contracts.health import HealthState
from foundation.errors import DomainError

REFRESH_SECONDS: Final = 5
_STAFF: Final = "staff"
_DATA_KEYS: Final = "encryption_datakey_changelist"
_STEP_UP: Final = step_up(seconds=300)


class RotationForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """What to rotate."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What is rotated"),
        choices=(
            (RotationKind.EPOCH, gettext_lazy("new epoch: all keys are wrapped anew")),
            (RotationKind.ROOT, gettext_lazy("new root version, and a new epoch under it")),
            (RotationKind.DATA_KEYS, gettext_lazy("new data keys: values are sealed anew")),
            (RotationKind.INDEX, gettext_lazy("new root of the blind index")),
        ),
    )
    owner_kind = forms.ChoiceField(
        label=gettext_lazy("Whose data keys"),
        required=False,
        choices=(
            ("", "---------"),
            *((kind.value, kind.label) for kind in OwnerKind if kind != OwnerKind.PURPOSE),
        ),
        help_text=gettext_lazy("For new data keys only."),
    )

    class Meta:
        model = RotationRun
        fields: ClassVar[list[str]] = []

    def clean(self) -> dict[str, object]:
        """Ask for the kind of owner where data keys are replaced."""
        cleaned = super().clean() or {}
        if cleaned.get("kind") == RotationKind.DATA_KEYS and not cleaned.get("owner_kind"):
            self.add_error("owner_kind", _("Say whose data keys are replaced."))
        return cleaned


def warn_of_state(request: HttpRequest) -> None:
    """Put over a page what is wrong with the key service, in words with the cure."""
    found = key_service_health()
    if found.state is not HealthState.GREEN:
        messages.warning(request, f"{found.detail} {found.cure}")


@admin.register(RotationRun)
class RotationRunAdmin(GuardedModelAdmin[RotationRun]):
    """Rotations: started here, worked on by loops, to be watched."""

    view_permission = READ_KEYS
    add_permission: ClassVar[str] = ROTATE_KEYS
    form = RotationForm
    list_display = ("title", "state", "progress", "started_at", "finished_at", "problem")
    list_filter = ("kind",)
    ordering = ("-started_at",)
    shown = (
        "title",
        "progress",
        "target",
        "started_by",
        "started_at",
        "finished_at",
        "note",
        "last_error",
    )

    @admin.display(description=gettext_lazy("rotation"))
    def title(self, run: RotationRun) -> str:
        """Return what is rotated."""
        return f"{run.get_kind_display()} · {run.purpose}"

    @admin.display(description=gettext_lazy("state"))
    def state(self, run: RotationRun) -> str:
        """Return whether it goes on."""
        return _("finished") if run.finished_at else _("running")

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, run: RotationRun) -> SafeString:
        """Draw how much is done."""
        done = max(run.total - run.left, 0)
        words = _("%(done)s of %(total)s") % {"done": done, "total": run.total}
        return format_html(
            '<progress aria-label="{}" value="{}" max="{}"></progress> {}',
            words,
            done,
            max(run.total, 1),
            words,
        )

    @admin.display(description=gettext_lazy("note"))
    def problem(self, run: RotationRun) -> str:
        """Return what keeps it, or what it leaves as it is."""
        return run.last_error or run.note

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those start a rotation who may rotate keys."""
        return self._staff_may(request, self.add_permission)

    def get_fields(self, request: HttpRequest, obj: RotationRun | None = None) -> tuple[str, ...]:
        """Ask what to rotate, or show a run."""
        del request
        return ("kind", "owner_kind") if obj is None else self.shown

    def get_readonly_fields(
        self, request: HttpRequest, obj: RotationRun | None = None
    ) -> tuple[str, ...]:
        """Let nobody change a run."""
        del request
        return () if obj is None else self.shown

    @method_decorator(_STEP_UP)
    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """Start a rotation after a recent proof of a strong factor."""
        return super().add_view(request, form_url, extra_context)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show runs; while one goes on the page asks again by itself."""
        warn_of_state(request)
        answer = super().changelist_view(request, extra_context)
        if runs.open_runs().exists():
            answer["Refresh"] = str(REFRESH_SECONDS)
        return answer

    def save_model(
        self,
        request: HttpRequest,
        obj: RotationRun,
        form: ModelForm[RotationRun],
        change: bool,  # noqa: ARG002, FBT001  Django's signature
    ) -> None:
        """Start what was chosen."""
        del request  # Django's own log says who
        started = _started(form.cleaned_data["kind"], form.cleaned_data["owner_kind"], by=_STAFF)
        obj.pk = started.pk
        obj._state.adding = False  # noqa: SLF001  the row exists: Django would insert it again
        obj.kind, obj.purpose = started.kind, started.purpose


@admin.register(KekEpoch)
class KekEpochAdmin(GuardedModelAdmin[KekEpoch]):
    """Epochs: state, age, what stands under them; an empty one can be destroyed."""

    view_permission = READ_KEYS
    destroy_permission: ClassVar[str] = DESTROY_KEYS
    list_display = ("name", "state", "root_version", "created_at", "keys")
    list_filter = ("state",)
    ordering = ("-number",)
    fields = ("name", "state", "root_version", "created_at", "keys")
    readonly_fields = fields

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show the list, and over it what is wrong with the key service."""
        warn_of_state(request)
        return super().changelist_view(request, extra_context)

    @admin.display(description=gettext_lazy("epoch"))
    def name(self, epoch: KekEpoch) -> str:
        """Return purpose and number."""
        return str(epoch)

    @admin.display(description=gettext_lazy("keys under it"))
    def keys(self, epoch: KekEpoch) -> int:
        """Return how many keys depend on it."""
        return sum(getattr(epoch, name, 0) for name in ("data", "index", "signing"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[KekEpoch]:
        """Count what stands under each epoch; those of the vault are not seen here."""
        rows = super().get_queryset(request).exclude(purpose=VAULT)
        return rows.annotate(
            data=Count("data_keys", distinct=True),
            index=Count("index_keys", distinct=True),
            signing=Count("signing_keys", distinct=True),
        )

    def has_delete_permission(self, request: HttpRequest, obj: KekEpoch | None = None) -> bool:  # noqa: ARG002
        """Let those destroy an epoch who may destroy keys."""
        return self._staff_may(request, self.destroy_permission)

    def get_actions(self, request: HttpRequest) -> dict[str, object]:  # type: ignore[override]
        """Offer no deletion from the list: an epoch is destroyed on its own page."""
        del request
        return {}

    @method_decorator(_STEP_UP)
    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, object] | None = None,  # noqa: ARG002  Django's signature
    ) -> HttpResponse:
        """Say what is lost, and start the destruction."""
        epoch = self.get_object(request, object_id)
        if not self.has_delete_permission(request) or epoch is None:
            raise PermissionDenied
        if request.method == "POST":
            return self._destroyed(request, epoch)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Destroy epoch %(epoch)s") % {"epoch": epoch},
            "epoch": epoch,
            "keys": self.keys(epoch),
            "opts": KekEpoch._meta,  # noqa: SLF001  Django's documented model API
        }
        return render(request, "encryption/admin/destroy.html", context)

    def _destroyed(self, request: HttpRequest, epoch: KekEpoch) -> HttpResponse:
        try:
            runs.start_destruction(epoch.purpose, epoch.number, by=_STAFF)
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(reverse("admin:encryption_kekepoch_changelist"))
        self.log_change(request, epoch, _("The epoch is being destroyed."))
        messages.success(request, _("The epoch is being destroyed."))
        return HttpResponseRedirect(reverse("admin:encryption_rotationrun_changelist"))


@admin.register(RootVersion)
class RootVersionAdmin(GuardedModelAdmin[RootVersion]):
    """Root versions by the names of their key service."""

    view_permission = READ_KEYS
    list_display = ("name", "state", "created_at", "needed_by")
    list_filter = ("state",)
    ordering = ("-created_at",)
    fields = list_display
    readonly_fields = fields

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show the list, and over it what is wrong with the key service."""
        warn_of_state(request)
        return super().changelist_view(request, extra_context)

    @admin.display(description=gettext_lazy("epochs that need it"))
    def needed_by(self, version: RootVersion) -> int:
        """Return how many live epochs it wraps."""
        return int(getattr(version, "needed", 0))

    def get_queryset(self, request: HttpRequest) -> QuerySet[RootVersion]:
        """Count the epochs that are not empty."""
        rows = super().get_queryset(request)
        return rows.annotate(needed=Count("wraps", filter=Q(wraps__emptied_at__isnull=True)))


@admin.register(DataKey)
class DataKeyAdmin(GuardedModelAdmin[DataKey]):
    """Data keys, counted by kind of owner: single ones say who somebody is."""

    view_permission = READ_KEYS

    def changelist_view(
        self,
        request: HttpRequest,
        extra_context: dict[str, object] | None = None,  # noqa: ARG002  Django's signature
    ) -> HttpResponse:
        """Show how many there are, how old and how used, and which fields they seal."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        warn_of_state(request)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Data keys by owner"),
            "lines": overview.data_keys(),
            "opts": DataKey._meta,  # noqa: SLF001  Django's documented model API
        }
        return render(request, "encryption/admin/data_keys.html", context)

    def get_urls(self) -> list[URLPattern]:
        """Have the list alone: no single key is shown."""
        return [address for address in super().get_urls() if address.name == _DATA_KEYS]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataKey]:
        """Show no single key."""
        return super().get_queryset(request).using(KEYS).none()


def _started(kind: str, owner_kind: str, *, by: str) -> RotationRun:
    if kind == RotationKind.ROOT:
        return runs.start_root(by=by)[0]
    if kind == RotationKind.DATA_KEYS:
        return runs.start_data_keys(owner_kind, by=by)
    if kind == RotationKind.INDEX:
        return runs.start_index(by=by)
    return runs.start_epoch(GENERAL, by=by)
