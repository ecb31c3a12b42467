"""The base class of all records in the intake bucket; docs/interfaces.md lists their keys.

Later versions of this code read records that earlier ones wrote, and the other way round: members are only ever added,
with a default, and unknown members are ignored.
"""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticSerializationError


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    def to_json(self) -> bytes:
        """As UTF-8. A lone surrogate, which UTF-8 cannot hold, becomes `?`."""
        try:
            return self.model_dump_json(indent=1).encode()
        except PydanticSerializationError:
            return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1).encode(errors="replace")
