"""From the lines of the job profile to forms to indicators: nothing promised goes unmeasured."""

from collections.abc import Collection
from dataclasses import dataclass

from tpm_pipeline.indicators.logframe import Logframe


@dataclass(frozen=True)
class TracedLine:
    """A line of the job profile, the forms that record it and the indicators that measure it."""

    code: str
    text: str
    forms: tuple[str, ...]
    indicators: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Tell whether something records the line, and something measures it."""
        return bool(self.forms and self.indicators)


def trace(framework: Logframe, form_ids: Collection[str]) -> list[TracedLine]:
    """Follow every line of the job profile to the forms that exist and the indicators that name it."""
    return [
        TracedLine(
            line.code,
            line.text.fr,
            tuple(form_id for form_id in line.forms if form_id in form_ids),
            tuple(one.code for one in framework.indicators if line.code in one.lines),
        )
        for line in framework.profile
    ]
