"""Assets of KoboToolbox: which of them are a project's forms, and in which versions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tpm_pipeline.errors import FormError, ServerError
from tpm_pipeline.forms import content
from tpm_pipeline.records import FormVersion
from tpm_pipeline.servers.kobo_api import KoboApi, address

MARK = "tpm"
"""The key of an asset's settings by which we know it again: people may rename an asset, and its page keeps this."""


@dataclass(frozen=True)
class Asset:
    """A form on the server, or the one of an office.

    `mark` is what we wrote beside it. `facts` change whenever a submission is added.
    """

    uid: str
    form_id: str
    office: str
    name: str
    mark: Mapping[str, Any] = field(repr=False)
    owner: str
    version: str
    deployed: str | None
    is_active: bool
    facts: tuple[int, str | None]

    @property
    def path(self) -> str:
        """Its address."""
        return address("assets", self.uid)


class Assets:
    """The forms of a project, as the server has them."""

    def __init__(self, api: KoboApi, project: str) -> None:
        self.api, self.project = api, project
        self._contents: dict[str, bytes] = {}

    def all(self) -> list[Asset]:
        """Every form, by form and office."""
        query = {"q": f'asset_type:survey AND settings__{MARK}__project:"{self.project}"'}
        found = [read(row) for row in self.api.all("/assets/", query)]
        return sorted(found, key=lambda asset: (asset.form_id, asset.office, asset.uid))

    def versions(self, form_id: str, among: Iterable[Asset]) -> list[FormVersion]:
        """Every deployed version, oldest first; offices' assets share an XForm where they share a content."""
        found = [(row["date_deployed"], asset, row) for asset in among for row in self._deployed(asset)]
        found.sort(key=lambda one: str(one[0]))
        return [version for _, asset, row in found for version in self._version(form_id, asset, row)]

    def _version(self, form_id: str, asset: Asset, row: Mapping[str, Any]) -> Iterator[FormVersion]:
        try:
            yield FormVersion(form_id, row["uid"], self._xform(asset, row))
        except FormError:
            # What a hand deployed and a later version replaced can be mended no more: its answers stay in raw.
            if row["uid"] == asset.deployed:
                raise

    def _deployed(self, asset: Asset) -> list[Any]:
        # What people try in the form builder is a version too, which no phone ever had.
        return [row for row in self.api.all(asset.path + "versions/") if row["date_deployed"]]

    def _xform(self, asset: Asset, row: Mapping[str, Any]) -> bytes:
        known = row["content_hash"]
        if known not in self._contents:
            version = self.api.get(address("assets", asset.uid, "versions", row["uid"]))
            title = asset.name.removesuffix(f" · {asset.office}")
            self._contents[known] = content.xform_of(version["content"], form_title=title)
        return self._contents[known]


def of(assets: Iterable[Asset], form_id: str) -> list[Asset]:
    """The assets of one form."""
    return [asset for asset in assets if asset.form_id == form_id]


def refuse_doubles(where: str, assets: Sequence[Asset]) -> None:
    """Refuse to guess which of two assets is the form."""
    known: dict[tuple[str, str], str] = {}
    for asset in assets:
        key = (asset.form_id, asset.office)
        if key in known:
            cause = f"Two projects are the form «{' · '.join(filter(None, key))}»: {known[key]} and {asset.uid}."
            remedy = "A project copied by hand keeps our mark: delete the copy in KoboToolbox."
            raise ServerError("SRV-064", where, cause, remedy)
        known[key] = asset.uid


def now(api: KoboApi, asset: Asset) -> Asset:
    """An asset as it is by now: people, and others like us, change it meanwhile."""
    return read(api.get(asset.path))


def read(row: Mapping[str, Any]) -> Asset:
    """What the server says of an asset."""
    mark = row["settings"][MARK]
    return Asset(
        row["uid"],
        str(mark.get("form", "")),
        str(mark.get("office", "")),
        str(row["name"]),
        mark,
        str(row["owner__username"]),
        str(row["version_id"]),
        row["deployed_version_id"],
        bool(row["deployment__active"]),
        (int(row["deployment__submission_count"] or 0), row["deployment__last_submission_time"]),
    )
