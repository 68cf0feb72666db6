from tests.warehouse.lab import PADS, Lab, form
from tpm_pipeline.warehouse import build, client_audit, db, empty, staging

EVERY_TYPE = """
| type                   | name     | privacy     |
| text                   | texte    | public      |
| integer                | entier   | public      |
| decimal                | decimal  | public      |
| date                   | jour     | public      |
| dateTime               | instant  | public      |
| time                   | heure    | public      |
| select_one lettre      | lettre   | public      |
| select_multiple lettre | lettres  | public      |
| geopoint               | lieu     | public      |
| image                  | photo    | sensitive   |
| integer                | secret   | identifying |
| begin repeat           | lignes   |             |
| integer                | quantite | public      |
| begin repeat           | details  |             |
| date                   | moment   | public      |
| end repeat             |          |             |
| end repeat             |          |             |
"""


def columns(connection: db.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'staging' order by all"
    ).fetchall()


def test_it_has_the_columns_and_types_of_a_build(lab: Lab) -> None:
    lab.deploy(form(EVERY_TYPE))
    (schema,) = build.schemas(lab.connection, ["essai"])
    staging.create(lab.connection)
    staging.build(lab.connection, schema, PADS)
    client_audit.build(lab.connection)

    with db.memory() as connection:
        empty.create(connection, [schema])

        assert columns(connection) == columns(lab.connection)
