"""Pages of the demo."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models.role import SHIPPED_NAMES
from portal.demo import mailbox, people
from portal.demo.guard import demo_only


@require_GET
@never_cache
@demo_only
def demo(request: HttpRequest) -> HttpResponse:
    """Show each made-up person with passphrase and present code."""
    shown = [
        {
            "person": person,
            "role": SHIPPED_NAMES.get(person.role, person.role),
            "code": people.current_code(person.totp_secret),
        }
        for person in people.load()
    ]
    return render(request, "portal/demo.html", {"people": shown})


@require_GET
@never_cache
@demo_only
def mail(request: HttpRequest) -> HttpResponse:
    """Show the mail that was sent."""
    return render(request, "portal/demo_mail.html", {"mails": mailbox.newest()})
