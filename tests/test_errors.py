from tpm_pipeline import errors
from tpm_pipeline.errors import ServerUnavailableError, TpmError


def family(kind: type[TpmError]) -> list[type[TpmError]]:
    return [kind, *(member for child in kind.__subclasses__() for member in family(child))]


def test_an_error_says_code_place_cause_and_remedy() -> None:
    error = TpmError("WH-999", "warehouse.duckdb", "It is broken.", "Mend it.")

    assert str(error) == "WH-999 · warehouse.duckdb: It is broken. Mend it."


def test_only_what_may_pass_by_itself_is_retried() -> None:
    assert {kind.__name__ for kind in family(TpmError) if kind.retryable} == {
        "ServerUnavailableError",
        "DatabaseLockedError",
    }
    assert ServerUnavailableError.exit_code == errors.ServerError.exit_code


def test_each_family_has_its_exit_code() -> None:
    codes = {kind.__name__: kind.exit_code for kind in TpmError.__subclasses__()}

    assert codes == {
        "SettingsError": 10,
        "FormError": 11,
        "ServerError": 12,
        "WarehouseError": 13,
        "IndicatorError": 14,
        "PublicationError": 15,
    }


def test_the_tree_at_the_top_of_the_module_names_every_error() -> None:
    drawn = errors.__doc__ or ""

    assert all(kind.__name__ in drawn for kind in family(TpmError))
