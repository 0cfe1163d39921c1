"""The fixed cast of tests: each is the browser of a person who is signed in.

Alice owns what a test is about, Bob is a colleague of hers, Kim is their key user, Carol belongs to
another customer, Paul to a partner, Ada is the administrator of the operator.
"""

import pytest

from accounts.models import Organisation
from accounts.types import OrganisationKind
from tests.factories import accounts
from tests.factories.accounts import Browser


@pytest.fixture
def aurora() -> Organisation:
    """The customer of Alice, Bob and Kim."""
    return accounts.organisation(name="Aurora Instruments")


@pytest.fixture
def alice(aurora: Organisation) -> Browser:
    """Alice, a customer."""
    return accounts.browser(of=aurora, name="Alice Archer")


@pytest.fixture
def bob(aurora: Organisation) -> Browser:
    """Bob, a colleague of Alice."""
    return accounts.browser(of=aurora, name="Bob Baker")


@pytest.fixture
def kim(aurora: Organisation) -> Browser:
    """Kim, the key user of Alice's organisation."""
    return accounts.browser("key_user", of=aurora, name="Kim Keyes")


@pytest.fixture
def carol() -> Browser:
    """Carol, of another customer."""
    return accounts.browser(name="Carol Castle")


@pytest.fixture
def paul() -> Browser:
    """Paul, of a partner organisation."""
    return accounts.browser("partner", kind=OrganisationKind.PARTNER, name="Paul Porter")


@pytest.fixture
def ada() -> Browser:
    """Ada, the administrator of the operator."""
    return accounts.browser("administrator", kind=OrganisationKind.OPERATOR, name="Ada Adler")


@pytest.fixture
def visitor() -> Browser:
    """A browser in which nobody is signed in."""
    return Browser()
