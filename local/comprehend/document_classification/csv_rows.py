"""Comprehend's CSV form for custom classification: UTF-8, no header, two columns (labels, document)."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from local.comprehend.training_data import DataFile, InvalidTrainingDataError

# The csv module's own limit (128 KiB) is below the service's for one document (10 MB), and global to the process.
csv.field_size_limit(64 * 1024**2)


def csv_rows(file: DataFile, *, delimiter: str | None) -> Iterator[tuple[str, list[str], str]]:
    """Where each row is, for messages, its labels, and its document. Without a ``delimiter`` the first column is one
    label.

    Raises InvalidTrainingDataError for what is not UTF-8, not CSV or not of two columns.
    """
    with file.path.open("rb") as stream:
        # Line by line, so that an error's line number is right, and a lone CR is no end of a row.
        reader = csv.reader((line.decode("utf-8") for line in stream), strict=True)
        try:
            for row in reader:
                where = f"{file.name}, line {reader.line_num}"
                if len(row) != 2:
                    raise InvalidTrainingDataError(
                        f"{where}: expected two columns (label and document), found {len(row)}."
                    )
                labels, text = row
                yield where, [labels] if delimiter is None else labels.split(delimiter), text
        except UnicodeDecodeError as error:
            raise InvalidTrainingDataError(f"{file.name}, line {reader.line_num + 1}: not valid UTF-8.") from error
        except csv.Error as error:
            raise InvalidTrainingDataError(f"{file.name}, line {reader.line_num}: not valid CSV ({error}).") from error
