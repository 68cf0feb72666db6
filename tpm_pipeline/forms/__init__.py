"""Forms: from the spreadsheet to typed tables."""
