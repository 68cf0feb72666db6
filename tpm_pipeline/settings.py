"""What an installation can choose, from the environment (`TPM_…`) or a `.env` file."""

from pathlib import Path
from typing import Final, Literal, cast, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tpm_pipeline.errors import SettingsError
from tpm_pipeline.paths import ROOT

Kind = Literal["local", "central", "kobo"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class Settings(BaseSettings):
    """Every setting, with the sentence that documents it."""

    model_config = SettingsConfigDict(
        env_prefix="TPM_", env_file=ROOT / ".env", secrets_dir=None, extra="ignore", frozen=True
    )

    data: Path = Field(ROOT / "data", description="Folder of everything generated.")
    server: str = Field(
        "local",
        description="Kinds of server forms are deployed to and pulled from: local, central, kobo; several with commas.",
    )
    central_url: str = Field("", description="Address of ODK Central, for example https://odk.example.org.")
    central_email: str = Field("", description="E-mail of the Central web user the pipeline signs in as.")
    central_password: SecretStr = Field(SecretStr(""), description="Password of that web user.")
    central_project: str = Field("TPM Souss-Massa", description="Name of the Central project; created when missing.")
    central_private_key: Path | None = Field(
        None, description="File with the private keys of encrypted forms, in PEM format."
    )
    central_key_passphrase: SecretStr = Field(
        SecretStr(""), description="Passphrase of that file, or of the key that Central manages."
    )
    kobo_url: str = Field("https://kf.kobotoolbox.org", description="Address of KoboToolbox.")
    kobo_token: SecretStr = Field(
        SecretStr(""), description="Token (API key) of the KoboToolbox account the pipeline signs in as."
    )
    kobo_project: str = Field(
        "TPM Souss-Massa", description="Name that marks the KoboToolbox projects of ours, one for each form."
    )
    access: Path = Field(ROOT / ".access.yml", description="File that says who may fill what: phones, people, links.")
    serve_host: str = Field("127.0.0.1", description="Address the local server listens on.")
    serve_port: int = Field(8010, description="Port the local server listens on.")
    serve_token: SecretStr = Field(
        SecretStr(""), description="Token the local server asks for; needed beyond loopback."
    )
    warehouse_key: SecretStr = Field(SecretStr(""), description="When set, the private database is encrypted with it.")
    pseudonym_key: SecretStr = Field(
        SecretStr(""), description="Secret behind pseudonyms; when empty, one is made and kept in data/private/."
    )
    memory_limit: str = Field("2GB", description="Memory DuckDB may use before it spills to disk.")
    timeout_s: float = Field(120.0, gt=0, description="Seconds without a byte after which a server counts as down.")
    sweep_hours: float | None = Field(
        None,
        ge=0,
        description="Hours between two comparisons of a form with all that its server lists; left empty, at each pull"
        " on KoboToolbox, which tells of edits in no other way, and daily elsewhere.",
    )
    tombstone_share: float = Field(
        0.05, ge=0, le=1, description="Share of a form's submissions that may vanish before a pull stops and asks."
    )
    small_cell: int = Field(5, ge=1, description="Published counts of people below this number are hidden.")

    @field_validator("server")
    @classmethod
    def _known_kinds(cls, said: str) -> str:
        kinds = [kind.strip() for kind in said.split(",")]
        if len({*kinds}) < len(kinds) or not {*kinds} <= {*KINDS}:
            problem = f"It is one of {', '.join(KINDS)}, or several with commas, each once"
            raise ValueError(problem)
        return ",".join(kinds)

    @field_validator("sweep_hours", mode="before")
    @classmethod
    def _empty_is_unset(cls, said: object) -> object:
        return None if said == "" else said

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of server that are chosen, the first one first."""
        return cast("tuple[Kind, ...]", tuple(self.server.split(",")))

    @property
    def private(self) -> Path:
        """The folder that may hold personal data."""
        return self.data / "private"

    @property
    def private_db(self) -> Path:
        """The warehouse: raw, staging and marts."""
        return self.private / "warehouse.duckdb"

    @property
    def analysts_db(self) -> Path:
        """The file analysts open: marts, indicators, reference and descriptions."""
        return self.data / "tpm.duckdb"

    @property
    def local_store(self) -> Path:
        """The folder of the local server."""
        return self.private / "server"

    @property
    def synthetic_marker(self) -> Path:
        """A file that says the folder's data are made up."""
        return self.data / "synthetic.txt"

    @property
    def dashboard(self) -> Path:
        """The dashboard page."""
        return self.data / "dashboard.html"


def load() -> Settings:
    """Read the settings, or say which one is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "TPM_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError("SET-001", name, f"{first['msg']}.", "Correct it in the environment or in .env.") from None
