"""Review comments come with the review they explain, and at a sweep whenever they were written."""

import pytest
from starlette.responses import JSONResponse

from tests.pulling.office import Office
from tests.servers.conftest import Fake
from tests.servers.dossiers import FORM, dossier
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id
from tpm_pipeline.errors import ServerError


class Review:
    """A submission, and what a reviewer does to it."""

    def __init__(self, office: Office) -> None:
        self.office, self.first = office, new_id()
        office.submit(dossier(instance_id=self.first))
        self._api, project = api_of(office.site)
        self._here = f"{project}/forms/{FORM}/submissions/{self.first}"

    def decide(self, state: str) -> None:
        self._api.patch(self._here, {"reviewState": state})

    def write(self, text: str) -> None:
        self._api.post(self._here + "/comments", {"body": text})

    def delete(self) -> None:
        self._api.delete(self._here)


def held(office: Office) -> list[str]:
    return [text for (text,) in office.all("select comment from raw.comment order by created_at")]


def test_a_comment_comes_with_its_review_and_once(central_office: Office) -> None:
    review = Review(central_office)
    assert central_office.comments() == 0
    review.write("L’âge manque.\nÀ demander")
    review.decide("hasIssues")

    assert central_office.comments() == 1
    assert central_office.comments() == central_office.comments(sweep=True) == 0

    assert held(central_office) == ["L’âge manque.\nÀ demander"]
    (kept,) = central_office.all("select form_id, submission_id, author <> '', created_at is not null from raw.comment")
    assert kept == (FORM, review.first, True, True)


def test_a_comment_written_later_is_found_by_the_next_review_or_sweep(central_office: Office) -> None:
    review = Review(central_office)
    review.decide("hasIssues")
    central_office.comments()

    review.write("premier")
    assert central_office.comments() == 0
    assert central_office.comments(sweep=True) == 1
    review.write("second")
    review.decide("approved")
    assert central_office.comments() == 1
    assert held(central_office) == ["premier", "second"]


def test_the_comment_of_an_edit_comes(central_office: Office) -> None:
    review = Review(central_office)
    central_office.submit(dossier(replaces=review.first))
    review.write("corrigé")

    assert central_office.comments() == 1


def test_what_was_deleted_meanwhile_is_no_error(central_office: Office) -> None:
    review = Review(central_office)
    review.decide("approved")
    central_office.rows()
    review.delete()

    assert central_office.comments() == 0
    assert held(central_office) == []


@pytest.mark.parametrize("step", range(3))
def test_interrupted_at_any_request_a_second_run_finishes(fake: Fake, fake_office: Office, step: int) -> None:
    reviews = [Review(fake_office) for _ in range(3)]
    for review in reviews:
        review.write("pourquoi")
        review.decide("rejected")
    fake_office.rows()
    well = iter(range(step))

    def fail(request: object) -> JSONResponse | None:
        is_it = "comments" in request.url.path  # type: ignore[attr-defined]
        return None if not is_it or next(well, None) is not None else JSONResponse({"message": "Internal"}, 500)

    fake.central.meddle = fail
    with pytest.raises(ServerError, match="SRV-007"):
        fake_office.comments()
    fake.central.meddle = lambda _: None
    fake.central.requests.clear()

    assert fake_office.comments() == 3 - step
    assert held(fake_office) == ["pourquoi"] * 3
    assert sum("comments" in request for request in fake.central.requests) == 3 - step


def test_a_server_without_reviews_has_none(office: Office) -> None:
    office.submit(dossier())

    assert office.comments(sweep=True) == 0
