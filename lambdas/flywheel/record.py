"""What every record in the intake bucket is; docs/interfaces.md lists their keys.

They are read by later steps, by later turns, by later versions of this code and by people: members are only ever
added, with a default, and unknown members are ignored.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
