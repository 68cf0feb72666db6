"""Web users of Central: the declared role, and nobody else's business. On the fake and on the real one."""

import re
from collections.abc import Iterator
from hashlib import md5

import pytest
from starlette.responses import JSONResponse

from tests.servers.conftest import Fake
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access, Change, Role


@pytest.fixture
def email(central: Site, request: pytest.FixtureRequest) -> Iterator[str]:
    """An address nobody has, the same on every Central; the account made for it goes with the test."""
    case = re.sub("(fake|real) central", "", request.node.name)
    address = f"Coordination.{md5(case.encode(), usedforsecurity=False).hexdigest()[:8]}@example.org"
    forget(central, address)
    yield address
    forget(central, address)


def forget(site: Site, address: str) -> None:
    api, _project = api_of(site)
    for user in api.get("/users", {"q": address}):
        if user["email"] == address:
            api.delete(f"/users/{user['id']}", tolerate=("404.1",))


def granted(site: Site, email: str) -> set[str]:
    api, project = api_of(site)
    (actor,) = [user["id"] for user in api.get("/users", {"q": email}) if user["email"].casefold() == email.casefold()]
    names = {role["id"]: role["system"] for role in api.get("/roles")}
    return {names[row["roleId"]] for row in api.get(f"{project}/assignments") if row["actorId"] == actor}


def test_somebody_without_an_account_is_invited_and_given_the_role_once(central: Site, email: str) -> None:
    access = Access(web_users={email: "manager"})

    line = f"web user {email}: project manager, invited by e-mail"
    assert central.server.deploy([visit_form()], access)[-1] == Change("create", line)

    assert granted(central, email) == {"manager"}
    assert central.server.deploy([visit_form()], access) == [Change("none", "visites 1")]


def test_an_account_is_known_however_its_address_is_written(central: Site, email: str) -> None:
    central.server.deploy([visit_form()], Access(web_users={email: "viewer"}))

    assert central.server.plan([visit_form()], Access(web_users={email.upper(): "viewer"})) == [
        Change("none", "visites 1")
    ]


@pytest.mark.parametrize(("before", "after"), [("viewer", "formfill"), ("manager", "viewer")])
def test_another_role_takes_the_place_of_the_one_before(central: Site, email: str, before: Role, after: Role) -> None:
    central.server.deploy([visit_form()], Access(web_users={email: before}))

    change = central.server.deploy([visit_form()], Access(web_users={email: after}))[-1]

    assert (change.action, granted(central, email)) == ("update", {after})
    assert central.server.plan([visit_form()], Access(web_users={email: after})) == [Change("none", "visites 1")]


def test_a_role_given_by_hand_beside_the_declared_one_is_shown_and_taken_back(central: Site, email: str) -> None:
    access = Access(web_users={email: "viewer"})
    central.server.deploy([visit_form()], access)
    api, project = api_of(central)
    actor = next(user["id"] for user in api.get("/users", {"q": email}))
    api.post(f"{project}/assignments/manager/{actor}")

    line = f"web user {email}: project viewer, not project manager"
    assert central.server.deploy([visit_form()], access)[-1] == Change("update", line)
    assert granted(central, email) == {"viewer"}


def test_somebody_who_is_not_declared_keeps_the_role_a_hand_gave(central: Site, email: str) -> None:
    central.server.deploy([visit_form()], Access(web_users={email: "viewer"}))

    assert central.server.deploy([visit_form()]) == [Change("none", "visites 1")]
    assert granted(central, email) == {"viewer"}


def test_a_refusal_that_quotes_an_address_is_told_without_it(fake: Fake) -> None:
    quoting = {"message": "A resource already exists with email value(s) of amina@example.org,false.", "code": 409.3}
    fake.central.meddle = lambda request: (
        JSONResponse(quoting, 409) if (request.method, request.url.path) == ("POST", "/v1/users") else None
    )

    with pytest.raises(ServerError) as error:
        fake.site.server.deploy([visit_form()], Access(web_users={"amina@example.org": "viewer"}))

    assert error.value.code == "SRV-013"
    assert "amina" not in str(error.value)


def test_a_web_user_who_may_not_invite_is_told_what_is_missing(fake: Fake) -> None:
    refusal = {"message": "The authentication you provided does not have rights …", "code": 403.1}
    fake.central.meddle = lambda request: (
        JSONResponse(refusal, 403) if (request.method, request.url.path) == ("POST", "/v1/users") else None
    )

    with pytest.raises(ServerError, match="SRV-011"):
        fake.site.server.deploy([visit_form()], Access(web_users={"amina@example.org": "viewer"}))


def test_addresses_do_not_show_in_a_printed_declaration() -> None:
    assert "amina" not in repr(Access(web_users={"amina@example.org": "viewer"}))
