"""What every record in the intake bucket is; docs/interfaces.md lists their keys.

They are read by later steps, by later turns, by later versions of this code and by people: members are only ever
added, with a default, and unknown members are ignored.
"""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticSerializationError


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    def to_json(self) -> bytes:
        """UTF-8, whatever text is in it: half a character (a lone surrogate) has no bytes and becomes `?`."""
        try:
            return self.model_dump_json(indent=1).encode()
        except PydanticSerializationError:
            return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1).encode(errors="replace")
