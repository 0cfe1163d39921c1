"""The home page: what needs one's attention, card by card."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from foundation.access.guards import principal_of, signed_in
from foundation.web.cards import cards_for


@require_GET
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Show the cards that have something to say to the person."""
    return render(request, "portal/home.html", {"cards": cards_for(principal_of(request))})
