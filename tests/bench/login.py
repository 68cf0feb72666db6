"""The real Central of the benchmarks, without anything heavy."""

import os

from tpm_pipeline.servers.central import CentralServer

FORM = "tpm_visite"
LOGIN = ("URL", "EMAIL", "PASSWORD")


def credentials() -> list[str]:
    """Address, e-mail and password of TPM_TEST_CENTRAL_…"""
    return [os.environ[f"TPM_TEST_CENTRAL_{name}"] for name in LOGIN]


def server_of(wanted: int) -> CentralServer:
    """The project that has so many visits."""
    url, email, password = credentials()
    return CentralServer(url, email, password, f"bench tpm {wanted}", 300)
