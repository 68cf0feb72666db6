"""How phones and desks enter KoboToolbox: with an account, whose password a person types."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access, Door
from tpm_pipeline.servers.kobo_api import KoboApi
from tpm_pipeline.servers.kobo_assets import Asset, of


def phones(api: KoboApi, assets: Sequence[Asset], access: Access) -> Iterator[Door]:
    """The address of phones, once for each account of an office."""
    if not access.accounts:
        return
    if not assets:
        raise ServerError("SRV-071", api.where, "Nothing is deployed yet.", "Deploy first (tpm deploy).")
    # Phones have an address of their own, which these links show.
    parts = urlsplit(api.get(assets[0].path)["deployment__data_download_links"]["csv"])
    for office, names in access.accounts.items():
        for name in names:
            yield Door(office, name, f"{parts.scheme}://{parts.netloc}", name)


def desks(api: KoboApi, assets: Sequence[Asset], access: Access) -> Iterator[Door]:
    """The address of each declared desk's form; it asks for the office's account."""
    for form_id, offices in access.desk_links.items():
        for office in offices:
            active = [one for one in of(assets, form_id) if one.is_active]
            asset = next((one for one in active if one.office in ("", office)), None)
            if active and not asset:
                cause = f"{office} has no form of its own, as it has no account."
                raise ServerError("SRV-076", form_id, cause, "Name one under accounts in TPM_ACCESS, then deploy.")
            link = api.get(asset.path)["deployment__links"].get("url") if asset else None
            if not link:
                cause = "KoboToolbox has not prepared its page for browsers."
                raise ServerError("SRV-072", form_id, cause, "Deploy first, and check that Enketo runs beside it.")
            yield Door(office, form_id, link)
