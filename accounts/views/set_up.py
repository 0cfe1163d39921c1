"""The first administrator, by a code that the server printed."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from accounts.forms import SetUpForm
from accounts.services import set_up
from accounts.views.sign_in import GET_AND_POST
from foundation.access.guards import open_to_all, without_scope
from foundation.web.forms import render_form


@require_http_methods(GET_AND_POST)
@open_to_all("the printed code is the right to come")
@without_scope
def begin(request: HttpRequest, code: str) -> HttpResponse:
    """Name the operator and the first administrator, then go on with the enrolment."""
    set_up.opened(code)
    form = SetUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        link = set_up.begin(
            code,
            organisation_name=form.cleaned_data["organisation_name"],
            email=form.cleaned_data["email"],
            language=str(getattr(request, "LANGUAGE_CODE", "en")),
        )
        return HttpResponseRedirect(link)
    return render_form(request, "accounts/set_up.html", form)
