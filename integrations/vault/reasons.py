"""Why a test failed, in the words of whoever looks at it."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrOrPromise

PRIVATE = gettext_lazy(
    "The host leads into a private network. Gatehouse calls such addresses only if the operator "
    "allows this host and port (setting OUTBOUND_PRIVATE_TARGETS)."
)
REASONS: Mapping[str, StrOrPromise] = {
    "vault.answer_refused": gettext_lazy(
        "The other system answered, but did not accept the call. Check the key, the header and "
        "the test address."
    ),
    "vault.no_worker": gettext_lazy("No worker carried out the test. Try again later."),
    "vault.worker_died": gettext_lazy(
        "The worker stopped before the test had a result, twice. Try again later; if it happens "
        "again, tell the operator."
    ),
    "vault.not_usable": gettext_lazy("The credential is disabled or destroyed."),
    "vault.lease_ended": gettext_lazy("The use of the credential was ended."),
    "vault.payload_foreign": gettext_lazy(
        "The stored key does not belong to this credential. The operator was told."
    ),
    "vault.zone": gettext_lazy("This worker may not open credentials: it is not in zone vault."),
    "vault.private_targets_unreadable": gettext_lazy(
        "The operator's list of private targets cannot be read."
    ),
    "encryption.zone": gettext_lazy(
        "This worker may not open credentials: it is not in zone vault."
    ),
    "encryption.erased": gettext_lazy("The key was destroyed."),
    "interface.host_refused": gettext_lazy("The test address is on no allowed host."),
    "http.port_refused": gettext_lazy("Only the ports 443 and 8443 may be called."),
    "http.certificate_refused": gettext_lazy(
        "The certificate of the other system is not trusted or names another host."
    ),
    "http.timeout": gettext_lazy("The other system did not answer in time."),
    "http.no_answer": gettext_lazy("The other system could not be reached."),
    "http.name_unknown": gettext_lazy("The host name is not known."),
    "http.answer_too_large": gettext_lazy("The answer is larger than allowed."),
}


def reason_of(code: str) -> str:
    """Return a sentence for the code of a failure; empty for no failure."""
    if not code:
        return ""
    if code.startswith("http.address_"):
        return str(PRIVATE)
    return str(REASONS.get(code) or _("The call could not be made (%(code)s).") % {"code": code})
