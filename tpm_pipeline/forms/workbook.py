"""A form's sheets as an Excel file, for a server that imports nothing else."""

import io
from collections.abc import Mapping


def as_xlsx(sheets: Mapping[str, tuple[Mapping[str, str], ...]]) -> bytes:
    """Write an .xlsx with a sheet for each name; every cell is text, whatever it looks like."""
    # Large, with the image library it looks for.
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    book = openpyxl.Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        headers = dict.fromkeys(header for row in rows for header in row)
        for line in ({header: header for header in headers}, *rows):
            cells = [WriteOnlyCell(sheet, line.get(header)) for header in headers]
            for cell in cells:
                if cell.value is not None:
                    cell.data_type = "s"  # or «=» would begin a formula, and #N/A be an error
            sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
